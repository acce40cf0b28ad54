//! Receives Latchkey's callbacks with axum. How to run it: ../README.md.

use std::collections::HashSet;
use std::env;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde::Deserialize;
use standardwebhooks::Webhook;
use tokio::net::TcpListener;

const KNOWN: [&str; 4] = ["ping", "tenant.suspended", "tenant.reactivated", "tenant.secret_rotated"];

#[derive(Deserialize)]
struct Event {
    event_id: String,
    r#type: String,
}

struct Receiver {
    webhook: Webhook,
    /// Stands in for a table where the id is unique: insert id and event together, answer, and act on the event
    /// afterwards.
    seen: Mutex<HashSet<String>>,
}

impl Receiver {
    /// The event in a body, if Latchkey has signed it within five minutes of now, and `None` if not.
    fn verified(&self, body: &[u8], headers: &HeaderMap) -> Option<Event> {
        self.webhook.verify(body, headers).ok()?;
        // What is signed and has no event in it is somebody's call.
        let event: Event = serde_json::from_slice(body).ok()?;
        (event.event_id.as_bytes() == headers.get("webhook-id")?.as_bytes()).then_some(event)
    }
}

/// Takes the bytes, since they are signed: `Json` would leave none of them.
async fn receive(State(receiver): State<Arc<Receiver>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let Some(Event { event_id, r#type }) = receiver.verified(&body, &headers) else {
        return StatusCode::BAD_REQUEST;
    };
    let mut seen = receiver.seen.lock().unwrap_or_else(PoisonError::into_inner);
    if KNOWN.contains(&r#type.as_str()) && seen.insert(event_id.clone()) {
        println!("handled {type} {event_id}");
    }
    // Also for a type that is not known: any other status is a failure, and the event would come again for three days.
    StatusCode::NO_CONTENT
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let webhook = Webhook::new(&env::var("LATCHKEY_WEBHOOK_SECRET")?)?;
    let receiver = Arc::new(Receiver { webhook, seen: Mutex::default() });
    let app = Router::new().route("/relay-callbacks/{flow}", post(receive)).with_state(receiver);
    let port = env::var("PORT").ok().map_or(Ok(8080), |port| port.parse())?;
    axum::serve(TcpListener::bind(("127.0.0.1", port)).await?, app).await?;
    Ok(())
}
