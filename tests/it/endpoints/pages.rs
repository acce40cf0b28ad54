//! `GET /p`, `GET /q/{session_id}`, `GET /console`, `GET /pages/{version}/{file}`

use std::collections::BTreeMap;

use shared::api::{OPERATIONS, Surface};

use crate::support::{Answer, Deployment, page_files, repository};

const PHONES: [&str; 3] = ["/p", "/q/AAAAAAAAAAAAAAAAAAAAAA", "/q/-"];
/// Every page, one of each.
const PAGES: [&str; 3] = ["/p", "/q/-", "/console"];
/// What the console may weigh, everything that it loads together, in bytes before compression.
const CONSOLE: u64 = 100_000;

/// The paths of the files that a page names.
fn named(page: &str) -> Vec<&str> {
    page.split('"').filter(|text| text.starts_with("/pages/")).collect()
}

/// A page, a file, and a refusal of each.
async fn answers(deployment: &Deployment) -> Vec<Answer> {
    let css = format!("/pages/{}/page.css", page_files().version());
    let mut answers = Vec::new();
    let pages = [("/p", 200), ("/q/a", 200), ("/console", 200), (css.as_str(), 200)];
    for (path, status) in pages.into_iter().chain([("/pages/0/a", 404), ("/p?token=a", 400)]) {
        let answer = deployment.anonymous("GET", path).send().await;
        assert_eq!(answer.status, status, "{path}");
        answers.push(answer);
    }
    answers.push(deployment.anonymous("POST", "/p").send().await);
    answers
}

#[tokio::test]
async fn a_page_is_the_same_for_everybody_whatever_is_in_its_link_and_calls_nothing() {
    let deployment = Deployment::start().await;
    let before = deployment.items().await;
    for pages in [&PHONES[..], &["/console"]] {
        let mut texts = Vec::new();
        for path in pages {
            for added in ["", "?utm_source=mail&fbclid=1", "?"] {
                let call = deployment.anonymous("GET", &format!("{path}{added}")).header("cookie", "a=b");
                let (answer, calls) = deployment.calls_of(call).await;
                assert_eq!((answer.status, calls.len()), (200, 0), "{path}{added}");
                assert_eq!(answer.headers["content-type"], "text/html; charset=utf-8");
                assert_eq!(answer.headers.get("set-cookie"), None);
                texts.push(answer.text);
            }
        }
        texts.dedup();
        assert_eq!(texts.len(), 1);
    }
    assert_eq!(deployment.items().await, before);
}

#[tokio::test]
async fn a_page_has_no_script_or_style_in_it_and_loads_files_of_its_own_version_only() {
    let deployment = Deployment::start().await;
    for path in PAGES {
        let page = deployment.anonymous("GET", path).send().await.text;
        let files = named(&page);
        assert!(files.len() >= 2 && page.matches("src=\"").count() + page.matches("href=\"").count() == files.len());
        for path in files {
            assert!(path.starts_with(&format!("/pages/{}/", page_files().version())), "{path}");
            let (answer, calls) = deployment.calls_of(deployment.anonymous("GET", path)).await;
            assert_eq!((answer.status, calls.len()), (200, 0), "{path}");
        }
        for forbidden in ["<style", "style=", "javascript:", "onclick", "onload", "{version}"] {
            assert!(!page.contains(forbidden), "{path}: {forbidden}");
        }
        let mut scripts = page.split("<script").skip(1);
        assert!(scripts.all(|script| script.contains("src=\"") && script.contains("></script>")), "{path}");
    }
}

/// What a page loads before anything is on the screen is a request each, and all of it is sent as it is.
#[test]
fn the_console_is_small_and_names_no_more_than_a_style_sheet_a_script_and_an_icon() {
    let folder = repository().join("functions/pages");
    let page = std::fs::read_to_string(folder.join("console.html")).unwrap();
    let names: Vec<_> = named(&page).into_iter().map(|path| path.rsplit_once('/').unwrap().1).collect();
    assert_eq!(names, ["icon.svg", "console.css", "console.js"]);
    let mut bytes = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.starts_with("console") || ["element.js", "icon.svg", "proof.js"].contains(&name.as_str()) {
            bytes += std::fs::metadata(folder.join(&name)).unwrap().len();
        }
    }
    assert!(bytes < CONSOLE, "{bytes}");
}

