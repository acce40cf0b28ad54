//! CBOR (RFC 8949), as far as authenticators write it.

use ciborium::Value;

/// The deepest nesting that is read. Certificates in an attestation are at depth 3.
const DEEPEST: usize = 16;
/// The most members of a map: an attestation object has three, a key five, extensions a handful. To look for a name
/// that is there twice costs the square of it.
const MOST: usize = 64;

/// A CBOR map, none of whose names is there twice.
#[derive(Debug)]
pub struct CborMap(Vec<(Value, Value)>);

impl CborMap {
    /// Reads the map with which `bytes` begin, and gives what follows. `None` if there is no such map.
    ///
    /// Longer spellings of numbers and lengths are accepted: the CBOR of password managers is not all canonical, and
    /// nobody else reads these bytes by another reader's rules.
    pub fn read(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let mut rest = bytes;
        let value = ciborium::de::from_reader_with_recursion_limit(&mut rest, DEEPEST).ok()?;
        let Value::Map(members) = value else { return None };
        if members.len() > MOST {
            return None;
        }
        let is_double = |(index, (name, _)): (usize, &(Value, Value))| {
            members.iter().take(index).any(|(earlier, _)| earlier == name)
        };
        let has_double = members.iter().enumerate().any(is_double);
        (!has_double).then_some((Self(members), rest))
    }

    /// The member with a name of text.
    pub fn named(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(other, _)| other.as_text() == Some(name)).map(|(_, value)| value)
    }

    /// The member with a label of a whole number.
    pub fn labelled(&self, label: i64) -> Option<&Value> {
        self.0.iter().find(|(other, _)| *other == Value::from(label)).map(|(_, value)| value)
    }

    /// The whole number with a label.
    pub fn integer(&self, label: i64) -> Option<i64> {
        self.labelled(label)?.as_integer()?.try_into().ok()
    }

    /// The byte string with a label.
    pub fn bytes(&self, label: i64) -> Option<&[u8]> {
        self.labelled(label)?.as_bytes().map(Vec::as_slice)
    }

    /// How many members it has.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether all names are texts.
    pub fn is_named_throughout(&self) -> bool {
        self.0.iter().all(|(name, _)| name.is_text())
    }
}

/// Writes a value in its shortest spelling. `None` if it can't be written, for which there is no reason.
pub fn write(value: &Value) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_has_at_most_64_members() {
        let of = |count: i64| write(&Value::Map((0..count).map(|name| (name.into(), Value::Null)).collect())).unwrap();
        assert_eq!(CborMap::read(&of(64)).unwrap().0.len(), 64);
        assert!(CborMap::read(&of(65)).is_none());
    }
}
