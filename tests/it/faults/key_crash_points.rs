//! Every point at which a process can die, for keys, tokens and registrations: as in [`super::crash_points`], where it
//! says what the points are.
//!
//! After each the caller tries again, once more, and the reconciler runs. With an idempotency key, and wherever a
//! request says by itself what it is about, the outcome is that of one undisturbed request. Without one, each attempt
//! that took effect has its event, and the last one that was answered is the truth.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use shared::domain::ApiKeySecret;
use stack::{CrashMode, Invocation, scheduled_event};

use crate::projects::registration_races::entries_of;
use crate::support::{ApiKey, Deployment, Member, ROLE, Tenant, event};

/// A lease that is over at once, so that the retry need not wait for it.
const OVER: Invocation = Invocation { deadline: Some(1) };

/// An operation under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    ProvisionKey,
    RotateKey,
    RevokeKey,
    RotateSigningKey,
    RevokeTokens(Whose),
    Register(Kind, Difference),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// Also those of the user that is registered under the id: three items in one transaction.
    ExternalUser,
    /// The same by the tenant's backend.
    Own,
    Key,
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Organization,
    User,
}

/// What a registration is to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Difference {
    /// It is the first.
    New,
    Name,
    ExternalId,
}

/// What there is before an operation.
struct Stage {
    tenant: Tenant,
    /// The key that is operated on, or with. It was never used, so that its first use is one of the calls.
    key: ApiKey,
    /// A user `ada` of an organization `acme`, if the operation is about one, and a token that `key` minted for it.
    member: Option<Member>,
    token: Option<String>,
}

/// Where a process dies, and how.
#[derive(Debug)]
struct Point {
    index: usize,
    mode: CrashMode,
    /// Whether the process is killed, or lives on without AWS.
    killed: bool,
    /// Whether the request has an idempotency key.
    with_key: bool,
}

