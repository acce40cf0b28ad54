//! The id by which Latchkey knows one of a tenant's people.

use data_encoding::HEXLOWER;

use crate::domain::values::newtype::string_newtype;
use crate::domain::values::problem::Problem;
use crate::domain::values::random::{Random, RandomnessUnavailable, draw};

/// How many bytes an id has: those of the original interface, whose ids are 24 digits.
pub(in crate::domain) const BYTES: usize = 12;

/// The id that we gave to one of a tenant's people (`relay_user_linked_id`): 24 lower-case hexadecimal digits. It stays
/// as it is, and no two tenants have the same one.
///
/// Random, and not a digest of the tenant's own id: that is often an e-mail address, which whoever sees a digest could
/// guess.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LinkedUserId(String);

impl LinkedUserId {
    /// A new id.
    ///
    /// # Errors
    /// If no randomness is available.
    pub fn generate(random: &dyn Random) -> Result<Self, RandomnessUnavailable> {
        Ok(Self::of(draw(random)?))
    }

    /// The id of these bytes.
    pub(in crate::domain) fn of(bytes: [u8; BYTES]) -> Self {
        Self(HEXLOWER.encode(&bytes))
    }

    /// The bytes of the id.
    pub(in crate::domain) fn bytes(&self) -> Option<[u8; BYTES]> {
        HEXLOWER.decode(self.0.as_bytes()).ok()?.try_into().ok()
    }

    /// Reads an id.
    ///
    /// # Errors
    /// If the text is not 24 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        match HEXLOWER.decode(text.as_bytes()) {
            Ok(bytes) if bytes.len() == BYTES => Ok(Self(text.to_owned())),
            _ => Err(Problem::new("must be 24 lower-case hexadecimal digits")),
        }
    }
}

string_newtype! { LinkedUserId, expected: "a text of 24 hexadecimal digits", schema: {
    "type": "string",
    "pattern": "^[0-9a-f]{24}$",
    "description": "Id that Latchkey gave to one of the tenant's people.",
} }

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::values::random::SystemRandomness;

    #[test]
    fn an_id_has_24_digits_and_one_spelling() {
        let random = SystemRandomness::new();
        let [one, other] = [(); 2].map(|()| LinkedUserId::generate(&random).unwrap());
        assert_ne!(one, other);
        assert_eq!(LinkedUserId::parse(one.as_str()), Ok(one));
        let digits = "0123456789abcdef01234567";
        assert!(LinkedUserId::parse(digits).is_ok());
        for text in ["", &digits[1..], &digits.to_uppercase(), &format!("{digits}8"), &digits.replace('0', "g")] {
            assert!(LinkedUserId::parse(text).is_err(), "{text}");
        }
    }
}
