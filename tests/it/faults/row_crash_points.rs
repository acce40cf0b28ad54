//! Every point at which a process can die, for rows of the account surface: as in [`super::crash_points`], where it
//! says what the points are.
//!
//! After each, rows, entries and counts agree with each other, and the change was made whole or not at all. Then the
//! caller tries again, which works: a row that was made without an answer is there once with an idempotency key, and
//! the answer is the one that was lost; without one it is there twice. What was deleted is gone.

use serde_json::{Value, json};
use stack::{AwsCall, CrashMode, Invocation, scheduled_event};

use crate::account::races::check_rows;
use crate::support::{ApiKey, Deployment, event};

/// An operation under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    CreateSession,
    /// In two workspaces.
    CreateDocument,
    DeleteSession,
    DeleteDocument,
    AddMessage,
    MakeDefault,
}

/// Where a process dies, and how.
#[derive(Debug)]
struct Point {
    index: usize,
    mode: CrashMode,
    /// Whether the process is killed, or lives on without AWS.
    killed: bool,
    /// Whether the call is the end user's whose rows they are, or the account's.
    is_own: bool,
    /// Whether the request has an idempotency key.
    with_key: bool,
}

/// What there is before an operation: an end user of its own, and rows of that one.
struct Stage<'a> {
    deployment: &'a Deployment,
    key: &'a ApiKey,
    user: String,
    session: String,
    message: String,
    workspaces: Vec<String>,
    document: String,
}

impl Stage<'_> {
    async fn made(&self, path: &str, body: &Value) -> String {
        let call = self.deployment.account_for(self.key, &self.user, "POST", path).json(body);
        call.send().await.document(201)["id"].as_str().unwrap().to_owned()
    }

    async fn get(&self, path: &str) -> Value {
        let call = self.deployment.account_for(self.key, &self.user, "GET", path);
        call.send().await.document(200).clone()
    }
}

impl Operation {
    fn is_deletion(self) -> bool {
        matches!(self, Self::DeleteSession | Self::DeleteDocument)
    }

    async fn stage<'a>(self, deployment: &'a Deployment, key: &'a ApiKey, user: String) -> Stage<'a> {
        let none = String::new;
        let (workspaces, message) = (Vec::new(), json!({ "role": "user", "content": "Where is my order?" }));
        let mut stage = Stage { deployment, key, user, session: none(), message: none(), workspaces, document: none() };
        match self {
            Self::CreateSession => {}
            Self::DeleteSession | Self::AddMessage => {
                stage.session = stage.made("/api/v1/agent-sessions", &json!({})).await;
                let messages = format!("/api/v1/agent-sessions/{}/messages", stage.session);
                stage.message = stage.made(&messages, &message).await;
            }
            Self::CreateDocument | Self::DeleteDocument | Self::MakeDefault => {
                for is_default in [true, false] {
                    let body = json!({ "name": "Contracts", "is_default": is_default });
                    stage.workspaces.push(stage.made("/api/v1/workspaces", &body).await);
                }
            }
        }
        if self == Self::DeleteDocument {
            let body = document(&stage);
            stage.document = stage.made("/api/v1/documents", &body).await;
        }
        stage
    }

