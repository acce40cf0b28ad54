//! What is accepted is written as it was sent, by a reader of JSON that keeps numbers as digits.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

use proptest::prelude::*;

use super::*;

fn read(text: &str) -> Result<String, String> {
    let read = serde_json::from_str::<ExactJson>(text);
    read.map(|read| read.into_value().to_string()).map_err(|error| error.to_string())
}

#[test]
fn a_number_is_taken_if_it_is_written_as_the_same_one() {
    for text in ["0", "-1", "9223372036854775807", "-9223372036854775808", "18446744073709551615", "9007199254740993"] {
        assert_eq!(read(text).unwrap(), text);
    }
    for (text, written) in [("0.1", "0.1"), ("1.0", "1.0"), ("1.50", "1.5"), ("-0", "-0.0"), ("0e999999999999", "0.0")]
    {
        assert_eq!(read(text).unwrap(), written);
    }
    for text in ["1e2", "1E+2", "100.000", "1e20", "5e-324", "1e-3", "1.7976931348623157e308", "123456.789e3"] {
        assert!(read(text).is_ok(), "{text}");
    }
}

#[test]
fn a_number_that_would_be_another_is_refused() {
    for text in [
        "18446744073709551616",
        "-9223372036854775809",
        "12345678901234567890123",
        "100000000000000000000",
        "12345678901234567890.5",
        "9007199254740993.0",
        "0.1000000000000000055511151231257827",
        "1e400",
        "-1e400",
        "1e-400",
        "1e99999999999999999999",
    ] {
        for text in [text.to_owned(), format!("[{text}]"), format!(r#"{{"a":{{"b":[1,{text}]}}}}"#)] {
            let error = read(&text).unwrap_err();
            assert!(error.contains("must be a number that can be kept exactly"), "{text}: {error}");
            assert!(!error.contains("1e4") && !error.contains("12345"), "{error}");
        }
    }
}

#[test]
fn a_flaw_is_named_with_its_place() {
    for (text, place, problem) in [
        (r#"{"a":1,"a":1}"#, ".a", "is given more than once"),
        (r#"{"f":{"t":"A","\u0074":"B"}}"#, ".f.t", "is given more than once"),
        (r#"[0,{"x":[{"y":1,"z":2,"y":3}]}]"#, "[1].x[0].y", "is given more than once"),
        (r#"{"a: b":[1e400]}"#, ".a: b[0]", "must be a number that can be kept exactly, or a string"),
    ] {
        let message = serde_json::from_str::<ExactJson>(text).unwrap_err().to_string();
        let message = message.split(" at line ").next().unwrap();
        let found = ExactJson::flaw_within(message);
        assert_eq!(found, Some((place, problem)), "{message}");
    }
    assert!(read(r#"{"a":1,"b":{"a":1},"c":[{"a":1},{"a":2}]}"#).is_ok());
    // The value as a whole has no place, and its field is named by whoever decodes it.
    let error = serde_json::from_str::<ExactJson>("1e400").unwrap_err().to_string();
    assert!(error.starts_with("must be a number"), "{error}");
}

#[test]
fn depth_is_bounded() {
    let of_levels = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    assert!(read(&of_levels(32)).is_ok());
    for levels in [33, 30_000] {
        assert!(read(&of_levels(levels)).unwrap_err().contains("32 objects and lists"));
    }
}

#[test]
fn a_text_that_is_none_is_refused() {
    for text in [r#""\ud800""#, r#"{"\ud800":1}"#, r#"["\udc00"]"#] {
        assert!(read(text).unwrap_err().contains("can't be read"), "{text}");
    }
}

/// A document, read by hand. Numbers are sign, digits without zeros at either end, and where the point is.
#[derive(Debug, PartialEq)]
enum Document {
    Word(String),
    Number(bool, String, i64),
    Text(String),
    List(Vec<Document>),
    /// Each name with all of its values.
    Object(BTreeMap<String, Vec<Document>>),
}

fn document(text: &str) -> Document {
    let mut rest = text.chars().peekable();
    let read = value(&mut rest);
    assert_eq!(rest.next(), None);
    read
}

fn value(rest: &mut Peekable<Chars<'_>>) -> Document {
    match rest.peek().unwrap() {
        '[' => {
            rest.next();
            let mut list = Vec::new();
            while *rest.peek().unwrap() != ']' {
                list.push(value(rest));
                rest.next_if_eq(&',');
            }
            rest.next();
            Document::List(list)
        }
        '{' => {
            rest.next();
            let mut object = BTreeMap::<_, Vec<_>>::new();
            while *rest.peek().unwrap() != '}' {
                let name = quoted(rest);
                assert_eq!(rest.next(), Some(':'));
                object.entry(name).or_default().push(value(rest));
                rest.next_if_eq(&',');
            }
            rest.next();
            Document::Object(object)
        }
        '"' => Document::Text(quoted(rest)),
        _ => {
            let mut word = String::new();
            while let Some(next) = rest.next_if(|next| !",]}".contains(*next)) {
                word.push(next);
            }
            if word.starts_with(char::is_alphabetic) { Document::Word(word) } else { digits(&word) }
        }
    }
}

fn quoted(rest: &mut Peekable<Chars<'_>>) -> String {
    assert_eq!(rest.next(), Some('"'));
    let mut text = String::new();
    loop {
        match rest.next().unwrap() {
            '"' => return text,
            '\\' => {
                assert_eq!(rest.next(), Some('u'));
                let code: String = rest.by_ref().take(4).collect();
                text.push(char::from_u32(u32::from_str_radix(&code, 16).unwrap()).unwrap());
            }
            other => text.push(other),
        }
    }
}

fn digits(word: &str) -> Document {
    let (mut digits, mut point, mut exponent) = (String::new(), None, String::new());
    let mut is_exponent = false;
    for sign in word.trim_start_matches('-').chars() {
        match sign {
            'e' | 'E' => is_exponent = true,
            '.' => point = Some(digits.len()),
            '+' => {}
            other if is_exponent => exponent.push(other),
            other => digits.push(other),
        }
    }
    let point = i64::try_from(point.unwrap_or(digits.len())).unwrap();
    let point = point + if is_exponent { exponent.parse().unwrap() } else { 0 };
    let zeros = i64::try_from(digits.chars().take_while(|digit| *digit == '0').count()).unwrap();
    let digits = digits.trim_matches('0').to_owned();
    if digits.is_empty() {
        return Document::Number(false, digits, 0);
    }
    Document::Number(word.starts_with('-'), digits, point - zeros)
}

/// The text of a JSON value without spaces: names may repeat, and numbers may be of any size.
fn json() -> impl Strategy<Value = String> {
    let number = "-?(0|[1-9][0-9]{0,22})(\\.[0-9]{1,22})?([eE][+-]?[0-9]{1,3})?";
    let short = "-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,3})?([eE]-?[0-9])?";
    let leaf = prop_oneof![
        number.prop_map(|text| text),
        short.prop_map(|text| text),
        short.prop_map(|text| text),
        any::<i64>().prop_map(|number| number.to_string()),
        any::<u64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(|number| format!("{number:e}")),
        "(true|false|null)".prop_map(|text| text),
        "\"([a-c .,:é]|\\\\u00e9){0,4}\"".prop_map(|text| text),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        let name = "\"[a-f]{1,2}\"";
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(|values| format!("[{}]", values.join(","))),
            prop::collection::vec((name, inner), 0..5).prop_map(|fields| {
                let fields: Vec<_> = fields.into_iter().map(|(name, value)| format!("{name}:{value}")).collect();
                format!("{{{}}}", fields.join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_is_accepted_is_written_as_it_was_sent_and_reads_the_same_again(text in json()) {
        if let Ok(written) = read(&text) {
            prop_assert_eq!(document(&written), document(&text));
            prop_assert_eq!(read(&written), Ok(written));
        }
    }

    #[test]
    fn short_decimals_and_what_fits_into_64_bits_are_accepted(
        whole in any::<i64>(),
        natural in any::<u64>(),
        decimal in "-?(0|[1-9][0-9]{0,6})\\.[0-9]{1,8}",
    ) {
        let text = format!("[{whole},{natural},{decimal}]");
        prop_assert_eq!(read(&text).map(|written| document(&written)), Ok(document(&text)));
    }
}
