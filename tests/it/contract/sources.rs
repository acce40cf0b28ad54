//! What holds for every source file.

use super::layers::sources;
use crate::support::repository;

/// The longest line, in characters.
const LONGEST_LINE: usize = 120;
/// The longest file of `shared`, in lines.
const LONGEST_FILE: usize = 400;

#[test]
fn no_line_is_longer_than_120_characters() {
    let mut seen = 0;
    for folder in ["shared", "functions/src", "tests", "examples/sign/rust/src"] {
        for path in sources(&repository().join(folder)) {
            let text = std::fs::read_to_string(&path).unwrap();
            for (number, line) in text.lines().enumerate() {
                // Neither tables nor addresses can be broken.
                let whole = line.trim_start().starts_with("//! |")
                    || line.contains("<https://")
                    || line.contains("]: https://");
                let fits = whole || line.chars().count() <= LONGEST_LINE;
                assert!(fits, "{}:{} is longer than {LONGEST_LINE} characters", path.display(), number + 1);
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
