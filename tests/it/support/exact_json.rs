//! JSON of the client's own making that is kept as it was sent, and such that can't be.

/// An object whose numbers come out as they went in, digit for digit. Its names are in order, as they are written.
pub const EXACT: &str = concat!(
    r#"{"a":9223372036854775807,"b":-9223372036854775808,"c":18446744073709551615,"d":0.1,"e":1.0,"#,
    r#""f":[9007199254740993,{"a":1}],"g":{"a":1}}"#,
);

const INEXACT_NUMBER: &str = "must be a number that can be kept exactly, or a string";
const TWICE: &str = "is given more than once";

/// Objects that would come out as others: the place at fault, and what is wrong there.
pub const INEXACT: [(&str, &str, &str); 9] = [
    (r#"{"a":1,"a":2}"#, ".a", TWICE),
    (r#"{"f":{"tenant":"A","tenant":"B"}}"#, ".f.tenant", TWICE),
    (r#"{"f":[{"a":1},{"a":[{"b":1,"\u0062":1}]}]}"#, ".f[1].a[0].b", TWICE),
    (r#"{"a":18446744073709551616}"#, ".a", INEXACT_NUMBER),
    (r#"{"f":{"a":-9223372036854775809}}"#, ".f.a", INEXACT_NUMBER),
    (r#"{"f":[0,12345678901234567890123]}"#, ".f[1]", INEXACT_NUMBER),
    (r#"{"a":12345678901234567890.5}"#, ".a", INEXACT_NUMBER),
    (r#"{"a":1e400}"#, ".a", INEXACT_NUMBER),
    (r#"{"a":1e-400}"#, ".a", INEXACT_NUMBER),
];
