//! Randomness for ARNs and passwords.

use super::failure::Failure;

pub(super) const LOWERCASE: &str = "abcdefghijklmnopqrstuvwxyz";
pub(super) const UPPERCASE: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
pub(super) const DIGITS: &str = "0123456789";

/// The six characters at the end of an ARN.
pub(super) fn arn_suffix() -> Result<String, Failure> {
    let alphabet: Vec<char> = [LOWERCASE, UPPERCASE, DIGITS].concat().chars().collect();
    (0..6).map(|_| pick(&alphabet)).collect()
}

/// One of these, each as likely as any other.
pub(super) fn pick(alphabet: &[char]) -> Result<char, Failure> {
    let index = below(alphabet.len())?;
    alphabet.get(index).copied().ok_or_else(|| Failure::internal("There is nothing to pick from."))
}

/// A number from 0 to `bound - 1`. What would make the low numbers likelier is drawn again.
pub(super) fn below(bound: usize) -> Result<usize, Failure> {
    let bound = u32::try_from(bound).ok().filter(|bound| *bound > 0).ok_or_else(|| Failure::internal("Bad bound."))?;
    let fair = u32::MAX - u32::MAX % bound;
    loop {
        let mut bytes = [0; 4];
        aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Failure::internal("There is no randomness."))?;
        let number = u32::from_le_bytes(bytes);
        if number < fair {
            return usize::try_from(number % bound).map_err(|_| Failure::internal("Bad bound."));
        }
    }
}
