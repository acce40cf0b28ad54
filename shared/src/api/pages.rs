//! The pages surface: HTML for people's browsers, and the files that a page loads.
//!
//! They are the same for everybody, so that a GET neither changes nor tells anything: messengers, mail filters and
//! cameras fetch links, too. What a page is about, it asks for itself once it runs, by operations of other surfaces.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::common::Empty;
use crate::api::operation::{Input, Operation, Output, Route, Surface, TextBody};
use crate::auth::Anyone;
use crate::domain::{CSS, HTML, JAVASCRIPT, SVG, WebFile};

/// The function of all pages. It may do nothing in AWS, so there is nothing that functions of their own could keep
/// apart.
const FUNCTION: &str = "pages";

/// Shows the page with which a phone is paired, and on which its pairings are listed and ended.
#[derive(Debug, Clone, Copy)]
pub struct PhonePage;

impl Operation for PhonePage {
    const ROUTE: Route =
        Route::get("phone-page", "/p").of(FUNCTION).about("Open the page on which a phone is paired (HTML)");
    const SURFACE: Surface = Surface::Pages;
    type Caller = Anyone;
    type Query = LinkQuery;
    type Body = Empty;
    type Output = HtmlPage;
}

/// Shows the page on which somebody consents to a QR login, or refuses.
#[derive(Debug, Clone, Copy)]
pub struct ConsentPage;

impl Operation for ConsentPage {
    const ROUTE: Route = Route::get("consent-page", "/q/{session_id}")
        .of(FUNCTION)
        .about("Open the page on which a QR login is approved or denied (HTML)");
    const SURFACE: Surface = Surface::Pages;
    type Caller = Anyone;
    type Query = SessionLink;
    type Body = Empty;
    type Output = HtmlPage;
}

/// Shows the console.
#[derive(Debug, Clone, Copy)]
pub struct ConsolePage;

impl Operation for ConsolePage {
    const ROUTE: Route = Route::get("console-page", "/console").of(FUNCTION).about("Open the console (HTML)");
    const SURFACE: Surface = Surface::Pages;
    type Caller = Anyone;
    type Query = LinkQuery;
    type Body = Empty;
    type Output = HtmlPage;
}

/// Serves a file that a page loads.
#[derive(Debug, Clone, Copy)]
pub struct PageFile;

impl Operation for PageFile {
    const ROUTE: Route = Route::get("page-file", "/pages/{version}/{file}")
        .of(FUNCTION)
        .about("Get a script, a style sheet or an image of the pages");
    const SURFACE: Surface = Surface::Pages;
    type Caller = Anyone;
    type Query = FileLink;
    type Body = Empty;
    type Output = LoadedFile;
}

/// Query of a link to a page. What is in it is ignored: messengers and mail services add parameters to links.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct LinkQuery {}

impl Input for LinkQuery {}

/// Path of a link to the page of a QR login. What else is in the query is ignored, as in [`LinkQuery`].
#[derive(Debug, Deserialize, JsonSchema)]
pub struct SessionLink {
    /// Id of the QR login. The page reads it; the answer is the same for each, whether there is such a login or not.
    pub session_id: String,
}

impl Input for SessionLink {}

/// Path of a file that a page loads.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct FileLink {
    /// Version of the files, which is in the page.
    pub version: String,
    /// Name of the file, such as `page.css`.
    pub file: String,
}

impl Input for FileLink {}

/// Text of an HTML page.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct HtmlPage(pub String);

impl Output for HtmlPage {
    const MEDIA_TYPES: &'static [&'static str] = &[HTML];

    fn text_body(&self) -> Option<TextBody<'_>> {
        Some(TextBody { media_type: HTML, text: &self.0 })
    }
}

/// Text of a file that a page loads.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct LoadedFile {
    text: &'static str,
    #[serde(skip)]
    media_type: Option<&'static str>,
}

impl From<WebFile> for LoadedFile {
    fn from(file: WebFile) -> Self {
        Self { text: file.text, media_type: file.media_type() }
    }
}

impl Output for LoadedFile {
    const MEDIA_TYPES: &'static [&'static str] = &[CSS, JAVASCRIPT, SVG];

    fn text_body(&self) -> Option<TextBody<'_>> {
        Some(TextBody { media_type: self.media_type?, text: self.text })
    }

    // Under its version a file never changes.
    fn cache_control(&self) -> &'static str {
        "public, max-age=31536000, immutable"
    }
}
