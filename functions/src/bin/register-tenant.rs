//! `POST /v1/api/tenant/register-tenant`: the older way: registers or refreshes a customer, and answers its token. Also at `/register-tenant`.

use shared::api::register_tenant::{RegisterTenant, RegisteredTenantToken};
use shared::auth::Order;
use shared::{App, Call, Exit, Result, serve};

fn main() -> Exit {
    serve::<RegisterTenant, _, _>(register)
}

async fn register(app: App, call: Call<RegisterTenant>) -> Result<RegisteredTenantToken> {
    let (prefetched, body) = (&call.found.prefetched, &call.body);
    let projects = app.projects(call.caller.tenant_id());
    // A customer that was migrated is an organization now, and its user gets what `user-token` would give.
    if let Some(organization) = body.migrated(prefetched)? {
        let user = body.migrated_user(prefetched, &organization)?;
        let order = Order::for_user(&user, &organization, body.expiration, call.at)?;
        let token = call.caller.mint(&app, &call.found.tenant, &call.base_url, order).await?;
        projects.note_token(&user, &call.at.day()).await;
        return Ok(RegisteredTenantToken { message: "Token issued", token });
    }
    let (before, after) = body.registration(prefetched, call.at)?;
    let order = body.order(call.caller.tenant_id(), prefetched, &after, call.at)?;
    let token = call.caller.mint(&app, &call.found.tenant, &call.base_url, order).await?;
    projects.register_tenant(before.as_ref(), &after).await?;
    Ok(RegisteredTenantToken { message: "Tenant registered", token })
}
