//! What is outside of the processes: the states of the tenant that were committed, the table's stream, and receivers.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};
use shared::domain::{Attempted, ErrorClass, Outcome, RetryAfter};
use shared::store::{Delivery, Receiver};
use stack::Offline;

use crate::simulation::{Fate, Planted, Process, SimulatedClock, Stop, Watcher, is_callback};
use crate::support::Dice;

/// A state of the tenant that was committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    pub revision: u64,
    pub status: String,
    pub secret: String,
    pub base: Option<String>,
    pub types: Vec<String>,
}

impl Version {
    /// What it is to be told of it, if it came after the other.
    pub fn tells(&self, before: &Self) -> Option<&'static str> {
        let told = if self.status != before.status {
            if self.status == "suspended" { "tenant.suspended" } else { "tenant.reactivated" }
        } else if self.secret != before.secret {
            "tenant.secret_rotated"
        } else {
            return None;
        };
        let is_wanted = self.types.iter().any(|wanted| wanted == "tenant.*" || wanted == told);
        (self.base.is_some() && is_wanted).then_some(told)
    }
}

/// What a receiver was sent.
#[derive(Debug, Clone)]
pub struct Post {
    pub base: String,
    pub text: String,
    /// Its answer, whether anybody heard it or not.
    pub status: Option<u16>,
    /// How many states of the tenant there were when the run began, and now.
    pub versions: (usize, usize),
}

impl Post {
    pub fn body(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    pub fn is_answered_well(&self) -> bool {
        matches!(self.status, Some(200..=299))
    }
}

/// How receivers answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mood {
    Good,
    Dead,
    /// They often want no more.
    Gone,
    /// As it comes.
    Any,
}

/// All of it. Clones share it.
#[derive(Clone)]
pub struct World(Arc<Mutex<Seen>>);

pub struct Seen {
    tenant: String,
    pub versions: Vec<Version>,
    /// New callbacks that nobody has been told of yet.
    pub stream: VecDeque<(String, String)>,
    streamed: Vec<(String, String)>,
    pub posts: Vec<Post>,
    pub mood: Mood,
    /// Whether the last reactivation of callbacks was not answered.
    pub is_half_resumed: bool,
    dice: Dice,
    clock: SimulatedClock,
    planted: Option<Planted>,
}

impl World {
    /// With a tenant as it is now.
    pub fn of(
        tenant: &str,
        offline: &Offline,
        clock: &SimulatedClock,
        planted: Option<Planted>,
        (mood, dice): (Mood, Dice),
    ) -> Self {
        Self(Arc::new(Mutex::new(Seen {
            tenant: tenant.to_owned(),
            versions: vec![version(offline, tenant)],
            stream: VecDeque::new(),
            streamed: Vec::new(),
            posts: Vec::new(),
            mood,
            is_half_resumed: false,
            dice,
            clock: clock.clone(),
            planted,
        })))
    }

    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap()
    }

    /// Sees each write that is carried out.
    pub fn watcher(&self) -> Watcher {
        let world = self.clone();
        Arc::new(move |offline, operation, body| world.seen().see(offline, operation, body))
    }

    /// The receivers, as a run of this process reaches them that begins now.
    pub fn receivers(&self, process: &Process, offline: &Arc<Offline>) -> Receivers {
        let (world, from) = (self.clone(), self.seen().versions.len());
        Receivers { world, process: process.clone(), offline: Arc::clone(offline), from }
    }
}

impl Seen {
    fn see(&mut self, offline: &Offline, operation: &str, body: &[u8]) {
        let request: Value = match operation {
            "PutItem" | "TransactWriteItems" => serde_json::from_slice(body).unwrap(),
            _ => return,
        };
        let parts = request["TransactItems"].as_array().into_iter().flatten().map(|part| &part["Put"]);
        for put in parts.chain([&request]).filter(|put| is_callback(&put["Item"])) {
            let name = |name: &str| put["Item"][name]["S"].as_str().unwrap().to_owned();
            let place = (name("pk"), name("sk"));
            if self.planted != Some(Planted::SweepOnly) && !self.streamed.contains(&place) {
                self.stream.push_back(place.clone());
                self.streamed.push(place);
            }
        }
        let now = version(offline, &self.tenant);
        let last = self.versions.last().unwrap();
        if now.revision != last.revision {
            assert_eq!(now.revision, last.revision + 1, "a change that nobody saw");
            self.versions.push(now);
        }
    }