impl Operation {
    fn function(self) -> &'static str {
        match self {
            Self::ProvisionKey => "provision-api-key",
            Self::RotateKey => "rotate-api-key",
            Self::RevokeKey => "revoke-api-key",
            Self::RotateSigningKey => "rotate-signing-key",
            Self::RevokeTokens(Whose::Own) => "project-revoke-tokens",
            Self::RevokeTokens(_) => "revoke-tokens",
            Self::Register(Kind::Organization, _) => "register-organization",
            Self::Register(Kind::User, _) => "register-user",
        }
    }

    fn path(self) -> String {
        match self {
            Self::Register(..) => format!("/v1/api/projects/{}", self.function()),
            Self::RevokeTokens(Whose::Own) => "/v1/api/projects/revoke-tokens".to_owned(),
            _ => format!("/api/v1/{}", self.function().replacen('-', "/", 1)),
        }
    }

    /// What its audit event says.
    fn action(self) -> &'static str {
        match self {
            Self::ProvisionKey => "api_key.provisioned",
            Self::RotateKey => "api_key.rotated",
            Self::RevokeKey => "api_key.revoked",
            Self::RotateSigningKey => "tenant.signing_key_rotated",
            Self::RevokeTokens(_) => "tokens.revoked",
            Self::Register(Kind::Organization, _) => "organization.registered",
            Self::Register(Kind::User, _) => "user.registered",
        }
    }

    fn is_registration(self) -> bool {
        matches!(self, Self::Register(..))
    }

    /// Whether the tenant's backend calls it, and not the operator.
    fn is_backends(self) -> bool {
        self.is_registration() || self == Self::RevokeTokens(Whose::Own)
    }

    async fn stage(self, deployment: &Deployment) -> Stage {
        let tenant = deployment.provision("Acme").await;
        let key = deployment.api_key(&tenant, "admin").await;
        let mut stage = Stage { tenant, key, member: None, token: None };
        if matches!(self, Self::RevokeTokens(_) | Self::Register(..)) && self != Self::new_organization() {
            let other = deployment.api_key(&stage.tenant, "admin").await;
            stage.member = Some(deployment.member(&other, "acme", "ada").await);
        }
        if let (Self::RevokeTokens(_), Some(member)) = (self, &stage.member) {
            stage.token = Some(deployment.token(&stage.key, member).await);
        }
        stage
    }

    /// The one registration that needs nothing to be registered before.
    fn new_organization() -> Self {
        Self::Register(Kind::Organization, Difference::New)
    }

    fn body(self, stage: &Stage) -> Value {
        let project = stage.tenant.project_id();
        let organization = stage.member.as_ref().map(|member| member.organization_id.as_str());
        let user = stage.member.as_ref().map(|member| member.user_id.as_str());
        match self {
            Self::ProvisionKey => json!({ "name": "New", "kind": "admin" }),
            Self::RotateKey | Self::RevokeKey => json!({}),
            // Without, each attempt after the first would have to wait: see `signing_key_crash_points`.
            Self::RotateSigningKey => json!({ "force": true }),
            Self::RevokeTokens(Whose::ExternalUser) => json!({ "external_user_id": "ada" }),
            Self::RevokeTokens(Whose::Own) => json!({ "externalUserId": "ada" }),
            Self::RevokeTokens(Whose::Key) => json!({ "key_id": stage.key.id }),
            Self::RevokeTokens(Whose::All) => json!({ "all": true }),
            Self::Register(kind, difference) => {
                let mut body = json!({ "name": "After", "projectId": project, "externalId": "after" });
                if kind == Kind::User {
                    body["userRoleId"] = ROLE.into();
                    body["properties"] = json!({ "after": true });
                    body["projectOrganizationId"] = "acme".into();
                }
                match (difference, kind) {
                    (Difference::New, _) => {}
                    (Difference::Name, Kind::Organization) => body["externalId"] = "acme".into(),
                    (Difference::Name, Kind::User) => body["externalId"] = "ada".into(),
                    (Difference::ExternalId, Kind::Organization) => body["organizationId"] = organization.into(),
                    (Difference::ExternalId, Kind::User) => body["userId"] = user.into(),
                }
                body
            }
        }
    }

    fn event(self, deployment: &Deployment, stage: &Stage, idempotency_key: Option<&str>) -> Value {
        let (path, body) = (self.path(), self.body(stage));
        if self.is_backends() {
            let bearer = format!("Bearer {}", stage.key.text);
            let mut headers = vec![("authorization", bearer.as_str())];
            headers.extend(idempotency_key.map(|key| ("idempotency-key", key)));
            return event("POST", &path, "", &headers, Some(&body));
        }
        let of_key = matches!(self, Self::RotateKey | Self::RevokeKey).then(|| format!("&key_id={}", stage.key.id));
        let query = format!("tenant_id={}{}", stage.tenant.id, of_key.unwrap_or_default());
        let mut headers = vec![("x-admin-key", deployment.key())];
        headers.extend(idempotency_key.map(|key| ("idempotency-key", key)));
        event("POST", &path, &query, &headers, Some(&body))
    }

    /// Runs all crash points of the operation. Processes that live on without AWS wait for most of their time:
    /// meanwhile others are killed.
    async fn run(self) {
        tokio::join!(self.points(false), self.points(true));
    }

    async fn points(self, killed: bool) {
        let deployment = Deployment::start().await;
        for with_key in [true, false] {
            let stage = self.stage(&deployment).await;
            let undisturbed = self.event(&deployment, &stage, with_key.then_some("undisturbed"));
            let calls = deployment.stack.invoke(self.function(), undisturbed, OVER).await.unwrap().aws_calls;
            assert!(calls >= 2, "{calls}");
            for index in 0..=calls {
                for mode in [CrashMode::NotSent, CrashMode::DoneButNoAnswer] {
                    let point = Point { index, mode, killed, with_key };
                    let crashed = self.crash(&deployment, &point).await;
                    assert_eq!(crashed, index < calls, "{self:?} {point:?}");
                }
            }
        }
    }

    /// Crashes, tries again, reconciles and checks. Whether it did crash: not after the last call.
    async fn crash(self, deployment: &Deployment, point: &Point) -> bool {
        let label = format!("{self:?} {point:?}");
        let stage = self.stage(deployment).await;
        let before = Seen::now(deployment, &stage.tenant).await;
        let key = label.replace(' ', "_");
        let request = self.event(deployment, &stage, point.with_key.then_some(key.as_str()));

        let faults = deployment.stack.faults();
        let injected = if point.killed {
            faults.kill(self.function(), point.index, point.mode)
        } else {
            faults.crash(self.function(), point.index, point.mode)
        };
        let first = deployment.stack.invoke(self.function(), request.clone(), OVER).await;
        faults.clear();
        let crashed = injected.fired() > 0;
        match &first {
            Ok(answer) if crashed => assert_eq!(answer.payload["statusCode"], 503, "{label}: {}", answer.payload),
            Ok(answer) => assert!(status(&answer.payload) < 300, "{label}: {}", answer.payload),
            Err(error) => assert!(crashed && point.killed, "{label}: {error}"),
        }
        // Half way there is either the old state or the new one, whole and with its event.
        let after = Seen::now(deployment, &stage.tenant).await;
        let took_effect = after.decisive() != before.decisive();
        assert_eq!(after.trail.len(), before.trail.len() + usize::from(took_effect), "{label}");
        after.entries("ORG");
        after.entries("USER");

        let retry = answer(deployment, self.function(), &request, &label).await;
        let replay = answer(deployment, self.function(), &request, &label).await;
        deployment.stack.invoke("reconcile", scheduled_event(), Invocation::default()).await.unwrap();

        // Registrations and revocations of keys need no idempotency key to take effect once.
        let once = point.with_key || self == Self::RevokeKey || self.is_registration();
        let effects = if once { 1 } else { 2 + usize::from(took_effect) };
        if once {
            assert_eq!(retry, replay, "{label}: the same request has the same outcome");
        }
        let end = Seen::now(deployment, &stage.tenant).await;
        let mut expected = before.trail;
        expected.extend(vec![self.action().to_owned(); effects]);
        assert_eq!(end.trail, expected, "{label}");
        end.entries("ORG");
        end.entries("USER");
        self.check_outcome(deployment, &stage, &end, effects, &replay["data"], &label).await;
        crashed
    }

    /// The last answer is the truth.
    async fn check_outcome(
        self,
        deployment: &Deployment,
        stage: &Stage,
        end: &Seen,
        effects: usize,
        data: &Value,
        label: &str,
    ) {
        match self {
            Self::ProvisionKey => {
                let key =
                    ApiKey { text: text(data, "api_key"), id: text(data, "key_id"), tenant: stage.tenant.clone() };
                assert!(works(deployment, &key).await && works(deployment, &stage.key).await, "{label}");
                let keys = end.keys();
                assert_eq!(keys.len(), 1 + effects, "{label}");
                assert!(keys.iter().any(|item| has_only(item, &key)), "{label}");
            }
            Self::RotateKey => {
                let key = ApiKey { text: text(data, "api_key"), ..stage.key.clone() };
                assert!(works(deployment, &key).await && !works(deployment, &stage.key).await, "{label}");
                let keys = end.keys();
                assert!(keys.len() == 1 && has_only(keys[0], &key), "{label}");
            }
            Self::RevokeKey => assert!(!works(deployment, &stage.key).await, "{label}"),
            Self::RotateSigningKey => {
                let id = &stage.tenant.id;
                assert_eq!(data["kid"], deployment.signing_kid(id).await, "{label}");
                assert_eq!(deployment.stored_key_set(id).await.len(), 2 + effects, "{label}");
                assert_eq!(deployment.valid_secrets(id).await, [stage.tenant.secret.as_str()], "{label}");
            }
            Self::RevokeTokens(whose) => {
                let token = stage.token.as_ref().unwrap();
                assert!(!deployment.is_active(&stage.key, token).await, "{label}");
                let new = deployment.token(&stage.key, stage.member.as_ref().unwrap()).await;
                assert!(deployment.is_active(&stage.key, &new).await, "{label}");
                for epoch in epochs(end, stage, whose) {
                    assert_eq!(epoch, effects.to_string(), "{label}");
                }
            }
            Self::Register(kind, difference) => check_entry(stage, end, kind, difference, data, label),
        }
    }
}

