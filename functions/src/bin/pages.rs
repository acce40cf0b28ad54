//! `/p`, `/q/{session_id}`, `/pages/{version}/{file}`: the pages for phones, and what they load.

use std::sync::LazyLock;

use shared::api::pages::{ConsentPage, HtmlPage, LoadedFile, PageFile, PhonePage};
use shared::domain::{WebFile, WebFiles};
use shared::{App, Call, Error, Exit, Result, on, serve_path};

/// Which page it is, the script tells by the address.
const PAGE: &str = include_str!("../../pages/page.html");

macro_rules! files {
    ($($name:literal)*) => {
        &[$(WebFile { name: $name, text: include_str!(concat!("../../pages/", $name)) }),*]
    };
}

static FILES: LazyLock<WebFiles> = LazyLock::new(|| {
    WebFiles::new(files![
        "api.js" "browser.js" "consent.js" "device.js" "dom.js" "fragment.js" "icon.svg" "main.js" "page.css"
        "phone.js" "proof.js" "refusals.js" "store.js" "texts.js"
    ])
});

pub fn main() -> Exit {
    serve_path([on(PhonePage, phone), on(ConsentPage, consent), on(PageFile, file)])
}

async fn phone(_: App, _: Call<PhonePage>) -> Result<HtmlPage> {
    Ok(HtmlPage(FILES.page(PAGE)))
}

async fn consent(_: App, _: Call<ConsentPage>) -> Result<HtmlPage> {
    Ok(HtmlPage(FILES.page(PAGE)))
}

async fn file(_: App, call: Call<PageFile>) -> Result<LoadedFile> {
    Ok(FILES.find(&call.query.version, &call.query.file).ok_or(Error::ResourceNotFound)?.into())
}
