//! The table of what warm requests cost, `docs/operate/speed.txt`: committed, and compared with what is counted.
//!
//! Only what does not depend on how busy a machine is stands in it, so that any run can be compared with any other.

use crate::error::{Error, Result};

/// Where it is, from the root of the repository.
pub const PATH: &str = "docs/operate/speed.txt";
/// The page that shows it, between two comments with its name.
pub const PAGE: &str = "docs/operate/cost.md";
/// That name.
const NAME: &str = "speed";

/// What is counted of an operation, each for one request, but for the last: the size of the function's binary.
pub const COLUMNS: [&str; 9] = [
    "instructions",
    "allocations",
    "reallocations",
    "system calls",
    "calls to AWS",
    "read units",
    "write units",
    "log bytes",
    "binary bytes",
];

/// By how much a count may differ, as a part of it.
const TOLERANCE: f64 = 0.03;
/// How far a count may be off because it is written with one decimal.
const ROUNDING: f64 = 0.1;
/// How many system calls a request may make more or fewer: whether it waits for a byte depends on when that comes.
const WAITS: f64 = 1.0;
/// The line that says what the table was made with.
const MADE_WITH: &str = "# made with ";

/// An operation and its counts, in the order of [`COLUMNS`].
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The name of the operation, without blanks.
    pub operation: String,
    /// As many as there are columns.
    pub counts: Vec<f64>,
}

/// The whole table.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Processor, compiler and profiler: with others, instructions differ.
    pub made_with: String,
    /// In the order in which they were counted.
    pub rows: Vec<Row>,
}

impl Table {
    /// Reads the file.
    ///
    /// # Errors
    /// A row has too few or too many counts, or one that is no number, or nothing says what the table was made with.
    pub fn parse(text: &str) -> Result<Self> {
        let made_with = text.lines().find_map(|line| line.strip_prefix(MADE_WITH));
        let made_with = made_with.ok_or_else(|| Error::new(format!("{PATH} has no line `{MADE_WITH}…`")))?.to_owned();
        let mut rows = Vec::new();
        for line in text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()) {
            let mut words = line.split_whitespace();
            let operation = words.next().unwrap_or_default().to_owned();
            let counts: Vec<f64> = words.filter_map(|word| word.parse().ok()).collect();
            if counts.len() != COLUMNS.len() || line.split_whitespace().count() != COLUMNS.len() + 1 {
                return Err(Error::new(format!("{PATH}: {operation} has not {} counts", COLUMNS.len())));
            }
            rows.push(Row { operation, counts });
        }
        Ok(Self { made_with, rows })
    }

    /// The file.
    pub fn text(&self) -> String {
        let mut text = format!(
            "# What a warm request costs, and how large its function's binary is. `cargo figures speed` compares, and\n\
             # fails where a count is off by more than {} %, and system calls by more than one; `cargo figures speed\n\
             # --write` writes this file.\n\
             {MADE_WITH}{}\n#\n{:30}",
            TOLERANCE * 100.0,
            self.made_with,
            "# operation",
        );
        text.extend(COLUMNS.iter().map(|column| format!(" {:>13}", column.replace(' ', "-"))));
        text.push('\n');
        let cells = |row: &Row| row.counts.iter().map(|count| format!(" {:>13}", shown(*count))).collect::<Vec<_>>();
        text.extend(self.rows.iter().map(|row| format!("{:30}{}\n", row.operation, cells(row).concat())));
        text
    }

    /// The table as the page shows it.
    pub fn markdown(&self) -> String {
        let mut text = format!("| Operation | {} |\n|---{}|\n", COLUMNS.join(" | "), "|---:".repeat(COLUMNS.len()));
        let cells = |row: &Row| row.counts.iter().map(|count| shown(*count)).collect::<Vec<_>>().join(" | ");
        text.extend(self.rows.iter().map(|row| format!("| `{}` | {} |\n", row.operation, cells(row))));
        text
    }

    /// The page with this table in it.
    ///
    /// # Errors
    /// The page has no place for it.
    pub fn shown_in(&self, page: &str) -> Result<String> {
        between(page, NAME, &self.markdown())
    }

    /// What differs by more than it may, one sentence each. A count that has become better counts too: the table would
    /// otherwise let it become worse again.
    pub fn differences(&self, counted: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        for row in &self.rows {
            let Some(now) = counted.rows.iter().find(|now| now.operation == row.operation) else {
                differences.push(format!("{} was not counted", row.operation));
                continue;
            };
            for ((column, before), now) in COLUMNS.iter().zip(&row.counts).zip(&now.counts) {
                if (now - before).abs() > (before * TOLERANCE).max(slack(column)) {
                    let percent = (now / before - 1.0) * 100.0;
                    let (operation, before, now) = (&row.operation, shown(*before), shown(*now));
                    differences
                        .push(format!("{operation}, {column}: {before} in the table, {now} now ({percent:+.1} %)"));
                }
            }
        }
        let is_new = |now: &&Row| self.rows.iter().all(|row| row.operation != now.operation);
        let new = counted.rows.iter().filter(is_new).map(|now| format!("{} is not in the table", now.operation));
        differences.extend(new);
        differences
    }
}

