//! What a login costs among many people: as much as where there is one.

use serde_json::{Value, json};
use shared::domain::{CredentialId, ExternalId};
use stack::AwsCall;

use crate::support::authenticator::{Authenticator, base64url};
use crate::support::passkeys::ORIGIN;
use crate::support::{Call, Deployment, Tenant};

/// Passkeys of each person.
const PASSKEYS: usize = 3;

/// Somebody who has registered passkeys, of whom others are copied.
struct Model {
    user: String,
    items: Vec<String>,
    linked_id: String,
    passkeys: Vec<Authenticator>,
}

/// The id of a person, of one length for all.
fn user(number: usize) -> String {
    format!("person-{number:08}")
}

fn digest_of(user: &str) -> String {
    ExternalId::parse(user).unwrap().digest().clone()
}

impl Model {
    async fn of(deployment: &Deployment, tenant: &Tenant) -> Self {
        let user = user(0);
        let mut passkeys = Vec::new();
        for _ in 0..PASSKEYS {
            passkeys.push(deployment.enrol(tenant, &user, 1).await);
        }
        let own = format!("TENANT#{}#P", tenant.id);
        let items = deployment.items().await;
        let is_own = |item: &&Value| item["pk"]["S"].as_str().unwrap().starts_with(&own);
        // Two of the person, and its passkeys; not the tenant's count of them.
        let items = items.iter().filter(is_own).filter(|item| !item["sk"]["S"].as_str().unwrap().starts_with("COUNT#"));
        let items: Vec<_> = items.collect();
        assert_eq!(items.len(), 2 + PASSKEYS);
        let linked_id = items[0]["linked_user_id"]["S"].as_str().unwrap().to_owned();
        Self { user, items: items.into_iter().map(Value::to_string).collect(), linked_id, passkeys }
    }

    /// A passkey of the person with this number: the key of the model's under another id.
    fn passkey(&self, number: usize, index: usize) -> Authenticator {
        let mut passkey = self.passkeys[index].clone();
        passkey.id[..8].copy_from_slice(&(number as u64).to_be_bytes());
        passkey.user_handle = base64url(format!("{number:032}").as_bytes());
        passkey
    }

    /// The items of the person with this number.
    fn copies(&self, number: usize) -> impl Iterator<Item = Value> {
        let user = user(number);
        let mut names = vec![
            (digest_of(&self.user), digest_of(&user)),
            (self.user.clone(), user),
            (self.linked_id.clone(), format!("{number:024x}")),
        ];
        for (index, passkey) in self.passkeys.iter().enumerate() {
            let copy = self.passkey(number, index);
            let digest = |passkey: &Authenticator| CredentialId::parse(&passkey.credential_id()).unwrap().digest();
            names.push((digest(passkey).to_string(), digest(&copy).to_string()));
            names.push((passkey.credential_id(), copy.credential_id()));
            names.push((passkey.user_handle.clone(), copy.user_handle));
        }
        self.items.iter().map(move |item| {
            let text = names.iter().fold(item.clone(), |text, (old, new)| text.replace(old, new));
            serde_json::from_str(&text).unwrap()
        })
    }
}

/// What calls to AWS a request makes and what they consume, as `BatchGetItem 2.5`.
async fn cost(deployment: &Deployment, call: Call) -> (Value, Vec<String>) {
    let (answer, calls) = deployment.calls_of(call).await;
    let shown = |call: &AwsCall| format!("{} {}", call.operation, call.consumed.unwrap_or_default());
    (answer.data(200).clone(), calls.iter().map(shown).collect())
}

/// What a login of a person costs that is named, and one that is not: options, verification, and the list.
async fn costs(deployment: &Deployment, tenant: &Tenant, mut passkey: Authenticator, number: usize) -> Vec<String> {
    let person = json!({ "backend_user_id": user(number) });
    let mut costs = Vec::new();
    for of in [person.clone(), json!({})] {
        let mut body = of.clone();
        body["browser_origin"] = ORIGIN.into();
        let (options, begun) = cost(deployment, deployment.webauthn(tenant, "authenticate/options", &body)).await;
        let allowed = options["allowCredentials"].as_array().map_or(0, Vec::len);
        assert_eq!(allowed, if of == person { PASSKEYS } else { 0 });
        let credential = passkey.get(&options, ORIGIN);
        let (login, done) = cost(deployment, deployment.authenticate(tenant, &credential)).await;
        assert_eq!(login["backend_user_id"], user(number));
        costs.extend([begun, done].concat());
    }
    let (list, listed) = cost(deployment, deployment.webauthn(tenant, "fetch/passkeys", &person)).await;
    assert_eq!(list["passkeys"].as_array().unwrap().len(), PASSKEYS);
    costs.extend(listed);
    costs
}

/// With `LATCHKEY_PEOPLE`, of as many people.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_login_among_thousands_of_people_costs_what_it_costs_where_there_is_one() {
    let count: usize = std::env::var("LATCHKEY_PEOPLE").map_or(500, |count| count.parse().unwrap());
    let deployment = Deployment::start_with(|builder| builder.without_stream().metered()).await;
    let tenant = deployment.with_passkeys("Acme").await;
    let model = Model::of(&deployment, &tenant).await;
    // Each process reads the tenant's secrets once.
    costs(&deployment, &tenant, model.passkeys[0].clone(), 0).await;
    let mut passkey = model.passkeys[1].clone();
    let alone = costs(&deployment, &tenant, passkey.clone(), 0).await;
    for people in (1..count).collect::<Vec<_>>().chunks(1000) {
        deployment.write_items(people.iter().flat_map(|number| model.copies(*number)).collect()).await;
    }
    println!("one person: {}", alone.join(", "));
    // The first of them, the last, and one in between.
    passkey.counter += 2;
    let first = costs(&deployment, &tenant, passkey, 0).await;
    println!("{count} people: {}", first.join(", "));
    assert_eq!(first, alone);
    for number in [count / 2, count - 1] {
        assert_eq!(costs(&deployment, &tenant, model.passkey(number, 2), number).await, alone, "{number}");
    }
}
