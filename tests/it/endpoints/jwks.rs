//! `GET /t/{tenant_id}/.well-known/jwks.json`

use serde_json::json;

use crate::support::Deployment;

#[tokio::test]
async fn the_key_in_force_and_the_standby_key_are_served_without_a_credential_and_may_be_kept_for_five_minutes() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let call = deployment.anonymous("GET", &format!("/t/{}/.well-known/jwks.json", tenant.id));
    let (answer, calls) = deployment.calls_of(call).await;
    let keys = answer.document(200)["keys"].as_array().unwrap().clone();
    for key in &keys {
        let mut names: Vec<_> = key.as_object().unwrap().keys().collect();
        names.sort();
        assert_eq!(names, ["alg", "crv", "kid", "kty", "use", "x", "y"], "and nothing private");
        assert_eq!((&key["alg"], &key["crv"], &key["use"]), (&"ES256".into(), &"P-256".into(), &"sig".into()));
    }
    let fetched = deployment.fetch(&tenant).await;
    let kids: Vec<_> = keys.iter().map(|key| &key["kid"]).collect();
    assert_eq!(kids, [&fetched["signing_kid"], &fetched["standby_kid"]]);
    assert_eq!(answer.headers["cache-control"], "public, max-age=300");
    assert_eq!(calls.len(), 1);
}

#[tokio::test]
async fn an_unknown_tenant_has_none_and_a_suspended_one_keeps_its_own() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    deployment.suspend(&tenant).await.data(200);
    let keys = |id: &str| deployment.anonymous("GET", &format!("/t/{id}/.well-known/jwks.json")).send();
    keys(&tenant.id).await.document(200);
    let mut answers = Vec::new();
    for id in ["tnt_unknown", "tnt_00000000000000000000000000000000", "acme", "TNT_1", "%20", "tnt_%2F..%2Fa"] {
        let answer = keys(id).await;
        answer.refused(404, "tenant_not_found");
        answers.push(answer.text);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
}

#[tokio::test]
async fn what_links_and_caches_add_is_not_looked_at_and_head_is_answered() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    for path in ["jwks.json", "oauth-authorization-server", "openid-configuration"] {
        let path = format!("/t/{}/.well-known/{path}", tenant.id);
        let plain = deployment.anonymous("GET", &path).send().await;
        for query in ["?v=1", "?v=1&v=2", "?", "?%"] {
            let answer = deployment.anonymous("GET", &format!("{path}{query}")).send().await;
            assert_eq!(answer.document(200), plain.document(200), "{query}");
        }
        let head = deployment.anonymous("HEAD", &path).send_raw().await;
        assert_eq!((head.status, head.text.as_str()), (200, ""));
        for name in ["cache-control", "content-type", "access-control-allow-origin"] {
            assert_eq!(head.headers[name], plain.headers[name], "{name}");
        }
        let asked = deployment.anonymous("OPTIONS", &path).header("access-control-request-headers", "traceparent");
        let answer = asked.send().await;
        assert_eq!(*answer.document(200), json!({}));
        assert_eq!(answer.headers["access-control-allow-methods"], "GET, HEAD");
        assert!(answer.headers["access-control-allow-headers"].contains("traceparent"));
        let unknown = path.replace(&tenant.id, "acme");
        assert_eq!(deployment.anonymous("HEAD", &unknown).send_raw().await.status, 404);
        assert_eq!(deployment.anonymous("POST", &path).send().await.headers["allow"], "GET, HEAD");
    }
}