/// What there is of a tenant at one time.
struct Seen {
    /// Its items, but for its events.
    items: Vec<Value>,
    /// The actions of its events.
    trail: Vec<String>,
}

impl Seen {
    async fn now(deployment: &Deployment, tenant: &Tenant) -> Self {
        // There are many tenants in the table by and by, and this is asked for at each point: only this one's items are
        // sent.
        let request = json!({
            "TableName": deployment.table(),
            "ConsistentRead": true,
            "FilterExpression": "begins_with(pk, :tenant)",
            "ExpressionAttributeValues": { ":tenant": { "S": format!("TENANT#{}", tenant.id) } },
        });
        let found = deployment.dynamodb("Scan", &request).await;
        assert!(found["LastEvaluatedKey"].is_null(), "more than one page");
        let items = found["Items"].as_array().unwrap().clone();
        Self { items, trail: deployment.audit_trail(tenant).await }
    }

    /// The items without what decides nothing.
    fn decisive(&self) -> Vec<Value> {
        let mut items = self.items.clone();
        for item in &mut items {
            item.as_object_mut().unwrap().remove("token_key_labels_leased");
            if let Some(record) = item.pointer_mut("/details/M").and_then(Value::as_object_mut) {
                record.remove("last_used_on");
            }
        }
        items
    }

    fn keys(&self) -> Vec<&Value> {
        self.items.iter().filter(|item| item["sk"]["S"] == "KEY").collect()
    }

    /// Its organizations or users by uuid; each is there under both of its names, and they agree.
    fn entries(&self, sort_key: &str) -> BTreeMap<String, Map<String, Value>> {
        entries_of(&self.items, sort_key)
    }
}

