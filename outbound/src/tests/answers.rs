//! What becomes of an answer, however strange.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use shared::domain::{Attempted, Outcome, RetryAfter};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::support::{
    Answers, Authority, HASTY, Listener, NAME, PATIENT, PUBLIC, Receiver, Reroute, Stream, read_request, target,
};
use crate::{Client, Limits};

/// What comes of an attempt if this is the answer.
async fn outcome_of(answer: impl Into<Vec<u8>>) -> String {
    Receiver::answering(answer).await.outcome().await
}

#[tokio::test]
async fn what_is_sent_is_what_was_signed() {
    let seen: Arc<Mutex<String>> = Arc::default();
    let note = Arc::clone(&seen);
    let receiver = Receiver::new(PATIENT, move |mut stream: Stream, request| {
        *note.lock().unwrap() = request;
        async move {
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await;
        }
    })
    .await;
    let body = r#"{"event_id":"evt_1","data":{"name":"Zoë"}}"#;
    let headers = [("content-type", "application/json"), ("webhook-id", "evt_1")];
    let attempted = receiver.client.post(&target(), headers, body).await;
    assert_eq!(attempted, Attempted { outcome: Outcome::Status(204), retry_after: None });
    let seen = seen.lock().unwrap();
    let (head, sent) = seen.split_once("\r\n\r\n").unwrap();
    assert_eq!(sent, body);
    let mut lines: Vec<_> = head.split("\r\n").collect();
    assert_eq!(lines.remove(0), "POST /hooks/relay-callbacks/qr-login HTTP/1.1");
    lines.sort_unstable();
    let length = format!("content-length: {}", body.len());
    let mut expected = vec![
        "connection: close",
        &length,
        "content-type: application/json",
        "host: receiver.example.com",
        "user-agent: Latchkey",
        "webhook-id: evt_1",
    ];
    expected.sort_unstable();
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn a_status_is_handed_on_and_a_redirect_is_not_followed() {
    for status in [200, 201, 204, 299, 304, 400, 404, 410, 429, 500, 503, 599] {
        let answer = format!("HTTP/1.1 {status} X\r\nconnection: close\r\n\r\n");
        assert_eq!(outcome_of(answer).await, status.to_string());
    }
    let elsewhere = Listener::silent(Ipv4Addr::LOCALHOST.into()).await.unwrap();
    for status in [300, 301, 302, 303, 307, 308] {
        for scheme in ["http", "https"] {
            let location = format!("{scheme}://{}/", elsewhere.address);
            let answer = format!("HTTP/1.1 {status} X\r\nlocation: {location}\r\ncontent-length: 0\r\n\r\n");
            let receiver = Receiver::answering(answer).await;
            assert_eq!(receiver.outcome().await, status.to_string());
            assert_eq!((receiver.listener.accepted(), elsewhere.accepted()), (1, 0));
        }
    }
}

#[tokio::test]
async fn of_the_answer_only_the_status_and_retry_after_are_left() {
    let answer = |value: &str| {
        format!(
            "HTTP/1.1 503 secret-reason\r\nserver: secret\r\nretry-after: {value}\r\ncontent-length: 6\r\n\r\nsecret"
        )
    };
    for (value, expected) in [("120", Some(RetryAfter::Seconds(120))), ("soon", None), ("\u{e9}", None), ("", None)] {
        let receiver = Receiver::answering(answer(value)).await;
        let attempted = receiver.client.post(&target(), [], "{}").await;
        assert_eq!(attempted, Attempted { outcome: Outcome::Status(503), retry_after: expected }, "{value}");
        assert!(!format!("{attempted:?}{:?}", receiver.client).contains("secret"));
    }
}

#[tokio::test]
async fn old_and_interim_answers_are_understood() {
    for (answer, expected) in [
        ("HTTP/1.0 200 OK\r\n\r\nthe end is the end of the connection", "200"),
        ("HTTP/1.0 500 X\r\ncontent-length: 1\r\n\r\nx", "500"),
        ("HTTP/1.1 200\r\ncontent-length: 0\r\n\r\n", "200"),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "200"),
        ("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\nHTTP/1.1 500 X\r\ncontent-length: 0\r\n\r\n", "500"),
        ("HTTP/1.1 100 Continue\r\n\r\n", "protocol"),
        ("HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n", "101"),
    ] {
        assert_eq!(outcome_of(answer).await, expected, "{answer}");
    }
}

#[tokio::test]
async fn what_is_no_answer_is_an_error_of_the_protocol() {
    for answer in [
        "",
        "H",
        "HTTP/1.1 200 OK",
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n",
        "<html>hello</html>",
        "HTTP/2 200 OK\r\n\r\n",
        "HTTP/3.0 200 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 abc OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nxx",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\na b: c\r\n\r\n",
        "SSH-2.0-OpenSSH_9.6\r\n",
    ] {
        assert_eq!(outcome_of(answer).await, "protocol", "{answer}");
    }
}

#[tokio::test]
async fn a_huge_head_is_not_read_to_its_end() {
    let many = "a: b\r\n".repeat(1000);
    let one = |length| format!("a: {}\r\n", "b".repeat(length));
    assert_eq!(outcome_of(format!("HTTP/1.1 200 OK\r\n{}\r\n", one(12 << 10))).await, "200");
    for headers in ["a".repeat(1 << 20), one(17 << 10), one(1 << 20), many] {
        let answer = format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\n");
        assert_eq!(outcome_of(answer).await, "protocol");
    }
    let endless = Receiver::new(PATIENT, |mut stream, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nx: ").await;
        while stream.write_all(&[b'a'; 1024]).await.is_ok() {}
    });
    assert_eq!(endless.await.outcome().await, "protocol");
}

