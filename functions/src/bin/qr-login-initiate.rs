//! `POST /api/v1/relay/qr-login/initiate`: begins a QR login for a browser.

use shared::api::relay::qr_login::{InitiatedView, QrLoginInitiate};
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(QrLoginInitiate, initiate)
}

async fn initiate(app: App, call: Call<QrLoginInitiate>) -> Result<InitiatedView> {
    let started = call.caller.initiate_qr_login(&app, call.body.request()).await?;
    Ok(InitiatedView::new(call.caller.id(), started))
}
