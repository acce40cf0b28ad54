//! Texts that people write and other people read: names and reasons.

use super::problem::Problem;
use crate::domain::values::newtype::string_newtype;

/// Whether a character is refused in a text that people are shown: control characters, and those that break or reorder
/// a line. A name such as "Bank\u{202E}moc.live" on a consent screen would read as another.
fn is_refused(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{200E}' | '\u{200F}' | '\u{061C}')
        || matches!(character, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Whether a character is invisible: spaces, and those that Unicode calls default ignorable. A consent screen that asks
/// "Sign in to ?" says nothing.
fn is_invisible(character: char) -> bool {
    character.is_whitespace()
        || matches!(character, '\u{AD}' | '\u{34F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{3164}')
        || matches!(character, '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200D}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
        || matches!(character, '\u{FE00}'..='\u{FE0F}' | '\u{FFA0}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Defines a text of 1 to 120 characters (Unicode scalar values), or to as many as it says.
macro_rules! short_text {
    ($(#[doc = $doc:literal])* $name:ident) => {
        short_text! { $(#[doc = $doc])* $name: 120 }
    };
    ($(#[doc = $doc:literal])* $name:ident: $longest:literal) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// Checks length and characters.
            ///
            /// # Errors
            /// If the text is empty or too long, has a control character or one that reorders text, or
            /// has nothing that can be seen.
            pub fn parse(text: &str) -> Result<Self, Problem> {
                if !(1..=$longest).contains(&text.chars().count()) {
                    return Err(Problem::new(concat!("must have 1 to ", $longest, " characters")));
                }
                if text.chars().any(is_refused) {
                    return Err(Problem::new("must not have control characters or ones that reorder text"));
                }
                if text.chars().all(is_invisible) {
                    return Err(Problem::new("must have a character that can be seen"));
                }
                Ok(Self(text.to_owned()))
            }

            /// Takes back what was stored. It is not checked again: a rule that is tightened later must not make a
            /// tenant unreadable.
            pub fn from_stored(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        string_newtype! { $name, expected: concat!("a text of 1 to ", $longest, " characters"), schema: {
            "type": "string",
            "minLength": 1,
            "maxLength": $longest,
            "pattern": VISIBLE,
            "description": concat!($($doc),*).trim(),
        } }
    };
}

/// The rule as a pattern: characters that are not refused, one of which is no space.
const VISIBLE: &str = concat!(
    "^[^\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]*",
    "[^\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069\\s]",
    "[^\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069]*$",
);

short_text! {
    /// The name that the operator gives to a tenant. Not unique.
    TenantName
}

short_text! {
    /// The name of a tenant on the consent screen: "Sign in to …?".
    DisplayName
}

short_text! {
    /// The reason for which an operator suspended a tenant.
    Reason
}

short_text! {
    /// Name of the key, 1 to 120 characters.
    KeyName
}

short_text! {
    /// The name of whoever is to open a console link. It is in the audit events of the session.
    ConsoleLabel
}

short_text! {
    /// The name that a tenant gives to one of its organizations, users or customers.
    PartyName
}

short_text! {
    /// The name that a person gives to a device.
    DeviceName
}

short_text! {
    /// The name that tells a person's passkeys apart.
    PasskeyName: 64
}

short_text! {
    /// The name of a person or of its account, as authenticators show it.
    AccountName
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn length_is_counted_in_characters() {
        assert!(TenantName::parse(&"é".repeat(120)).is_ok());
        assert!(TenantName::parse(&"é".repeat(121)).is_err());
        assert!(TenantName::parse("").is_err());
        assert!(PasskeyName::parse(&"é".repeat(64)).is_ok());
        let problem = PasskeyName::parse(&"é".repeat(65)).unwrap_err().to_string();
        assert_eq!(problem, "must have 1 to 64 characters");
    }

    #[test]
    fn characters_that_hide_or_reorder_are_refused() {
        for text in ["a\u{0}b", "a\nb", "a\u{7f}", "a\u{85}", "a\u{202e}b", "a\u{2066}b", "a\u{2028}b", "\u{200f}a"] {
            assert!(DisplayName::parse(text).is_err(), "{text:?}");
        }
        for text in ["Bücher & Söhne", "株式会社", "🙂", "a-b_c.d", "O'Neil"] {
            assert!(DisplayName::parse(text).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn a_text_of_which_nothing_can_be_seen_is_refused() {
        for text in [" ", "\u{a0}", "\u{200b}", "\u{feff}", "\u{ad}\u{3164} "] {
            assert!(DisplayName::parse(text).is_err(), "{text:?}");
        }
        assert!(DisplayName::parse(" a").is_ok());
    }

    proptest! {
        #[test]
        fn what_is_read_is_kept_as_it_was(text in ".{0,130}") {
            if let Ok(name) = TenantName::parse(&text) {
                prop_assert_eq!(name.as_str(), text);
            }
        }
    }
}
