//! The index of the repository's documents for language models, in the form that llmstxt.org describes.

use std::path::Path;

use super::audience::Audience;

/// A page: its path from the root of the repository, and its text.
pub type Page = (String, String);

/// The files and folders that the pages are looked for in, from the root of the repository.
pub const PAGE_ROOTS: [&str; 6] = ["README.md", "docs", "examples", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"];

/// Whether a file below [`PAGE_ROOTS`] is a page.
pub fn is_page(path: &str) -> bool {
    Path::new(path).extension().is_some_and(|ending| ending == "md")
}

/// Whether a name is one of what the tools of the examples unpack and build there: nobody's pages are in it.
pub fn is_foreign(name: &str) -> bool {
    name.starts_with('.') || ["node_modules", "target"].contains(&name)
}

/// The sections, in order. Readers with little room leave out what is in the last one, which the form calls so.
const SECTIONS: [&str; 6] = ["Documents", "API", "Operate", "Examples", "Project", "Optional"];

/// The section of a page.
fn section(path: &str) -> &'static str {
    match path.rsplit_once('/').map(|(folder, _)| folder) {
        None if path != "README.md" => "Project",
        Some("docs/api") => "API",
        Some("docs/operate") => "Operate",
        Some("docs/decisions") => "Optional",
        Some(folder) if folder.starts_with("examples") => "Examples",
        _ => "Documents",
    }
}

/// The text of `llms.txt`.
pub(super) fn index(pages: &[Page]) -> String {
    let mut pages: Vec<_> = pages.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    // The README of a folder before the folder's other pages.
    pages.sort_by_key(|(path, _)| {
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        (folder, name != "README.md", name)
    });
    let readme = pages.iter().find(|(path, _)| *path == "README.md").map(|(_, text)| summary(text));
    let mut text = format!("# Latchkey\n\n> {}\n", readme.unwrap_or_default());
    for name in SECTIONS {
        let listed = pages.iter().filter(|(path, _)| section(path) == name);
        let mut lines: Vec<_> = listed.map(|(path, page)| line(title(page), path, &summary(page))).collect();
        if name == "API" {
            lines.extend(Audience::ALL.map(|audience| {
                let title = format!("OpenAPI document: {}", audience.title());
                line(&title, audience.path(), &first_sentence(&audience.introduction()))
            }));
        }
        if !lines.is_empty() {
            text.extend(["\n## ", name, "\n\n", &lines.concat()]);
        }
    }
    text
}

fn line(title: &str, path: &str, summary: &str) -> String {
    let colon = if summary.is_empty() { "" } else { ": " };
    format!("- [{title}]({path}){colon}{summary}\n")
}

/// The heading of a page.
fn title(page: &str) -> &str {
    page.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or_default()
}

/// The first sentence of a page. Of one that begins with no text of its own: the headings of its sections.
fn summary(page: &str) -> String {
    let blocks = page.split("\n\n").map(str::trim).skip_while(|block| block.starts_with("# "));
    let is_heading = |block: &&str| block.starts_with('#');
    let is_text = |block: &&str| !block.starts_with(['#', '|', '>', '-', '`', '<']);
    if let Some(paragraph) = blocks.clone().take_while(|block| !is_heading(block)).find(is_text) {
        return first_sentence(paragraph);
    }
    let headings = blocks.filter_map(|block| block.strip_prefix("## ")?.lines().next());
    plain(&headings.collect::<Vec<_>>().join("; "))
}

/// The first sentence of a paragraph. Without links, which would lead elsewhere from another folder, and without the
/// label of a record's part (`**Context.**`).
fn first_sentence(paragraph: &str) -> String {
    let text = paragraph.split("\n\n").next().unwrap_or_default().lines().collect::<Vec<_>>().join(" ");
    let text = text.strip_prefix("**").and_then(|text| text.split_once(".** ")).map_or(text.as_str(), |(_, rest)| rest);
    let end = [". ", "? ", "! "].iter().filter_map(|end| text.find(end)).min().map_or(text.len(), |end| end + 1);
    plain(text.get(..end).unwrap_or(text))
}

/// The text with what its links show in their places.
fn plain(text: &str) -> String {
    let Some((before, rest)) = text.split_once('[') else { return text.to_owned() };
    match rest.split_once("](").and_then(|(shown, rest)| Some((shown, rest.split_once(')')?.1))) {
        Some((shown, after)) if !shown.contains(['[', ']']) => format!("{before}{shown}{}", plain(after)),
        _ => format!("{before}[{}", plain(rest)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_listed_by_its_title_and_its_first_sentence() {
        for (text, expected) in [
            ("# A\n\nOne [two](b.md)\nthree. Four.\n", "One two three."),
            ("# A\n\n**Context.** One. Two.\n", "One."),
            ("# A\n\nNo end\n", "No end"),
            ("# A\n\n| A |\n|---|\n\nOne? Two.\n", "One?"),
            ("# A\n\n> Quoted.\n\n## One\n\nText.\n\n## [Two](b.md)\n", "One; Two"),
            ("# A\n", ""),
        ] {
            assert_eq!((title(text), summary(text).as_str()), ("A", expected), "{text}");
        }
    }

    #[test]
    fn links_are_replaced_by_what_they_show() {
        for (text, expected) in [
            ("[a](b) and [`c`](d)", "a and `c`"),
            ("a[0] and [b](c)", "a[0] and b"),
            ("[a] [b](c)", "[a] b"),
            ("[a](b", "[a](b"),
        ] {
            assert_eq!(plain(text), expected);
        }
    }

    #[test]
    fn the_index_lists_each_page_once_and_each_document() {
        let paths = [
            "docs/x/new.md",
            "SECURITY.md",
            "docs/decisions/0001-a.md",
            "docs/api/a.md",
            "docs/operate/a.md",
            "README.md",
            "examples/a/README.md",
        ];
        let pages: Vec<_> =
            paths.iter().map(|path| ((*path).to_owned(), format!("# T\n\nOf {path}. More.\n"))).collect();
        let text = index(&pages);
        assert!(text.starts_with("# Latchkey\n\n> Of README.md.\n\n## Documents\n\n- [T](README.md): Of README.md.\n"));
        for path in paths {
            assert_eq!(text.matches(&format!("]({path}): Of {path}.\n")).count(), 1, "{path}");
        }
        for audience in Audience::ALL {
            assert!(text.contains(&format!("]({}): ", audience.path())));
        }
        assert_eq!(text.lines().filter(|line| line.starts_with("## ")).count(), 6, "{text}");
    }
}
