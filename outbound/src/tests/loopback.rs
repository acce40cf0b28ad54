//! Callbacks to the developer's own machine.

use std::net::Ipv4Addr;

use rustls::RootCertStore;
use shared::domain::{CallbackUrl, Flow, Outcome};
use tokio::io::AsyncWriteExt;

use super::support::{Listener, PATIENT, read_request};
use crate::{Client, SystemResolver, Target, Tcp};

#[tokio::test]
async fn a_receiver_on_this_machine_is_called_in_the_clear() {
    let listener = Listener::at(Ipv4Addr::LOCALHOST.into(), |mut stream| async move {
        let request = read_request(&mut stream).await;
        let is_right = request.starts_with("POST /hooks/relay-callbacks/test HTTP/1.1\r\nhost: 127.0.0.1:");
        let status = if is_right { 200 } else { 400 };
        let _ = stream.write_all(format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n").as_bytes()).await;
    });
    let listener = listener.await.unwrap();
    let base = CallbackUrl::parse(&format!("http://{}/hooks", listener.address)).unwrap();
    let target = Target::new(&base, Flow::Test).unwrap();
    let client = Client::new(SystemResolver, Tcp, RootCertStore::empty(), PATIENT).unwrap();
    assert_eq!(client.post(&target, [], "{}").await.outcome, Outcome::Status(200));
}
