//! `GET /api/v1/relay/qr-login/poll`: says what has become of a QR login.

use shared::api::relay::qr_login::{PollView, QrLoginPoll};
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(QrLoginPoll, poll)
}

async fn poll(app: App, call: Call<QrLoginPoll>) -> Result<PollView> {
    Ok(call.caller.poll(&app, &call.query.session_id).await?.into())
}
