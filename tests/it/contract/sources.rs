//! What holds for every source file.

use super::layers::sources;
use crate::support::repository;

/// The longest line, in bytes, which some tools count.
const LONGEST_LINE: usize = 120;
/// The longest file of `shared`, in lines.
const LONGEST_FILE: usize = 400;

#[test]
fn no_line_is_longer_than_120_bytes() {
    let mut seen = 0;
    for folder in [
        "shared",
        "functions/src",
        "outbound",
        "console-proxy",
        "tests",
        "examples/sign/rust/src",
        "examples/receive/rust/src",
    ] {
        for path in sources(&repository().join(folder)) {
            let text = std::fs::read_to_string(&path).unwrap();
            for (number, line) in text.lines().enumerate() {
                let fits = line.len() <= LONGEST_LINE;
                assert!(fits, "{}:{} is longer than {LONGEST_LINE} bytes", path.display(), number + 1);
            }
            seen += 1;
        }
    }
    assert!(seen > 200, "the test reads sources no more: {seen}");
}

#[test]
fn no_file_of_shared_is_longer_than_400_lines() {
    for path in sources(&repository().join("shared/src")) {
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= LONGEST_FILE, "{} has {lines} lines: it is about more than one thing", path.display());
    }
}
