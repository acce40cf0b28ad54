//! Where a callback goes.

use shared::domain::{CallbackUrl, ErrorClass, Flow};
use url::{Host, Url};

/// The URL of one flow below a tenant's base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    pub(crate) place: Place,
    path: String,
}

/// Where the connection goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// A name, over TLS, on port 443.
    Name(String),
    /// A port of this machine, in the clear.
    #[cfg(feature = "loopback-callbacks")]
    Loopback(u16),
}

impl Target {
    /// The target of a flow.
    ///
    /// # Errors
    /// [`ErrorClass::AddressRefused`] if the base would not be accepted today. A stored base is read without a check,
    /// so that a stricter rule makes no tenant unreadable; here is where it has to hold.
    pub fn new(base: &CallbackUrl, flow: Flow) -> Result<Self, ErrorClass> {
        let base = CallbackUrl::parse(base.as_str()).map_err(|_| ErrorClass::AddressRefused)?;
        let url = Url::parse(&format!("{base}/relay-callbacks/{flow}")).map_err(|_| ErrorClass::AddressRefused)?;
        let place = match (url.scheme(), url.host(), url.port()) {
            ("https", Some(Host::Domain(name)), None) => Place::Name(name.to_owned()),
            #[cfg(feature = "loopback-callbacks")]
            ("http", Some(Host::Ipv4(std::net::Ipv4Addr::LOCALHOST)), port) => Place::Loopback(port.unwrap_or(80)),
            _ => return Err(ErrorClass::AddressRefused),
        };
        Ok(Self { place, path: url.path().to_owned() })
    }

    /// The path as it is sent, which a v2 signature covers.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The value of `Host` (RFC 9110 §7.2): without a port where it is that of the scheme.
    pub(crate) fn host(&self) -> String {
        match &self.place {
            Place::Name(name) => name.clone(),
            #[cfg(feature = "loopback-callbacks")]
            Place::Loopback(port) => format!("127.0.0.1:{port}"),
        }
    }
}
