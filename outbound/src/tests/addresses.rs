//! Who is dialled, and who is not.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use rustls::RootCertStore;
use shared::domain::{CallbackUrl, ErrorClass, Flow, Outcome};
use tokio::net::{TcpStream, UdpSocket};

use super::support::{Answers, HASTY, Listener, NAME, PATIENT, PUBLIC, Receiver, Reroute, target};
use crate::{Client, Connect, Resolve, SystemResolver, Target};

/// What comes of an attempt if the resolver gives this answer.
async fn outcome(answer: &[IpAddr], reroute: &Arc<Reroute>) -> Outcome {
    let resolver = Arc::new(Answers::new(&[answer]));
    let client = Client::new(resolver, Arc::clone(reroute), RootCertStore::empty(), PATIENT).unwrap();
    client.post(&target(), [], "{}").await.outcome
}

/// Addresses at which this machine can listen, and which nobody may be made to dial.
async fn own_addresses() -> Vec<IpAddr> {
    let mut addresses: Vec<IpAddr> = vec![
        Ipv4Addr::LOCALHOST.into(),
        Ipv4Addr::new(127, 0, 0, 2).into(),
        Ipv4Addr::new(127, 255, 255, 254).into(),
        Ipv4Addr::UNSPECIFIED.into(),
        Ipv6Addr::LOCALHOST.into(),
        Ipv6Addr::UNSPECIFIED.into(),
        Ipv4Addr::LOCALHOST.to_ipv6_mapped().into(),
    ];
    // The address that the machine has in its network. No datagram is sent.
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).await.unwrap();
    if socket.connect((PUBLIC, 443)).await.is_ok() {
        addresses.push(socket.local_addr().unwrap().ip());
    }
    addresses
}

#[tokio::test]
async fn no_listener_on_an_internal_address_is_reached() {
    let mut listening = 0;
    for address in own_addresses().await {
        if shared::domain::check_public(address).is_ok() {
            continue;
        }
        let Some(listener) = Listener::silent(address).await else { continue };
        let reroute = Reroute::to(listener.address);
        for answer in [&[address][..], &[PUBLIC, address], &[address, PUBLIC]] {
            assert_eq!(outcome(answer, &reroute).await, Outcome::Error(ErrorClass::AddressRefused), "{address}");
        }
        assert!(reroute.dialled.lock().unwrap().is_empty(), "{address}");
        // So that nothing refuses for another reason: the listener is there.
        TcpStream::connect(listener.address).await.unwrap();
        while listener.accepted() == 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(listener.accepted(), 1, "{address}");
        listening += 1;
    }
    assert!(listening >= 3, "{listening}");
}

#[tokio::test]
async fn a_name_is_looked_up_once_an_attempt_and_dialled_as_it_was_checked() {
    let inside = Listener::silent(Ipv4Addr::LOCALHOST.into()).await.unwrap();
    let reroute = Reroute::to(inside.address);
    // Public when it is checked, internal at any look-up after that.
    let resolver = Arc::new(Answers::new(&[&[PUBLIC], &[Ipv4Addr::LOCALHOST.into()]]));
    let client = Client::new(Arc::clone(&resolver), Arc::clone(&reroute), RootCertStore::empty(), HASTY).unwrap();
    client.post(&target(), [], "{}").await;
    assert_eq!((resolver.asked(), &*reroute.dialled.lock().unwrap()), (1, &vec![SocketAddr::new(PUBLIC, 443)]));
    // And the next attempt looks it up again.
    let second = client.post(&target(), [], "{}").await;
    assert_eq!(second.outcome, Outcome::Error(ErrorClass::AddressRefused));
    assert_eq!((resolver.asked(), reroute.dialled.lock().unwrap().len()), (2, 1));
}

#[tokio::test]
async fn a_few_of_the_addresses_are_tried_those_of_ipv4_first() {
    struct Refusing(Arc<Reroute>);
    impl Connect for Refusing {
        async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
            self.0.dialled.lock().unwrap().push(address);
            Err(io::ErrorKind::ConnectionRefused.into())
        }
    }
    let reroute = Reroute::to(SocketAddr::new(PUBLIC, 443));
    let v6 = |last| IpAddr::V6(Ipv6Addr::new(0x2606, 0x4700, 0, 0, 0, 0, 0, last));
    let v4 = |last| IpAddr::V4(Ipv4Addr::new(93, 184, 215, last));
    let resolver = Arc::new(Answers::new(&[&[v6(1), v4(1), v6(2), v4(2), v6(3), v4(3)]]));
    let client = Client::new(resolver, Refusing(Arc::clone(&reroute)), RootCertStore::empty(), PATIENT).unwrap();
    assert_eq!(client.post(&target(), [], "{}").await.outcome, Outcome::Error(ErrorClass::Connect));
    let dialled = [v4(1), v4(2), v4(3), v6(1)].map(|address| SocketAddr::new(address, 443));
    assert_eq!(*reroute.dialled.lock().unwrap(), dialled);
}

