//! `POST /api/v1/relay/webauthn/fetch/passkeys`: the passkeys of one of a tenant's people.

use shared::api::relay::passkey_outputs::PasskeysOfPerson;
use shared::api::relay::passkeys::WebauthnFetchPasskeys;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(WebauthnFetchPasskeys, fetch)
}

async fn fetch(app: App, call: Call<WebauthnFetchPasskeys>) -> Result<PasskeysOfPerson> {
    let of = call.body.person_ref()?;
    Ok(call.caller.passkeys(&app).list(&of).await?.into())
}
