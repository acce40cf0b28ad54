//! Where the API is.

use url::{Host, Url};

/// The API that asks for signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Api {
    pub(crate) host: String,
    pub(crate) port: u16,
    /// `host`, or `host:port` if that is not the one of `https`: the header `Host`.
    pub(crate) authority: String,
    pub(crate) is_tls: bool,
    pub(crate) region: String,
}

impl Api {
    /// Reads an address such as the stack's output `OperatorIamApiUrl`. The region is that of the address; a name of
    /// your own has none, so it has to be said.
    ///
    /// # Errors
    /// If the address is none of an API, or without a region. Credentials are sent nowhere without TLS, except on this
    /// machine.
    pub fn parse(address: &str, region: Option<&str>) -> Result<Self, String> {
        let url = Url::parse(address).map_err(|error| format!("the API's address is not a valid URL: {error}"))?;
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() {
            return Err("the API's address must be https:// and a host, with nothing after it".to_owned());
        }
        let host = url.host().ok_or("the API's address has no host")?;
        let is_loopback = matches!(host, Host::Ipv4(address) if address.is_loopback());
        let is_tls = match url.scheme() {
            "https" => true,
            "http" if is_loopback => false,
            _ => return Err("the API's address has to begin with https://".to_owned()),
        };
        let host = host.to_string();
        let region = region.or_else(|| region_of(&host)).ok_or("the address does not say the region: add --region")?;
        let authority = url.port().map_or(host.clone(), |port| format!("{host}:{port}"));
        let port = url.port_or_known_default().ok_or("the API's address has no port")?;
        Ok(Self { port, authority, is_tls, region: region.to_owned(), host })
    }

    /// The origin of its pages, which is also where proofs say that a request goes.
    pub fn origin(&self) -> String {
        format!("{}://{}", if self.is_tls { "https" } else { "http" }, self.authority)
    }
}

/// The region of `<id>.execute-api.<region>.amazonaws.com`.
fn region_of(host: &str) -> Option<&str> {
    let (_, rest) = host.split_once(".execute-api.")?;
    rest.split_once('.').map(|(region, _)| region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_is_an_address_with_tls_and_a_region() {
        let api = Api::parse("https://a1b2c3.execute-api.eu-west-3.amazonaws.com/", None).unwrap();
        assert_eq!((api.region.as_str(), api.port, api.is_tls), ("eu-west-3", 443, true));
        assert_eq!(api.origin(), "https://a1b2c3.execute-api.eu-west-3.amazonaws.com");
        let own = Api::parse("https://ops.example.com:8443", Some("us-east-1")).unwrap();
        assert_eq!((own.authority.as_str(), own.port), ("ops.example.com:8443", 8443));
        let local = Api::parse("http://127.0.0.1:9000", Some("us-east-1")).unwrap();
        assert_eq!((local.origin().as_str(), local.is_tls), ("http://127.0.0.1:9000", false));
        for (address, region) in [
            ("https://ops.example.com", None),
            ("http://ops.example.com", Some("us-east-1")),
            ("ftp://127.0.0.1", Some("us-east-1")),
            ("https://ops.example.com/console", Some("us-east-1")),
            ("https://ops.example.com/#cl_1", Some("us-east-1")),
            ("https://ada@ops.example.com", Some("us-east-1")),
            ("ops.example.com", Some("us-east-1")),
            ("", None),
        ] {
            assert!(Api::parse(address, region).is_err(), "{address}");
        }
    }
}