#[tokio::test]
async fn every_file_of_the_folder_is_served_as_it_is_under_its_media_type_and_may_be_kept() {
    let deployment = Deployment::start().await;
    let mut served = 0;
    for entry in std::fs::read_dir(repository().join("functions/pages")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if name.rsplit('.').next() == Some("html") {
            continue;
        }
        let path = format!("/pages/{}/{name}", page_files().version());
        let answer = deployment.anonymous("GET", &path).send().await;
        assert_eq!(answer.status, 200, "{path}: the binary serves another set of files than the folder has");
        let expected = match name.rsplit_once('.').unwrap().1 {
            "js" => "text/javascript; charset=utf-8",
            "css" => "text/css; charset=utf-8",
            "svg" => "image/svg+xml",
            other => panic!("no page loads .{other}"),
        };
        assert_eq!(answer.headers["content-type"], expected, "{name}");
        assert_eq!(answer.headers["cache-control"], "public, max-age=31536000, immutable", "{name}");
        assert_eq!(answer.text, std::fs::read_to_string(repository().join("functions/pages").join(&name)).unwrap());
        served += 1;
    }
    assert!(served >= 2, "{served}");
}

#[tokio::test]
async fn what_is_no_file_of_this_version_is_not_found_and_is_not_kept() {
    let deployment = Deployment::start().await;
    let version = page_files().version();
    let unknown = ["page.html", "nothing.js", "PAGE.CSS", "page.css%00", "%2e%2e", "..%2fpages.rs"];
    let unknown = unknown.map(|name| format!("/pages/{version}/{name}"));
    for path in unknown.into_iter().chain(["/pages/0000000000000000/page.css".to_owned()]) {
        let answer = deployment.anonymous("GET", &path).send().await;
        answer.refused(404, "not_found");
        assert_eq!(answer.text, "not found (not_found)\n");
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
}

#[tokio::test]
async fn a_credential_in_a_link_to_a_page_is_refused_in_plain_text() {
    let deployment = Deployment::start().await;
    let answer = deployment.anonymous("GET", "/p?token=tell-nobody").send().await;
    answer.refused(400, "credential_in_query");
    assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
    assert!(!answer.text.contains("tell-nobody"));
}

#[tokio::test]
async fn each_operation_of_the_function_is_found_by_its_path() {
    let deployment = Deployment::start().await;
    let version = page_files().version();
    for path in ["/p", "/q/a", "/console", &format!("/pages/{version}/page.css")] {
        deployment.anonymous("GET", path).send().await;
    }
    let output = deployment.stack.output();
    for entry in OPERATIONS.iter().filter(|entry| entry.surface == Surface::Pages) {
        let line = format!("\"operation\":\"{}\"", entry.route.name);
        assert_eq!(output.matches(&line).count(), 1, "{line}");
    }
}

/// Checks one header on every kind of answer.
async fn check_header(name: &str, expected: &str) {
    let deployment = Deployment::start().await;
    for answer in answers(&deployment).await {
        assert_eq!(answer.headers.get(name).map(String::as_str), Some(expected), "{answer:?}");
    }
}

#[tokio::test]
async fn a_page_may_load_from_its_own_origin_and_logos_and_runs_no_text_as_a_script() {
    let deployment = Deployment::start().await;
    let expected = BTreeMap::from([
        ("default-src", "'none'"),
        ("script-src", "'self'"),
        ("style-src", "'self'"),
        ("img-src", "'self' https:"),
        ("connect-src", "'self'"),
        ("base-uri", "'none'"),
        ("form-action", "'none'"),
        ("frame-ancestors", "'none'"),
        ("require-trusted-types-for", "'script'"),
        ("trusted-types", "'none'"),
    ]);
    for answer in answers(&deployment).await {
        let policy = &answer.headers["content-security-policy"];
        let directives = policy.split("; ").map(|directive| directive.split_once(' ').unwrap());
        assert_eq!(directives.collect::<BTreeMap<_, _>>(), expected);
    }
}

#[tokio::test]
async fn a_page_tells_nobody_its_address() {
    check_header("referrer-policy", "no-referrer").await;
}

#[tokio::test]
async fn a_page_is_taken_for_what_it_says_it_is() {
    check_header("x-content-type-options", "nosniff").await;
}

#[tokio::test]
async fn no_page_has_a_handle_on_this_one() {
    check_header("cross-origin-opener-policy", "same-origin").await;
}

#[tokio::test]
async fn no_other_origin_loads_a_page_or_a_file_of_it() {
    check_header("cross-origin-resource-policy", "same-origin").await;
}

#[tokio::test]
async fn a_page_uses_no_camera_microphone_or_place() {
    let denied = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()";
    check_header("permissions-policy", denied).await;
}

#[tokio::test]
async fn a_browser_that_was_here_comes_back_by_https_only() {
    check_header("strict-transport-security", "max-age=31536000").await;
}