#[tokio::test]
async fn without_an_answer_there_is_no_connection() {
    struct Hanging;
    impl Resolve for Hanging {
        async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
            std::future::pending().await
        }
    }
    let reroute = Reroute::to(SocketAddr::new(PUBLIC, 443));
    for resolver in [Answers::new(&[]), Answers::new(&[&[]])] {
        let client = Client::new(Arc::new(resolver), Arc::clone(&reroute), RootCertStore::empty(), PATIENT).unwrap();
        assert_eq!(client.post(&target(), [], "{}").await.outcome, Outcome::Error(ErrorClass::Dns));
    }
    let client = Client::new(Hanging, Arc::clone(&reroute), RootCertStore::empty(), HASTY).unwrap();
    assert_eq!(client.post(&target(), [], "{}").await.outcome, Outcome::Error(ErrorClass::Timeout));
    assert!(reroute.dialled.lock().unwrap().is_empty());
}

#[tokio::test]
async fn nobody_waits_for_a_connection_longer_than_the_limit() {
    struct Hanging;
    impl Connect for Hanging {
        async fn connect(&self, _: SocketAddr) -> io::Result<TcpStream> {
            std::future::pending().await
        }
    }
    let resolver = Arc::new(Answers::new(&[&[PUBLIC]]));
    let client = Client::new(resolver, Hanging, RootCertStore::empty(), HASTY).unwrap();
    assert_eq!(client.post(&target(), [], "{}").await.outcome, Outcome::Error(ErrorClass::Connect));
}

#[tokio::test]
async fn a_refused_connection_is_no_more_than_that() {
    let free = Listener::silent(Ipv4Addr::LOCALHOST.into()).await.unwrap().address;
    let unused = SocketAddr::new(free.ip(), 1);
    assert_eq!(outcome(&[PUBLIC], &Reroute::to(unused)).await, Outcome::Error(ErrorClass::Connect));
}

#[tokio::test]
async fn each_attempt_has_a_connection_and_a_tls_session_of_its_own() {
    let receiver = Receiver::new(PATIENT, |mut stream, _| async move {
        use tokio::io::AsyncWriteExt;
        let is_resumed = stream.get_ref().1.handshake_kind() != Some(rustls::HandshakeKind::Full);
        let status = if is_resumed { 500 } else { 200 };
        let _ = stream.write_all(format!("HTTP/1.1 {status} X\r\ncontent-length: 0\r\n\r\n").as_bytes()).await;
        // It would keep the connection; whether the client does is its own decision.
        std::future::pending::<()>().await;
    })
    .await;
    for attempts in 1..=3 {
        assert_eq!(receiver.outcome().await, "200");
        assert_eq!((receiver.listener.accepted(), receiver.resolver.asked()), (attempts, attempts));
    }
}

#[test]
fn a_stored_base_is_checked_as_a_new_one_is() {
    let target = |base: &str| Target::new(&CallbackUrl::from_stored(base), Flow::Test);
    assert_eq!(target("https://a.com").unwrap().path(), "/relay-callbacks/test");
    assert_eq!(target(&format!("https://{NAME}/a%20b/c")).unwrap().path(), "/a%20b/c/relay-callbacks/test");
    for base in "https://127.0.0.1 https://2130706433 https://0x7f000001 https://017700000001
        https://127.1 https://[::1]
        https://[::ffff:127.0.0.1] https://8.8.8.8 https://a.com:8443 https://a.com:80 https://localhost https://a.local
        https://a.internal https://intranet https://a.com. https://u@a.com https://u:p@a.com
        https://a.com?x https://a.com#x
        http://a.com ftp://a.com https://127.0.0.1.nip.io a.com https:// http://169.254.169.254 http://127.0.0.1:9001?x"
        .split_whitespace()
    {
        assert_eq!(target(base), Err(ErrorClass::AddressRefused), "{base}");
    }
}

/// The parser of URLs and that of HTTP agree about every character, or an accepted base could never be called.
#[test]
fn every_accepted_base_can_be_called() {
    let mut accepted = 0;
    for character in (0..=0x7f_u8).map(char::from) {
        let Ok(base) = CallbackUrl::parse(&format!("https://{NAME}/a{character}b/%e9")) else { continue };
        let target = Target::new(&base, Flow::Passkey).unwrap();
        let request = hyper::Request::post(target.path()).body(()).unwrap();
        assert_eq!(request.uri().path_and_query().unwrap().as_str(), target.path(), "{character:?}");
        accepted += 1;
    }
    assert!(accepted > 80, "{accepted}");
}

#[tokio::test]
async fn the_systems_resolver_fails_as_any_other() {
    // RFC 6761 §6.4: no resolver has an answer for it.
    assert!(SystemResolver.resolve("receiver.invalid").await.is_err());
}
