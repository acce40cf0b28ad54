//! Ways to reach a person, which are kept masked only: enough for the person to recognize, and for nobody to use.
//!
//! An address is masked as it is decoded, so no type of ours holds a whole one. Nor is it checked further than masking
//! needs: nothing is ever sent to it.

use std::fmt;

use crate::domain::values::newtype::string_newtype;
use crate::domain::values::problem::Problem;

/// What stands for all that is left out, however much that is.
const MASK: &str = "***";

/// A person's e-mail address, masked: `a***@e***.com` of `ada@example.com`. The domain too, because one of a person's
/// own says who that is.
#[derive(Clone, PartialEq, Eq)]
pub struct MaskedEmail(String);

impl MaskedEmail {
    /// The longest address, in bytes (RFC 5321 §4.5.3.1.3 without the brackets).
    const LONGEST: usize = 254;

    /// Masks an address.
    ///
    /// # Errors
    /// If it has not the form of one, at a domain name.
    pub fn parse(address: &str) -> Result<Self, Problem> {
        let problem = || Problem::new("must be an e-mail address such as ada@example.com");
        let (local, domain) = address.rsplit_once('@').ok_or_else(problem)?;
        let (host, top) = domain.rsplit_once('.').ok_or_else(problem)?;
        let is_label = |label: &str| {
            !label.is_empty() && label.chars().all(|character| character.is_alphanumeric() || character == '-')
        };
        let is_local = !local.is_empty()
            && !local.chars().any(|character| character.is_control() || character.is_whitespace() || character == '@');
        let is_top = is_label(top) && !top.bytes().all(|byte| byte.is_ascii_digit());
        if address.len() > Self::LONGEST || !is_local || !is_top || !host.split('.').all(is_label) {
            return Err(problem());
        }
        Ok(Self(format!("{}{MASK}@{}{MASK}.{top}", first(local), first(host))))
    }

    /// Takes back what was stored.
    pub fn from_stored(masked: &str) -> Self {
        Self(masked.to_owned())
    }
}

impl fmt::Debug for MaskedEmail {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MaskedEmail")
    }
}

string_newtype! { MaskedEmail, expected: "an e-mail address", schema: {
    "type": "string",
    "minLength": 5,
    "maxLength": MaskedEmail::LONGEST,
    "description": "An e-mail address. It is kept and shown masked: `a***@e***.com`.",
} }

/// A person's telephone number, masked: `***34` of `+44 20 7946 0034`.
#[derive(Clone, PartialEq, Eq)]
pub struct MaskedPhone(String);

impl MaskedPhone {
    /// The longest number as it is written, in bytes.
    const LONGEST: usize = 32;

    /// Masks a number, written with or without spaces, hyphens, dots and parentheses.
    ///
    /// # Errors
    /// If it has not 7 to 15 digits (the most that E.164 has).
    pub fn parse(number: &str) -> Result<Self, Problem> {
        let digits: String = number.chars().filter(char::is_ascii_digit).collect();
        let written = number.strip_prefix('+').unwrap_or(number);
        let is_number = written.bytes().all(|byte| byte.is_ascii_digit() || b" -.()".contains(&byte));
        if number.len() > Self::LONGEST || !is_number || !(7..=15).contains(&digits.len()) {
            return Err(Problem::new("must be a telephone number of 7 to 15 digits, such as +44 20 7946 0034"));
        }
        let end = digits.get(digits.len() - 2..).unwrap_or_default();
        Ok(Self(format!("{MASK}{end}")))
    }

    /// Takes back what was stored.
    pub fn from_stored(masked: &str) -> Self {
        Self(masked.to_owned())
    }
}

impl fmt::Debug for MaskedPhone {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MaskedPhone")
    }
}

string_newtype! { MaskedPhone, expected: "a telephone number", schema: {
    "type": "string",
    "minLength": 5,
    "maxLength": MaskedPhone::LONGEST,
    "description": "A telephone number. It is kept and shown masked: `***34`.",
} }