/// A page with this text between its comments `<!-- name -->` and `<!-- /name -->`.
///
/// # Errors
/// The page has not both of them.
pub fn between(page: &str, name: &str, text: &str) -> Result<String> {
    let (from, to) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let parts = page.split_once(&from).and_then(|(before, rest)| Some((before, rest.split_once(&to)?.1)));
    let (before, after) = parts.ok_or_else(|| Error::new(format!("{PAGE} has not the lines {from:?} and {to:?}")))?;
    Ok(format!("{before}{from}{text}{to}{after}"))
}

/// A count with as many decimals as it deserves.
pub fn shown(count: f64) -> String {
    if count >= 10_000.0 || count.fract() == 0.0 { format!("{count:.0}") } else { format!("{count:.1}") }
}

/// How far a count of that column may be off however small it is.
fn slack(column: &str) -> f64 {
    if column == "system calls" { WAITS } else { ROUNDING }
}

#[cfg(test)]
mod tests {
    use super::{COLUMNS, Row, Table, slack};

    fn table(counts: [f64; 9]) -> Table {
        let row = |operation: &str| Row { operation: operation.to_owned(), counts: counts.to_vec() };
        Table { made_with: "x86_64, rustc 1.95.0".to_owned(), rows: vec![row("user-token"), row("relay-whoami-v2")] }
    }

    const COUNTS: [f64; 9] = [5_000_000.0, 1_300.5, 12.0, 40.3, 1.0, 4.0, 0.0, 700.0, 6_000_000.0];

    #[test]
    fn what_was_written_is_read_again() {
        let table = table(COUNTS);
        assert_eq!(Table::parse(&table.text()).unwrap(), table);
        let page = table.shown_in("before\n<!-- speed -->\nold\n<!-- /speed -->\nafter\n").unwrap();
        assert!(
            page.starts_with("before\n<!-- speed -->\n| Operation |") && page.ends_with("<!-- /speed -->\nafter\n")
        );
        assert!(page.contains("| `user-token` | 5000000 | 1300.5 | 12 | 40.3 | 1 | 4 | 0 | 700 | 6000000 |"), "{page}");
        assert_eq!(table.shown_in(&page).unwrap(), page);
        assert!(table.shown_in("no markers").is_err());
    }

    #[test]
    fn a_table_with_a_row_that_is_not_complete_is_refused() {
        let text = table(COUNTS).text();
        for (from, to) in [(" 1300.5", ""), (" 1300.5", " many"), (" 1300.5", " 1300.5 1"), ("# made with", "#")] {
            assert!(Table::parse(&text.replace(from, to)).is_err(), "{from} {to}");
        }
    }

    #[test]
    fn each_count_that_is_off_by_more_than_three_percent_is_named_whether_better_or_worse() {
        let before = table(COUNTS);
        assert!(before.differences(&before).is_empty());
        for (column, name) in COLUMNS.iter().enumerate() {
            for (factor, differs) in [(1.029, false), (0.971, false), (1.031, true), (0.969, true)] {
                let mut counts = COUNTS;
                counts[column] *= factor;
                let named = before.differences(&table(counts));
                // Of small counts a tenth is more than that: they are whole, and become another number at once.
                let expected = differs && COUNTS[column] * 0.03 > slack(name);
                assert_eq!(
                    named.iter().filter(|line| line.contains(name)).count(),
                    if expected { 2 } else { 0 },
                    "{named:?}"
                );
            }
        }
        let mut counts = COUNTS;
        counts[4] = 2.0;
        counts[6] = 1.0;
        assert_eq!(before.differences(&table(counts)).len(), 4);
    }

    #[test]
    fn an_operation_that_is_missing_on_either_side_is_named() {
        let (before, mut now) = (table(COUNTS), table(COUNTS));
        now.rows[1].operation = "introspect".to_owned();
        assert_eq!(before.differences(&now), ["relay-whoami-v2 was not counted", "introspect is not in the table"]);
    }
}
