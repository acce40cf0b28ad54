//! `GET /api/v1/console/users`

use crate::support::Deployment;

#[tokio::test]
async fn the_tenants_people_see_what_the_operator_sees_of_it_and_nothing_of_another() {
    let deployment = Deployment::start().await;
    let tenant = deployment.provision("Acme").await;
    let key = deployment.api_key(&tenant, "admin").await;
    deployment.member(&key, "acme", "ada").await;
    deployment.check_console_list(&tenant, "users", "users").await;
}
