//! Files that browsers load: pages, and what pages load in turn.

use aws_lc_rs::digest::{Context, SHA256};
use data_encoding::HEXLOWER;

/// What stands for the version in the text of a page.
const VERSION: &str = "{version}";

/// Media type of pages (RFC 2854).
pub const HTML: &str = "text/html; charset=utf-8";
/// Media type of scripts (RFC 9239).
pub const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
/// Media type of style sheets (RFC 2318).
pub const CSS: &str = "text/css; charset=utf-8";
/// Media type of icons.
pub const SVG: &str = "image/svg+xml";

/// A file that a page loads, as it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebFile {
    /// Name with an ending, such as `page.css`.
    pub name: &'static str,
    /// What is in it.
    pub text: &'static str,
}

impl WebFile {
    /// The media type, by the ending of the name; `None` if no page loads such files.
    pub fn media_type(self) -> Option<&'static str> {
        match self.name.rsplit_once('.')?.1 {
            "js" => Some(JAVASCRIPT),
            "css" => Some(CSS),
            "svg" => Some(SVG),
            _ => None,
        }
    }
}

/// The files that pages load, under a version that is a digest of them all. A browser may keep a file of a version for
/// ever, and no page runs with files of another version than its own. Names with a digest each would need a build step
/// that rewrites the imports.
#[derive(Debug)]
pub struct WebFiles {
    files: &'static [WebFile],
    version: String,
}

impl WebFiles {
    /// All files that pages load.
    pub fn new(files: &'static [WebFile]) -> Self {
        let mut digest = Context::new(&SHA256);
        for file in files {
            // Lengths, so that no text can be taken for the next file's name.
            for part in [file.name, file.text] {
                digest.update(&part.len().to_be_bytes());
                digest.update(part.as_bytes());
            }
        }
        let digest = HEXLOWER.encode(digest.finish().as_ref());
        Self { files, version: digest.chars().take(16).collect() }
    }

    /// The version: 16 lower-case hexadecimal digits.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// A page whose `{version}` is this version.
    pub fn page(&self, html: &str) -> String {
        html.replace(VERSION, &self.version)
    }

    /// The file of that name, if the version is this one.
    pub fn find(&self, version: &str, name: &str) -> Option<WebFile> {
        self.files.iter().find(|file| version == self.version && file.name == name).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &[WebFile] = &[WebFile { name: "a.js", text: "1" }, WebFile { name: "b.css", text: "" }];
    const OTHER: &[WebFile] = &[WebFile { name: "a.js", text: "2" }, WebFile { name: "b.css", text: "" }];
    const SHIFTED: &[WebFile] = &[WebFile { name: "a.js", text: "" }, WebFile { name: "1b.css", text: "" }];

    #[test]
    fn a_version_is_that_of_all_names_and_texts() {
        let versions = [ONE, OTHER, SHIFTED].map(|files| WebFiles::new(files).version().to_owned());
        assert_eq!(versions[0], WebFiles::new(ONE).version());
        assert!(versions[0] != versions[1] && versions[0] != versions[2] && versions[1] != versions[2]);
        assert!(versions.iter().all(|version| version.len() == 16));
    }

    #[test]
    fn a_file_is_found_under_its_version_only() {
        let files = WebFiles::new(ONE);
        assert_eq!(files.find(files.version(), "a.js"), Some(ONE[0]));
        assert_eq!(files.find(files.version(), "c.js"), None);
        assert_eq!(files.find(WebFiles::new(OTHER).version(), "a.js"), None);
        assert_eq!(files.find("", "a.js"), None);
    }

    #[test]
    fn a_page_names_the_version() {
        let files = WebFiles::new(ONE);
        let path = |version: &str| format!("<script src=\"/pages/{version}/a.js\">");
        assert_eq!(files.page(&path("{version}")), path(files.version()));
    }

    #[test]
    fn a_media_type_goes_by_the_ending() {
        let of = |name| WebFile { name, text: "" }.media_type();
        assert_eq!([of("a.js"), of("a.b.css"), of("a.svg")], [Some(JAVASCRIPT), Some(CSS), Some(SVG)]);
        assert_eq!([of("a.html"), of("js"), of("")], [None; 3]);
    }
}
