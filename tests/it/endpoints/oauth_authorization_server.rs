//! `GET /t/{tenant_id}/.well-known/oauth-authorization-server`, where RFC 8414 §3.1 looks for it, and where readers
//! look that know the path of OIDC only

use serde_json::json;

use crate::support::Deployment;

#[tokio::test]
async fn all_addresses_say_where_everything_is() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let (base, id) = (deployment.stack.url(), &world.tenant.id);
    let issuer = format!("{base}/t/{id}");
    for path in [
        format!("/t/{id}/.well-known/oauth-authorization-server"),
        format!("/.well-known/oauth-authorization-server/t/{id}"),
        format!("/t/{id}/.well-known/openid-configuration"),
    ] {
        let answer = deployment.anonymous("GET", &path).send().await;
        let expected = json!({
            "issuer": issuer,
            "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
            "response_types_supported": [],
            "grant_types_supported": [],
            "introspection_endpoint": format!("{base}/api/v1/auth/introspect"),
            "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "Bearer"],
            "revocation_endpoint": format!("{base}/api/v1/auth/revoke"),
            "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        });
        assert_eq!(*answer.document(200), expected);
    }
    let claims = deployment.introspect(&world.key, &world.token).await;
    assert_eq!(claims["iss"], issuer, "tokens name the same issuer");
}

#[tokio::test]
async fn an_unknown_tenant_has_none() {
    let deployment = Deployment::start().await;
    for path in [
        "/t/tnt_1/.well-known/oauth-authorization-server",
        "/.well-known/oauth-authorization-server/t/tnt_1",
        "/t/tnt_1/.well-known/openid-configuration",
    ] {
        deployment.anonymous("GET", path).send().await.refused(404, "tenant_not_found");
    }
}

#[tokio::test]
async fn without_a_public_address_the_issuer_is_at_the_gateways_own() {
    let deployment = Deployment::start_with(|builder| builder.parameter("PublicUrl", "")).await;
    let world = deployment.world().await;
    let claims = deployment.introspect(&world.key, &world.token).await;
    assert_eq!(claims["iss"], format!("https://127.0.0.1/t/{}", world.tenant.id));
}