#[tokio::test]
async fn the_status_counts_whatever_becomes_of_the_body() {
    for rest in [
        "content-length: 1000\r\n\r\nonly this",
        "transfer-encoding: chunked\r\n\r\n5\r\nab",
        "transfer-encoding: chunked\r\n\r\nno chunk",
        "content-encoding: gzip\r\ncontent-length: 2\r\n\r\nxx",
    ] {
        assert_eq!(outcome_of(format!("HTTP/1.1 200 OK\r\n{rest}")).await, "200", "{rest}");
    }
}

#[tokio::test]
async fn an_endless_body_is_cut_off() {
    for head in ["HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 9999999999\r\n\r\n"] {
        let written: Arc<Mutex<usize>> = Arc::default();
        let (sender, mut cut_off) = tokio::sync::mpsc::channel(1);
        let count = Arc::clone(&written);
        let receiver = Receiver::new(PATIENT, move |mut stream, _| {
            let (count, sender) = (Arc::clone(&count), sender.clone());
            async move {
                let _ = stream.write_all(head.as_bytes()).await;
                while stream.write_all(&[b'a'; 1024]).await.is_ok() {
                    *count.lock().unwrap() += 1024;
                }
                let _ = sender.send(()).await;
            }
        })
        .await;
        assert_eq!(receiver.outcome().await, "200");
        // The sender notices, and no more fits into the buffers of the two sockets.
        cut_off.recv().await.unwrap();
        assert!(*written.lock().unwrap() < 32 << 20);
    }
}

#[tokio::test]
async fn a_slow_receiver_costs_no_more_than_the_limit() {
    async fn trickle(mut stream: Stream, text: &'static str) {
        for byte in text.bytes().cycle() {
            if stream.write_all(&[byte]).await.is_err() {
                return;
            }
            let _ = stream.flush().await;
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
    let silent = Receiver::new(HASTY, |stream, _| async move {
        std::future::pending::<()>().await;
        drop(stream);
    });
    assert_eq!(silent.await.outcome().await, "timeout");
    let slow_head = Receiver::new(HASTY, |mut stream, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n").await;
        trickle(stream, "a: b\r\n").await;
    });
    assert_eq!(slow_head.await.outcome().await, "timeout");
    let interim = Receiver::new(HASTY, |stream, _| trickle(stream, "HTTP/1.1 100 Continue\r\n\r\n"));
    assert_eq!(interim.await.outcome().await, "timeout");
    let patient = Limits { total: Duration::from_secs(5), ..PATIENT };
    let slow_body = Receiver::new(patient, |mut stream, _| async move {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await;
        trickle(stream, "a").await;
    });
    assert_eq!(slow_body.await.outcome().await, "200");
    // Not even the handshake.
    let listener = Listener::silent(Ipv4Addr::LOCALHOST.into()).await.unwrap();
    let authority = Authority::new();
    assert_eq!(outcome_at(&authority, &listener, HASTY).await, "timeout");
}

/// What comes of an attempt with this authority for the only one.
async fn outcome_at(authority: &Authority, listener: &Listener, limits: Limits) -> String {
    let resolver = Arc::new(Answers::new(&[&[PUBLIC]]));
    let client = Client::new(resolver, Reroute::to(listener.address), authority.roots(), limits).unwrap();
    client.post(&target(), [], "{}").await.outcome.to_string()
}

#[tokio::test]
async fn a_receiver_has_to_prove_its_name() {
    let (known, unknown) = (Authority::new(), Authority::new());
    for (authority, name, until, expected) in [
        (&known, NAME, 2100, "200"),
        (&known, "*.example.com", 2100, "200"),
        (&known, "other.example.com", 2100, "tls"),
        (&known, "example.com", 2100, "tls"),
        (&known, "127.0.0.1", 2100, "tls"),
        (&known, NAME, 2021, "tls"),
        (&unknown, NAME, 2100, "tls"),
    ] {
        let acceptor = authority.acceptor(name, until);
        let served: Arc<Mutex<usize>> = Arc::default();
        let count = Arc::clone(&served);
        let listener = Listener::at(Ipv4Addr::LOCALHOST.into(), move |stream| {
            let (acceptor, count) = (acceptor.clone(), Arc::clone(&count));
            async move {
                let Ok(mut stream) = acceptor.accept(stream).await else { return };
                if !read_request(&mut stream).await.is_empty() {
                    *count.lock().unwrap() += 1;
                }
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
            }
        });
        let listener = listener.await.unwrap();
        assert_eq!(outcome_at(&known, &listener, PATIENT).await, expected, "{name} {until}");
        assert_eq!(*served.lock().unwrap(), usize::from(expected == "200"), "no byte of the request leaves before");
    }
}

#[tokio::test]
async fn a_server_without_tls_gets_no_request() {
    let seen: Arc<Mutex<Vec<u8>>> = Arc::default();
    let note = Arc::clone(&seen);
    let listener = Listener::at(Ipv4Addr::LOCALHOST.into(), move |mut stream| {
        let note = Arc::clone(&note);
        async move {
            let mut bytes = vec![0; 4096];
            let read = stream.read(&mut bytes).await.unwrap_or_default();
            note.lock().unwrap().extend_from_slice(&bytes[..read]);
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").await;
        }
    });
    let listener = listener.await.unwrap();
    assert_eq!(outcome_at(&Authority::new(), &listener, PATIENT).await, "tls");
    let seen = seen.lock().unwrap();
    assert!(seen.starts_with(&[0x16, 0x03]) && !seen.windows(4).any(|four| four == b"POST"));
}

#[test]
fn the_client_for_public_hosts_can_be_made() {
    let client = Client::public().unwrap();
    assert!(format!("{client:?}").contains("connect: 3s, total: 10s"));
}