/// The first character, if it is a letter or a digit.
fn first(text: &str) -> String {
    text.chars().next().filter(|character| character.is_alphanumeric()).map(String::from).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn of_an_address_remain_two_letters_and_the_top_level_domain() {
        for (address, masked) in [
            ("ada@example.com", "a***@e***.com"),
            ("a@b.de", "a***@b***.de"),
            ("Ada.Lovelace+x@mail.example.co.uk", "A***@m***.uk"),
            ("\"a b\"@example.com", "refused"),
            ("_ada@example.com", "***@e***.com"),
            ("zoë@bücher.example", "z***@b***.example"),
            ("o'neil@xn--bcher-kva.de", "o***@x***.de"),
            ("", "refused"),
            ("ada", "refused"),
            ("@example.com", "refused"),
            ("ada@", "refused"),
            ("ada@localhost", "refused"),
            ("ada@example.", "refused"),
            ("ada@.com", "refused"),
            ("ada@exa mple.com", "refused"),
            ("ada@127.0.0.1", "refused"),
            ("ada@[127.0.0.1]", "refused"),
            ("ada@eve@example.com", "refused"),
            ("ada\n@example.com", "refused"),
            ("ada@example.com\n", "refused"),
            ("Ada <ada@example.com>", "refused"),
            // A mask is not masked again: it is read by `from_stored`.
            ("a***@e***.com", "refused"),
        ] {
            let read = MaskedEmail::parse(address).map_or("refused".to_owned(), |email| email.to_string());
            assert_eq!(read, masked, "{address}");
        }
        let local = "a".repeat(242);
        assert!(MaskedEmail::parse(&format!("{local}@example.com")).is_ok());
        assert!(MaskedEmail::parse(&format!("{local}a@example.com")).is_err());
    }

    #[test]
    fn of_a_number_remain_two_digits() {
        for (number, masked) in [
            ("+44 20 7946 0034", "***34"),
            ("1234567", "***67"),
            ("+1 (555) 010-0199", "***99"),
            ("+123456789012345", "***45"),
            ("0049.30.123456", "***56"),
            ("123456", "refused"),
            ("+1234567890123456", "refused"),
            ("", "refused"),
            ("++4412345678", "refused"),
            ("12345678x9", "refused"),
            ("٠١٢٣٤٥٦٧", "refused"),
            ("1234567\n", "refused"),
            ("***34", "refused"),
        ] {
            let read = MaskedPhone::parse(number).map_or("refused".to_owned(), |phone| phone.to_string());
            assert_eq!(read, masked, "{number}");
        }
        assert!(MaskedPhone::parse(&format!("1234567{}", " ".repeat(25))).is_ok());
        assert!(MaskedPhone::parse(&format!("1234567{}", " ".repeat(26))).is_err());
    }

    #[test]
    fn what_is_decoded_is_masked_and_what_was_stored_stays_so() {
        let email: MaskedEmail = serde_json::from_str(r#""ada@example.com""#).unwrap();
        let phone: MaskedPhone = serde_json::from_str(r#""+44 20 7946 0034""#).unwrap();
        assert_eq!(serde_json::to_string(&(&email, &phone)).unwrap(), r#"["a***@e***.com","***34"]"#);
        assert_eq!((MaskedEmail::from_stored(email.as_str()), MaskedPhone::from_stored("***34")), (email, phone));
    }

    #[test]
    fn not_even_the_mask_prints_itself() {
        let (email, phone) = (MaskedEmail::parse("ada@example.com"), MaskedPhone::parse("1234567"));
        assert_eq!(format!("{email:?} {phone:?}"), "Ok(MaskedEmail) Ok(MaskedPhone)");
    }

    proptest! {
        #[test]
        fn no_mask_has_more_than_it_may(
            local in "\\PC{1,20}",
            host in "[a-z0-9.-]{1,20}",
            number in "\\+?[0-9 .-]{5,20}",
        ) {
            if let Ok(email) = MaskedEmail::parse(&format!("{local}@{host}.com")) {
                prop_assert!(email.as_str().chars().count() <= "a***@e***.com".len());
            }
            if let Ok(phone) = MaskedPhone::parse(&number) {
                prop_assert_eq!(phone.as_str().len(), 5);
            }
        }
    }
}
