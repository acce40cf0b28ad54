//! Percent-decoding as the gateway does it: what cannot be decoded stays as it is.

/// Decodes `%xx`, and in a query `+` as a space.
pub(super) fn decode(text: &str, plus_is_space: bool) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        match (first, after) {
            (b'%', [high, low, behind @ ..]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                decoded.push(digit(*high) * 16 + digit(*low));
                rest = behind;
            }
            (b'+', _) if plus_is_space => decoded.push(b' '),
            (other, _) => decoded.push(*other),
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn digit(hex: u8) -> u8 {
    match hex {
        b'0'..=b'9' => hex - b'0',
        b'a'..=b'f' => hex - b'a' + 10,
        _ => hex.wrapping_sub(b'A').wrapping_add(10),
    }
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn decodes_what_can_be_decoded() {
        assert_eq!(decode("a%2Fb%C3%A4%zz%4", false), "a/bä%zz%4");
        assert_eq!(decode("a+b", false), "a+b");
        assert_eq!(decode("a+b%2b", true), "a b+");
    }
}
