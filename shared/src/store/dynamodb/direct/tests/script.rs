//! A connection on which everything happens as it is written.

use std::fmt;
use std::sync::{Arc, Mutex};

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::ErrorKind;

/// What happens to a request.
#[derive(Debug, Clone, Copy)]
pub enum Event {
    Answer(u16, &'static str),
    AnswerWith(u16, (&'static str, &'static str), &'static str),
    /// The connection ends before the answer.
    Lost,
    TimedOut,
    Broken,
    Passing,
    Unsendable,
    /// No answer ever comes.
    Silence,
}

/// A request that was sent.
#[derive(Debug, Clone)]
pub struct Sent {
    pub method: String,
    pub uri: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Sent {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }
}

/// Plays the same events to whoever sends requests. After the last, it goes on with it.
#[derive(Clone)]
pub struct Script {
    events: &'static [Event],
    sent: Arc<Mutex<Vec<Sent>>>,
}

impl Script {
    pub fn of(events: &'static [Event]) -> Self {
        Self { events, sent: Arc::default() }
    }

    /// What was sent, from its beginning.
    pub fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap().clone()
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Script")
    }
}

impl HttpConnector for Script {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let headers = request.headers().iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let (method, uri) = (request.method().to_owned(), request.uri().to_owned());
        let mut sent = self.sent.lock().unwrap();
        sent.push(Sent { method, uri, headers, body: request.body().bytes().unwrap().to_vec() });
        let event = *self.events.get(sent.len() - 1).or(self.events.last()).unwrap();
        let answer = |status: u16, header: Option<(&'static str, &'static str)>, body: &'static str| {
            let mut answer = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
            header.map(|(name, value)| answer.headers_mut().insert(name, value));
            Ok(answer)
        };
        HttpConnectorFuture::ready(match event {
            Event::Answer(status, body) => answer(status, None, body),
            Event::AnswerWith(status, header, body) => answer(status, Some(header), body),
            Event::Lost => Err(ConnectorError::io("lost".into())),
            Event::TimedOut => Err(ConnectorError::timeout("timed out".into())),
            Event::Broken => Err(ConnectorError::other("broken".into(), None)),
            Event::Passing => Err(ConnectorError::other("passing".into(), Some(ErrorKind::TransientError))),
            Event::Unsendable => Err(ConnectorError::user("unsendable".into())),
            Event::Silence => return HttpConnectorFuture::new(std::future::pending()),
        })
    }
}
