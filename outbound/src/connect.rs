//! From a name to a connection: the look-up, the check of every address, and the connection to a checked one.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};

use shared::domain::{ErrorClass, check_public};
use tokio::net::{TcpStream, lookup_host};

/// The most addresses of one answer that are dialled. All are checked; but whoever owns a name could have one attempt
/// knock at thousands of doors.
const MOST_DIALLED: usize = 4;

/// What looks names up.
pub trait Resolve: Send + Sync {
    /// All addresses of a name. It is asked once for each attempt, and never for an address.
    ///
    /// # Errors
    /// If there is no answer. What the reason is goes nowhere.
    fn resolve(&self, name: &str) -> impl Future<Output = io::Result<Vec<IpAddr>>> + Send;
}

/// What opens connections.
pub trait Connect: Send + Sync {
    /// A connection to this address, which was checked, and to no other.
    ///
    /// # Errors
    /// If nobody accepts it.
    fn connect(&self, address: SocketAddr) -> impl Future<Output = io::Result<TcpStream>> + Send;
}

/// The machine's resolver.
#[derive(Debug, Clone, Copy)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        // With the dot, it is the whole name: search domains of the machine's own network are not appended.
        Ok(lookup_host((format!("{name}."), 443)).await?.map(|address| address.ip()).collect())
    }
}

/// Connections of TCP.
#[derive(Debug, Clone, Copy)]
pub struct Tcp;

impl Connect for Tcp {
    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        TcpStream::connect(address).await
    }
}

/// The addresses of a name that may be dialled on port 443, in the order in which to try them.
///
/// One address that is not public refuses all: no public host has one, and whoever mixes them hopes for the order.
pub async fn addresses(resolver: &impl Resolve, name: &str) -> Result<Vec<SocketAddr>, ErrorClass> {
    let mut found = resolver.resolve(name).await.map_err(|_| ErrorClass::Dns)?;
    if found.is_empty() {
        return Err(ErrorClass::Dns);
    }
    if found.iter().any(|address| check_public(*address).is_err()) {
        return Err(ErrorClass::AddressRefused);
    }
    // A function outside of a VPC reaches no address of IPv6.
    found.sort_by_key(IpAddr::is_ipv6);
    found.truncate(MOST_DIALLED);
    Ok(found.into_iter().map(|address| SocketAddr::new(address, 443)).collect())
}

/// A connection to the first of the addresses that accepts one.
pub async fn connect(connector: &impl Connect, addresses: &[SocketAddr]) -> Result<TcpStream, ErrorClass> {
    for address in addresses {
        if let Ok(stream) = connector.connect(*address).await {
            return Ok(stream);
        }
    }
    Err(ErrorClass::Connect)
}
