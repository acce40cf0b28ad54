//! `GET /api/v1/fetch/person`: the devices and passkeys of one of a tenant's people.

use shared::api::registry::people::{FetchPerson, PersonView};
use shared::{App, Call, Exit, Result, serve};

pub fn main() -> Exit {
    serve(FetchPerson, fetch)
}

async fn fetch(app: App, call: Call<FetchPerson>) -> Result<PersonView> {
    let of = call.query.person_ref()?;
    Ok(app.tenants().person(&call.query.tenant_id, &of).await?.into())
}
