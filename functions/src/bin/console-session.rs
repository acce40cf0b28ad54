//! `/api/v1/console/session`: opens the console of a link, shows a session, and ends it.

use shared::api::console::{
    EndConsoleSession, EndedSession, GetConsoleSession, OpenConsoleSession, OpenedSession, SessionView,
};
use shared::{App, Call, Exit, Result, on, serve_path};

pub fn main() -> Exit {
    serve_path([on(OpenConsoleSession, open), on(GetConsoleSession, get), on(EndConsoleSession, end)])
}

async fn open(app: App, call: Call<OpenConsoleSession>) -> Result<OpenedSession> {
    let (token, person) = call.caller.open(&app, &call.body.code).await?;
    Ok(OpenedSession::new(token, SessionView::new(&person, app.public_url())))
}

async fn get(app: App, call: Call<GetConsoleSession>) -> Result<SessionView> {
    call.caller.refuse_suspended()?;
    Ok(SessionView::new(&call.caller, app.public_url()))
}

async fn end(app: App, call: Call<EndConsoleSession>) -> Result<EndedSession> {
    call.caller.end(&app).await?;
    Ok(EndedSession::DONE)
}