    /// The function, and the event.
    fn request(self, stage: &Stage<'_>, is_own: bool, with_key: bool) -> (&'static str, Value) {
        let session = format!("/api/v1/agent-sessions/{}", stage.session);
        let (function, method, path, id, body) = match self {
            Self::CreateSession => {
                ("agent-sessions", "POST", "/api/v1/agent-sessions".to_owned(), "", Some(json!({ "title": "a" })))
            }
            Self::CreateDocument => ("documents", "POST", "/api/v1/documents".to_owned(), "", Some(document(stage))),
            Self::DeleteSession => ("agent-session", "DELETE", session, stage.session.as_str(), None),
            Self::DeleteDocument => {
                let path = format!("/api/v1/documents/{}", stage.document);
                ("document", "DELETE", path, stage.document.as_str(), None)
            }
            Self::AddMessage => {
                let body = json!({ "role": "assistant", "content": "On its way.", "parent_id": stage.message });
                let path = format!("{session}/messages");
                ("agent-session-messages", "POST", path, stage.session.as_str(), Some(body))
            }
            Self::MakeDefault => {
                let id = stage.workspaces[1].as_str();
                let body = json!({ "is_default": true, "name": "Invoices" });
                ("workspace", "PATCH", format!("/api/v1/workspaces/{id}"), id, Some(body))
            }
        };
        let mut headers = vec![("x-api-key", stage.key.text.as_str())];
        headers.extend(is_own.then_some(("x-end-user-id", stage.user.as_str())));
        // Another one at each point.
        let idempotency_key = stage.user.replace(' ', "_");
        headers.extend(with_key.then_some(("idempotency-key", idempotency_key.as_str())));
        let mut event = event(method, &path, "", &headers, body.as_ref());
        event["pathParameters"] = if id.is_empty() { json!({}) } else { json!({ "id": id }) };
        (function, event)
    }

    /// Runs all crash points of the operation. Processes that live on without AWS wait for most of their time:
    /// meanwhile others are killed.
    async fn run(self) {
        tokio::join!(self.points(false), self.points(true));
    }

    async fn points(self, killed: bool) {
        let deployment = Deployment::start().await;
        let tenant = deployment.provision("Acme").await;
        let key = deployment.api_key(&tenant, "account").await;
        let keys: &[bool] = if self.effect() > 0 { &[true, false] } else { &[false] };
        for (is_own, with_key) in [true, false].into_iter().flat_map(|own| keys.iter().map(move |key| (own, *key))) {
            let stage = self.stage(&deployment, &key, format!("undisturbed {is_own} {with_key}")).await;
            // The first use of a key on a day is noted.
            stage.get("/api/v1/documents").await;
            let (function, request) = self.request(&stage, is_own, with_key);
            let mark = deployment.stack.mark();
            let calls = deployment.stack.invoke(function, request, Invocation::default()).await.unwrap().aws_calls;
            let made: Vec<_> =
                deployment.stack.calls_since(mark).into_iter().filter(|call| call.caller.is_some()).collect();
            let writes: Vec<_> = made.iter().filter_map(written_at).collect();
            reconcile(&deployment).await;
            let [write] = writes[..] else { panic!("{self:?} writes more than once: {writes:?}") };
            assert!(made.len() == calls && calls >= 2, "{calls}");
            for index in 0..=calls {
                for mode in [CrashMode::NotSent, CrashMode::DoneButNoAnswer] {
                    let point = Point { index, mode, killed, is_own, with_key };
                    let took_effect = index > write || (index == write && mode == CrashMode::DoneButNoAnswer);
                    let crashed = self.crash(&deployment, &key, &point, took_effect).await;
                    assert_eq!(crashed, index < calls, "{self:?} {point:?}");
                }
            }
        }
    }