/// Whether a key's item accepts this text and no other.
fn has_only(item: &Value, key: &ApiKey) -> bool {
    let hash = ApiKeySecret::parse(&key.text).unwrap().hash().to_text();
    item["details"]["M"]["key_id"]["S"] == key.id.as_str()
        && item["key_hash"]["S"] == hash
        && item["details"]["M"].get("previous_until").is_none()
}

/// How often the tokens of a party were revoked, by each item that counts it.
fn epochs(end: &Seen, stage: &Stage, whose: Whose) -> Vec<String> {
    let member = stage.member.as_ref().unwrap();
    let counted = end.items.iter().filter(|item| match whose {
        Whose::ExternalUser | Whose::Own => {
            item["sk"]["S"] == "EXTERNAL" || item["details"]["M"]["record_id"]["S"] == member.user_id.as_str()
        }
        Whose::Key => item["details"]["M"]["key_id"]["S"] == stage.key.id.as_str(),
        Whose::All => item["sk"]["S"] == "STATE",
    });
    let epoch = |item: &Value| item["details"]["M"].get("epoch").unwrap_or(&item["epoch"])["N"].clone();
    let epochs: Vec<_> = counted.map(|item| epoch(item).as_str().unwrap().to_owned()).collect();
    assert_eq!(epochs.len(), if matches!(whose, Whose::ExternalUser | Whose::Own) { 3 } else { 1 });
    epochs
}

/// It is registered once, with what was sent, and was changed as often as there was something to change.
fn check_entry(stage: &Stage, end: &Seen, kind: Kind, difference: Difference, data: &Value, label: &str) {
    let member = stage.member.as_ref();
    let (sort_key, id, known, old) = match kind {
        Kind::Organization => ("ORG", "projectOrganizationId", member.map(|member| &member.organization_id), "acme"),
        Kind::User => ("USER", "userId", member.map(|member| &member.user_id), "ada"),
    };
    let (entries, id) = (end.entries(sort_key), text(data, id));
    let (revision, external_id) = match difference {
        Difference::New => {
            assert_eq!(entries.len(), 1 + usize::from(known.is_some()), "{label}");
            ("0", "after")
        }
        Difference::Name => ("1", old),
        Difference::ExternalId => ("1", "after"),
    };
    if difference != Difference::New {
        assert_eq!((entries.len(), Some(&id)), (1, known), "{label}");
    }
    let entry = &entries[&id];
    assert_eq!(
        (&entry["revision"]["N"], &entry["external_id"]["S"]),
        (&json!(revision), &json!(external_id)),
        "{label}"
    );
    assert_eq!(entry["display_name"]["S"], "After", "{label}");
}

fn text(data: &Value, name: &str) -> String {
    data[name].as_str().unwrap().to_owned()
}

async fn works(deployment: &Deployment, key: &ApiKey) -> bool {
    let answer = deployment.backend(key, "GET", "/v1/api/projects/organizations").send().await;
    assert!(matches!(answer.status, 200 | 401), "{}", answer.text);
    answer.status == 200
}

/// The body of the answer to a request that must succeed.
async fn answer(deployment: &Deployment, function: &str, request: &Value, label: &str) -> Value {
    let payload = deployment.stack.invoke(function, request.clone(), OVER).await.unwrap().payload;
    assert!(status(&payload) < 300, "{label}: {payload}");
    serde_json::from_str(payload["body"].as_str().unwrap()).unwrap()
}

fn status(payload: &Value) -> u64 {
    payload["statusCode"].as_u64().unwrap()
}

#[tokio::test]
async fn provision_api_key() {
    Operation::ProvisionKey.run().await;
}

#[tokio::test]
async fn rotate_api_key() {
    Operation::RotateKey.run().await;
}

#[tokio::test]
async fn revoke_api_key() {
    Operation::RevokeKey.run().await;
}

#[tokio::test]
async fn rotate_signing_key() {
    Operation::RotateSigningKey.run().await;
}

#[tokio::test]
async fn revoke_tokens_of_an_external_user() {
    Operation::RevokeTokens(Whose::ExternalUser).run().await;
}

#[tokio::test]
async fn revoke_tokens_of_an_external_user_by_the_backend() {
    Operation::RevokeTokens(Whose::Own).run().await;
}

#[tokio::test]
async fn revoke_tokens_of_a_key() {
    Operation::RevokeTokens(Whose::Key).run().await;
}

#[tokio::test]
async fn revoke_all_tokens() {
    Operation::RevokeTokens(Whose::All).run().await;
}

#[tokio::test]
async fn register_organization() {
    for difference in [Difference::New, Difference::Name, Difference::ExternalId] {
        Operation::Register(Kind::Organization, difference).run().await;
    }
}

#[tokio::test]
async fn register_user() {
    for difference in [Difference::New, Difference::Name, Difference::ExternalId] {
        Operation::Register(Kind::User, difference).run().await;
    }
}
