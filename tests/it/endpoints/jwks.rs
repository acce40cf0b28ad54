//! `GET /t/{tenant_id}/.well-known/jwks.json`

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
    for id in ["tnt_unknown", "tnt_00000000000000000000000000000000"] {
        let answer = keys(id).await;
        answer.refused(404, "tenant_not_found");
        answers.push(answer.text);
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
    keys("acme").await.refused(400, "invalid_request");
}