    /// Crashes, tries again, reconciles and checks. Whether it did crash: not after the last call.
    async fn crash(self, deployment: &Deployment, key: &ApiKey, point: &Point, took_effect: bool) -> bool {
        let label = format!("{self:?} {point:?}");
        let stage = self.stage(deployment, key, label.replace(',', "")).await;
        let before = rows(deployment).await;
        let (function, request) = self.request(&stage, point.is_own, point.with_key);
        let faults = deployment.stack.faults();
        let injected = if point.killed {
            faults.kill(function, point.index, point.mode)
        } else {
            faults.crash(function, point.index, point.mode)
        };
        let first = deployment.stack.invoke(function, request.clone(), Invocation::default()).await;
        faults.clear();
        let crashed = injected.fired() > 0;
        match &first {
            Ok(answer) if crashed => assert_eq!(answer.payload["statusCode"], 503, "{label}: {}", answer.payload),
            Ok(answer) => assert!(status(&answer.payload) < 300, "{label}: {}", answer.payload),
            Err(error) => assert!(crashed && point.killed, "{label}: {error}"),
        }
        // Whole or not at all; that rows, entries and counts agree is checked by counting the rows.
        let half_way = rows(deployment).await;
        let effects = i64::from(took_effect);
        assert_eq!(half_way - before, self.effect() * effects, "{label}");
        if self == Self::MakeDefault {
            self.check_default(&stage, usize::from(took_effect), &label).await;
        }

        let retry = deployment.stack.invoke(function, request.clone(), Invocation::default()).await.unwrap().payload;
        let expected = if self.is_deletion() && took_effect { 404 } else { self.success() };
        assert_eq!(status(&retry), expected, "{label}: {retry}");
        let once = self.is_deletion() || point.with_key;
        if point.with_key {
            // The row that the first attempt made is the one that is answered, now and whenever it comes again.
            let again = deployment.stack.invoke(function, request, Invocation::default()).await.unwrap().payload;
            assert_eq!(again["body"], retry["body"], "{label}");
        }
        // A row that was made without an answer and is made again is there twice, unless its request has a key.
        let effects = if once { 1 } else { effects + 1 };
        assert_eq!(rows(deployment).await - before, self.effect() * effects, "{label}");
        if self == Self::MakeDefault {
            self.check_default(&stage, 1, &label).await;
        }
        if self == Self::DeleteSession {
            reconcile(deployment).await;
            assert_eq!(rows(deployment).await - before, self.effect() - 1, "{label}: its message is gone too");
        }
        crashed
    }

    /// How many rows there are more after it.
    fn effect(self) -> i64 {
        match self {
            Self::CreateSession | Self::CreateDocument | Self::AddMessage => 1,
            Self::DeleteSession | Self::DeleteDocument => -1,
            Self::MakeDefault => 0,
        }
    }

    fn success(self) -> u64 {
        if self.effect() > 0 { 201 } else { 200 }
    }

    /// One of the two workspaces is the default, and only the other one's name was changed.
    async fn check_default(self, stage: &Stage<'_>, default: usize, label: &str) {
        let listed = stage.get("/api/v1/workspaces").await;
        let workspaces = listed["items"].as_array().unwrap().iter().filter(|row| !row["external_user_id"].is_null());
        let said: Vec<_> = workspaces.rev().map(|row| (row["is_default"] == true, row["name"].clone())).collect();
        let name = if default == 1 { "Invoices" } else { "Contracts" };
        assert_eq!(said, [(default == 0, json!("Contracts")), (default == 1, json!(name))], "{label}");
    }
}

/// A document in both workspaces, with content.
fn document(stage: &Stage<'_>) -> Value {
    json!({ "name": "Handbook", "workspace_ids": stage.workspaces, "markdown_content": "# Handbook" })
}

/// Which call of its invocation it is, if it writes.
fn written_at(call: &AwsCall) -> Option<usize> {
    let writes = ["TransactWriteItems", "UpdateItem", "PutItem", "DeleteItem", "BatchWriteItem"];
    call.index.filter(|_| writes.contains(&call.operation.as_str()))
}

/// How many rows there are, after checking that entries and counts agree with them.
async fn rows(deployment: &Deployment) -> i64 {
    i64::try_from(check_rows(&deployment.items().await)).unwrap()
}

async fn reconcile(deployment: &Deployment) {
    deployment.stack.invoke("reconcile", scheduled_event(), Invocation::default()).await.unwrap();
}

fn status(payload: &Value) -> u64 {
    payload["statusCode"].as_u64().unwrap()
}

#[tokio::test]
async fn create_session() {
    Operation::CreateSession.run().await;
}

#[tokio::test]
async fn create_document_in_two_workspaces() {
    Operation::CreateDocument.run().await;
}

#[tokio::test]
async fn delete_session() {
    Operation::DeleteSession.run().await;
}

#[tokio::test]
async fn delete_document_in_two_workspaces() {
    Operation::DeleteDocument.run().await;
}

#[tokio::test]
async fn add_message() {
    Operation::AddMessage.run().await;
}

#[tokio::test]
async fn make_a_workspace_the_default() {
    Operation::MakeDefault.run().await;
}