    /// What a receiver answers, and the status of it.
    fn answer(&mut self) -> (Attempted, Option<u16>) {
        let status = |status| (Attempted { outcome: Outcome::Status(status), retry_after: None }, Some(status));
        let later = |code, seconds| {
            let retry_after = Some(RetryAfter::Seconds(seconds));
            (Attempted { outcome: Outcome::Status(code), retry_after }, Some(code))
        };
        match (self.mood, self.dice.below(14)) {
            (Mood::Good, _) => status(204),
            (Mood::Gone, 0..=4) | (Mood::Any, 4) => status(410),
            (Mood::Gone, 8..) => status(200),
            (Mood::Dead | Mood::Gone, _) | (Mood::Any, 0 | 1) => status(500),
            (Mood::Any, 2) => status(302),
            (Mood::Any, 3) => status(404),
            (Mood::Any, 5) => later(429, self.dice.next() % 100),
            (Mood::Any, 6) => later(503, self.dice.next() % 100_000),
            (Mood::Any, 7) => {
                // It hangs.
                self.clock.advance(10_000);
                (ErrorClass::Timeout.into(), None)
            }
            (Mood::Any, 8) => status(201),
            (Mood::Any, _) => status(200),
        }
    }
}

/// An item of the tenant's as it is stored.
pub fn item(offline: &Offline, partition: &str, sort: &str) -> Value {
    let key = json!({ "pk": { "S": partition }, "sk": { "S": sort } });
    let request = json!({ "TableName": offline.table(), "Key": key });
    let (_, answer) = offline.answer("DynamoDB_20120810.GetItem", request.to_string().as_bytes(), 0);
    serde_json::from_str::<Value>(&answer).unwrap()["Item"].take()
}

/// The callbacks of a tenant as they are stored, oldest first.
pub fn rows(offline: &Offline, tenant: &str) -> Vec<Value> {
    let request = json!({
        "TableName": offline.table(),
        "KeyConditionExpression": "pk = :partition",
        "ExpressionAttributeValues": { ":partition": { "S": format!("TENANT#{tenant}#CALLBACKS") } },
    });
    let (_, answer) = offline.answer("DynamoDB_20120810.Query", request.to_string().as_bytes(), 0);
    serde_json::from_str::<Value>(&answer).unwrap()["Items"].as_array().unwrap().clone()
}

fn version(offline: &Offline, tenant: &str) -> Version {
    let partition = format!("TENANT#{tenant}");
    let (state, configuration) = (item(offline, &partition, "STATE"), item(offline, &partition, "CONFIG"));
    let text = |value: &Value| value["S"].as_str().unwrap().to_owned();
    let types = configuration["callback_types"]["L"].as_array().into_iter().flatten();
    Version {
        revision: state["revision"]["N"].as_str().unwrap().parse().unwrap(),
        status: text(&state["tenant_status"]),
        secret: text(&state["secret_version"]),
        base: configuration["callback_url_base"]["S"].as_str().map(str::to_owned),
        types: types.map(text).collect(),
    }
}

/// Receivers, as one run reaches them.
pub struct Receivers {
    world: World,
    process: Process,
    offline: Arc<Offline>,
    from: usize,
}

impl Receivers {
    /// What is planted: the callback is delivered, says the table.
    async fn strike_off(&self, body: &Value) {
        let text = |name: &str| body[name].as_str().unwrap();
        let request = json!({
            "TableName": self.offline.table(),
            "Key": {
                "pk": { "S": format!("TENANT#{}#CALLBACKS", text("tenant_id")) },
                "sk": { "S": text("event_id") },
            },
            "UpdateExpression": "SET callback_state = :delivered REMOVE due_at, due_shard",
            "ExpressionAttributeValues": { ":delivered": { "S": "delivered" } },
        });
        let (status, answer) = self.offline.answer("DynamoDB_20120810.UpdateItem", request.to_string().as_bytes(), 0);
        assert_eq!(status, 200, "{answer}");
        self.process.stop(Stop::Answer).await;
    }
}

impl Receiver for Receivers {
    async fn post(&self, delivery: &Delivery<'_>) -> Attempted {
        let planted = self.world.seen().planted;
        if planted == Some(Planted::StruckOffBeforeDelivery) {
            self.strike_off(&serde_json::from_str(delivery.body).unwrap()).await;
        }
        if self.process.stop(Stop::Call { is_write: false }).await == Fate::Lost {
            return ErrorClass::Connect.into();
        }
        let attempted = {
            let mut seen = self.world.seen();
            let (attempted, status) = seen.answer();
            let versions = (self.from, seen.versions.len());
            let (base, text) = (delivery.base.to_string(), delivery.body.to_owned());
            seen.posts.push(Post { base, text, status, versions });
            attempted
        };
        match self.process.stop(Stop::Answer).await {
            Fate::Lost => ErrorClass::Protocol.into(),
            _ => attempted,
        }
    }
}
