//! The number that the browser shows and the phone types: who does not see the screen does not know it.

use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;

use crate::domain::values::newtype::string_newtype;
use crate::domain::values::problem::Problem;
use crate::domain::values::random::{Random, RandomnessUnavailable, draw};

/// Two decimal digits.
#[derive(Clone)]
pub struct MatchNumber(String);

impl MatchNumber {
    /// A new number. Each of the hundred is equally likely: bytes that would favour some are drawn again.
    ///
    /// # Errors
    /// If no randomness is available.
    pub fn generate(random: &dyn Random) -> Result<Self, RandomnessUnavailable> {
        loop {
            let even = draw::<16>(random)?.into_iter().find(|byte| *byte < 200);
            if let Some(byte) = even {
                return Ok(Self(format!("{:02}", byte % 100)));
            }
        }
    }

    /// Reads a number.
    ///
    /// # Errors
    /// If the text is not two digits.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let is_shaped = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        if is_shaped { Ok(Self(text.to_owned())) } else { Err(Problem::new("must be two digits")) }
    }

    /// Whether both are the same, in constant time.
    pub fn is(&self, other: &Self) -> bool {
        verify_slices_are_equal(self.0.as_bytes(), other.0.as_bytes()).is_ok()
    }
}

impl fmt::Debug for MatchNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MatchNumber")
    }
}

string_newtype! { MatchNumber, expected: "two digits", schema: {
    "type": "string",
    "pattern": "^[0-9]{2}$",
    "description": "Number that the browser shows and the phone has to type.",
} }

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::domain::values::random::SystemRandomness;

    /// Bytes from a list, over and over.
    struct Bytes(&'static [u8]);

    impl Random for Bytes {
        fn fill(&self, bytes: &mut [u8]) -> Result<(), RandomnessUnavailable> {
            bytes.iter_mut().zip(self.0.iter().cycle()).for_each(|(to, from)| *to = *from);
            Ok(())
        }
    }

    #[test]
    fn every_number_is_two_digits_and_all_are_drawn() {
        let drawn: BTreeSet<_> =
            (0..5000).map(|_| MatchNumber::generate(&SystemRandomness::new()).unwrap().0).collect();
        assert_eq!(drawn.len(), 100);
        assert!(drawn.iter().all(|number| MatchNumber::parse(number).is_ok()));
    }

    #[test]
    fn bytes_that_would_favour_small_numbers_are_passed_over() {
        assert_eq!(MatchNumber::generate(&Bytes(&[255, 200, 107])).unwrap().as_str(), "07");
        assert_eq!(MatchNumber::generate(&Bytes(&[199])).unwrap().as_str(), "99");
    }

    #[test]
    fn a_number_is_compared_and_not_printed() {
        let number = |text| MatchNumber::parse(text).unwrap();
        assert!(number("07").is(&number("07")) && !number("07").is(&number("70")));
        assert_eq!(format!("{:?}", number("07")), "MatchNumber");
        for text in ["", "7", "007", "7a", " 7", "٠٧"] {
            assert!(MatchNumber::parse(text).is_err(), "{text}");
        }
    }
}
