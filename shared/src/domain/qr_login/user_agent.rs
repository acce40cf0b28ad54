//! Which browser on which system asks: what a person is told, so that somebody else's is noticed.
//!
//! A table of our own. Refused alternatives: the crates that read user agents compile in hundreds of regular
//! expressions, which is more than all of a function's own code, for versions and devices that nobody is shown here
//! (and that browsers do not tell any more); or they were not released for years.

use crate::domain::values::newtype::string_newtype;
use crate::domain::values::problem::Problem;

/// A text of a user agent, and the name of whoever has it. The first that is found counts: most have those of others,
/// too.
type Table = [(&'static str, &'static str)];

const BROWSERS: &Table = &[
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("Edg/", "Edge"),
    ("Edge/", "Edge"),
    ("OPR/", "Opera"),
    ("OPT/", "Opera"),
    ("Vivaldi/", "Vivaldi"),
    ("YaBrowser/", "Yandex Browser"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("Ddg/", "DuckDuckGo"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Version/", "Safari"),
];

const SYSTEMS: &Table = &[
    ("iPhone", "iOS"),
    ("iPad", "iPadOS"),
    ("Windows", "Windows"),
    ("Android", "Android"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "macOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
    ("X11", "Linux"),
];

/// What a user agent is called. Both are names from a table, and never a part of the header: whoever starts a login can
/// put any text into it, and a consent screen must not show that text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrowserName {
    pub browser: Option<&'static str>,
    pub system: Option<&'static str>,
}

impl BrowserName {
    /// That of nobody who says it.
    pub const UNKNOWN: Self = Self { browser: None, system: None };
}

/// The header `User-Agent` of a browser, at most 2048 bytes of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserAgent(String);

impl UserAgent {
    const LONGEST: usize = 2048;

    /// Reads a header.
    ///
    /// # Errors
    /// If it is longer than any browser's.
    pub fn parse(text: &str) -> Result<Self, Problem> {
        if text.len() > Self::LONGEST {
            return Err(Problem::new("must be at most 2048 bytes long"));
        }
        Ok(Self(text.to_owned()))
    }

    /// What it is called.
    pub fn name(&self) -> BrowserName {
        let found = |table: &Table| table.iter().find(|(text, _)| self.0.contains(text)).map(|(_, name)| *name);
        BrowserName { browser: found(BROWSERS), system: found(SYSTEMS) }
    }
}

string_newtype! { UserAgent, expected: "a string", schema: {
    "type": "string",
    "maxLength": 2048,
    "description": "Header `User-Agent` of the browser.",
} }

#[cfg(test)]
mod tests {
    use super::*;

    /// Browser, system, platform and engine of a header; `K` and `W` stand for what all of an engine have.
    const HEADERS: &str = "
Chrome|Windows|Windows NT 10.0; Win64; x64|K Chrome/126.0.0.0 Safari/537.36
Edge|Windows|Windows NT 10.0; Win64; x64|K Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0
Firefox|Windows|Windows NT 10.0; Win64; x64; rv:127.0|Gecko/20100101 Firefox/127.0
Firefox|Linux|X11; Linux x86_64; rv:127.0|Gecko/20100101 Firefox/127.0
Safari|macOS|Macintosh; Intel Mac OS X 10_15_7|W Version/17.5 Safari/605.1.15
Chrome|macOS|Macintosh; Intel Mac OS X 10_15_7|K Chrome/126.0.0.0 Safari/537.36
Safari|iOS|iPhone; CPU iPhone OS 17_5 like Mac OS X|W Version/17.5 Mobile/15E148 Safari/604.1
Chrome|iOS|iPhone; CPU iPhone OS 17_5 like Mac OS X|W CriOS/126.0.6478.35 Mobile/15E148 Safari/604.1
Firefox|iOS|iPhone; CPU iPhone OS 17_5 like Mac OS X|W FxiOS/127.0 Mobile/15E148 Safari/605.1.15
Edge|iOS|iPhone; CPU iPhone OS 17_5 like Mac OS X|W Version/17.0 EdgiOS/126.0 Mobile/15E148 Safari/605.1.15
Chrome|Android|Linux; Android 10; K|K Chrome/126.0.0.0 Mobile Safari/537.36
Samsung Internet|Android|Linux; Android 10; K|K SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36
Firefox|Android|Android 14; Mobile; rv:127.0|Gecko/127.0 Firefox/127.0
Edge|Android|Linux; Android 10; K|K Chrome/126.0.0.0 Mobile Safari/537.36 EdgA/126.0.0.0
Opera|Windows|Windows NT 10.0; Win64; x64|K Chrome/125.0.0.0 Safari/537.36 OPR/111.0.0.0
Chrome|ChromeOS|X11; CrOS x86_64 14541.0.0|K Chrome/126.0.0.0 Safari/537.36
Safari|iPadOS|iPad; CPU OS 17_5 like Mac OS X|W Version/17.5 Mobile/15E148 Safari/604.1
";

    fn header(platform: &str, engine: &str) -> String {
        let engine = engine.replace("K ", "AppleWebKit/537.36 (KHTML, like Gecko) ");
        let engine = engine.replace("W ", "AppleWebKit/605.1.15 (KHTML, like Gecko) ");
        format!("Mozilla/5.0 ({platform}) {engine}")
    }

    #[test]
    fn a_browser_and_its_system_have_names() {
        for row in HEADERS.trim().lines() {
            let [browser, system, platform, engine]: [&str; 4] = row.split('|').collect::<Vec<_>>().try_into().unwrap();
            let name = UserAgent::parse(&header(platform, engine)).unwrap().name();
            assert_eq!(name, BrowserName { browser: Some(browser), system: Some(system) }, "{row}");
        }
        for (text, system) in [("curl/8.8.0", None), ("Your bank, call +1 555 0100", None), ("Linux", Some("Linux"))] {
            let name = UserAgent::parse(text).unwrap().name();
            assert_eq!(name, BrowserName { browser: None, system }, "{text}");
        }
        assert_eq!(UserAgent::parse("").unwrap().name(), BrowserName::UNKNOWN);
    }

    #[test]
    fn a_header_has_at_most_2048_bytes() {
        assert!(UserAgent::parse(&"a".repeat(2048)).is_ok() && UserAgent::parse(&"a".repeat(2049)).is_err());
    }
}
