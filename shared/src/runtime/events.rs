//! The loop on Lambda's Runtime API (Lambda Developer Guide, "Using the Lambda runtime API for custom runtimes"): fetch
//! an event, answer it, for as long as the platform lets the process live.
//!
//! With the types and the client of the runtime's crates, and not with their loop: before each event it puts the
//! event's trace id into the environment of the process. The C library never gives back such a text, so each request
//! would leave some 150 bytes behind, and nothing here reads them.

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use http_body_util::BodyExt;
use lambda_http::http::{HeaderMap, Request, StatusCode};
use lambda_runtime::{Config, Context, Diagnostic, Error, LambdaEvent};
use lambda_runtime_api_client::body::Body;
use lambda_runtime_api_client::{PooledClient, build_request};
use serde::Serialize;

const INVOCATION: &str = "/2018-06-01/runtime/invocation";
const REQUEST_ID: &str = "lambda-runtime-aws-request-id";
/// Given back with the answer, so that one that comes too late is not taken for that of a later event. Older platforms
/// don't send it.
const INVOCATION_ID: &str = "lambda-runtime-invocation-id";
/// Bytes of most answers.
const ANSWER: usize = 2048;

/// The client of this process's Runtime API. One event at a time, so one connection.
pub fn client() -> PooledClient {
    PooledClient::builder().with_pool_size(1).build()
}

/// What an invocation brings, as it came. Whoever answers it reads it, and says what is to be said of one that can't be
/// read.
pub type Payload = Vec<u8>;

/// Answers events with `handler`. An error of it and a panic are reported as the function's errors.
///
/// # Errors
/// If the Runtime API gives no event: then the process has to end.
pub async fn answer_all<R, H, F>(client: PooledClient, handler: H) -> Result<(), Error>
where
    R: Serialize,
    H: Fn(LambdaEvent<Payload>) -> F,
    F: Future<Output = Result<R, Error>>,
{
    // What the environment says of the function; nothing here asks for it.
    let config = Arc::new(Config::default());
    loop {
        let next = build_request().uri(format!("{INVOCATION}/next")).body(Body::empty())?;
        let (status, headers, payload) = exchange(&client, next).await?;
        if !status.is_success() {
            return Err(format!("the Runtime API gave no event: {status}").into());
        }
        let id = headers.get(REQUEST_ID).ok_or("the Runtime API gave an event without an id")?.to_str()?;
        let context = Context::new(id, Arc::clone(&config), &headers)?;
        let answered = async {
            let mut answer = Vec::with_capacity(ANSWER);
            serde_json::to_writer(&mut answer, &handler(LambdaEvent { payload, context }).await?)?;
            Ok::<_, Error>(answer)
        };
        let answered = AssertUnwindSafe(answered).catch_unwind().await;
        let (kind, body) = match answered.unwrap_or_else(|_| Err("the handler panicked".into())) {
            Ok(answer) => ("response", answer),
            Err(error) => ("error", serde_json::to_vec(&Diagnostic::from(error))?),
        };
        let mut answer = build_request().method("POST").uri(format!("{INVOCATION}/{id}/{kind}"));
        if let Some(invocation) = headers.get(INVOCATION_ID) {
            answer = answer.header(INVOCATION_ID, invocation);
        }
        // An answer that is refused, because it is too late or too large, has been reported by the platform.
        exchange(&client, answer.body(Body::from(body))?).await?;
    }
}

/// One request to the Runtime API. Its answer is read to the end: otherwise the connection would not be used again.
async fn exchange(client: &PooledClient, request: Request<Body>) -> Result<(StatusCode, HeaderMap, Payload), Error> {
    let (answer, body) = client.call(request).await?.into_parts();
    Ok((answer.status, answer.headers, body.collect().await?.to_bytes().into()))
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "the test looks at the environment that the loop must not touch")]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::{TcpListener, TcpStream};
    use std::thread::JoinHandle;

    use serde_json::{Value, json};

    use super::*;

    /// A request: its first line, its headers and its body.
    type Request = (String, String, Value);

    fn request(from: &mut impl BufRead) -> Option<Request> {
        let mut lines = from.lines().map_while(Result::ok);
        let first = lines.next()?;
        let headers: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
        let length = headers.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or(0)];
        from.read_exact(&mut body).unwrap();
        Some((first, headers.join("\n"), serde_json::from_slice(&body).unwrap_or_default()))
    }

    fn answer(to: &mut TcpStream, status: &str, headers: &str, body: &str) {
        let length = body.len();
        write!(to, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n{body}").unwrap();
    }

    /// A Runtime API that gives these events, and tells what was said to each.
    fn runtime_api(events: Vec<&'static str>) -> (PooledClient, JoinHandle<Vec<Request>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let client = PooledClient::builder().with_endpoint(format!("http://{address}").parse().unwrap()).build();
        let said = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut said = Vec::new();
            for (number, event) in events.into_iter().enumerate() {
                let (next, ..) = request(&mut reader).unwrap();
                assert_eq!(next, "GET /2018-06-01/runtime/invocation/next HTTP/1.1");
                let headers = format!(
                    "lambda-runtime-aws-request-id: id-{number}\r\nlambda-runtime-deadline-ms: 1\r\n\
                     lambda-runtime-invoked-function-arn: arn\r\nlambda-runtime-trace-id: Root=1-{number}\r\n\
                     lambda-runtime-invocation-id: turn-{number}\r\n"
                );
                answer(&mut stream, "200 OK", &headers, event);
                said.push(request(&mut reader).unwrap());
                // Whether an answer was too late is for the platform to say.
                let status = if number == 0 { "410 Gone" } else { "202 Accepted" };
                answer(&mut stream, status, "", "{}");
            }
            request(&mut reader).unwrap();
            answer(&mut stream, "500 Internal Server Error", "", "");
            said
        });
        (client, said)
    }

    #[tokio::test]
    async fn each_event_is_answered_on_one_connection_and_leaves_no_trace_in_the_environment() {
        let (client, said) = runtime_api(vec!["1", "2", "\"no number\"", "3", "4"]);
        let handler = |event: LambdaEvent<Payload>| async move {
            assert!(std::env::var("_X_AMZN_TRACE_ID").is_err());
            match serde_json::from_slice::<u64>(&event.payload)? {
                3 => Err("three".into()),
                4 => panic!("four"),
                number => Ok(json!({ "twice": 2 * number, "of": event.context.request_id })),
            }
        };
        let ended = answer_all(client, handler).await.unwrap_err();
        assert_eq!(ended.to_string(), "the Runtime API gave no event: 500 Internal Server Error");
        let said = said.join().unwrap();
        let outcomes = ["response", "response", "error", "error", "error"];
        for (number, ((first, headers, _), outcome)) in said.iter().zip(outcomes).enumerate() {
            assert_eq!(*first, format!("POST /2018-06-01/runtime/invocation/id-{number}/{outcome} HTTP/1.1"));
            assert!(headers.contains(&format!("lambda-runtime-invocation-id: turn-{number}")), "{headers}");
        }
        assert_eq!(said[0].2, json!({ "twice": 2, "of": "id-0" }));
        assert_eq!(said[1].2, json!({ "twice": 4, "of": "id-1" }));
        assert_eq!(said[3].2["errorMessage"], "three");
        assert_eq!(said[4].2["errorMessage"], "the handler panicked");
        assert_eq!(said.len(), 5);
    }
}
