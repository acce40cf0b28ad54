//! `POST /v1/api/projects/revoke-tokens`: revokes the tokens of a user, an organization or an end user of the tenant.

use shared::api::projects::revoke_tokens::{PartyRevoked, ProjectRevokeTokens};
use shared::store::Revocation;
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(ProjectRevokeTokens, revoke)
}

async fn revoke(app: App, call: Call<ProjectRevokeTokens>) -> Result<PartyRevoked> {
    let party = call.body.party()?;
    let Revocation { revoked_before, known } = call.caller.revoke_tokens(&app, &party).await?;
    Ok(PartyRevoked { revoked_before, known })
}
