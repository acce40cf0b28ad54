//! `/p`, `/q/{session_id}`, `/console`, `/pages/{version}/{file}`: the pages for phones, the console, and what they
//! load.

use std::sync::LazyLock;

use shared::api::pages::{ConsentPage, ConsolePage, HtmlPage, LoadedFile, PageFile, PhonePage};
use shared::domain::{WebFile, WebFiles};
use shared::{App, Call, Error, Exit, Result, on, serve_path};

/// Which page for phones it is, the script tells by the address.
const PAGE: &str = include_str!("../../pages/page.html");
const CONSOLE: &str = include_str!("../../pages/console.html");

macro_rules! files {
    ($($name:literal)*) => {
        &[$(WebFile { name: $name, text: include_str!(concat!("../../pages/", $name)) }),*]
    };
}

static FILES: LazyLock<WebFiles> = LazyLock::new(|| {
    WebFiles::new(files![
        "api.js" "browser.js" "consent.js" "console-api.js" "console-app.js" "console-audit.js" "console-callbacks.js"
        "console-config.js" "console-forms.js" "console-keys.js" "console-people.js" "console-rules.js"
        "console-session.js" "console-setup.js" "console-snippets.js" "console-tenants.js" "console-texts.js"
        "console-ui.js" "console.css" "console.js" "device.js" "dom.js" "element.js" "fragment.js" "icon.svg"
        "main.js" "page.css" "phone.js" "proof.js" "refusals.js" "store.js" "texts.js"
    ])
});

pub fn main() -> Exit {
    serve_path([on(PhonePage, phone), on(ConsentPage, consent), on(ConsolePage, console), on(PageFile, file)])
}

async fn phone(_: App, _: Call<PhonePage>) -> Result<HtmlPage> {
    Ok(HtmlPage(FILES.page(PAGE)))
}

async fn consent(_: App, _: Call<ConsentPage>) -> Result<HtmlPage> {
    Ok(HtmlPage(FILES.page(PAGE)))
}

async fn console(_: App, _: Call<ConsolePage>) -> Result<HtmlPage> {
    Ok(HtmlPage(FILES.page(CONSOLE)))
}

async fn file(_: App, call: Call<PageFile>) -> Result<LoadedFile> {
    Ok(FILES.find(&call.query.version, &call.query.file).ok_or(Error::ResourceNotFound)?.into())
}
