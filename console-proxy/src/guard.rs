//! Who may ask: the operator's browser for pages of this address, and programs on this machine.

use hyper::{HeaderMap, Method, Request, StatusCode};

use crate::Failure;

/// # Errors
/// If another site's page asks, by its own address or by a name of its own that leads here.
pub fn check<B>(request: &Request<B>, port: u16) -> Result<(), Failure> {
    // At the port of http a browser leaves it out.
    let at = if port == 80 { String::new() } else { format!(":{port}") };
    let hosts = [format!("127.0.0.1{at}"), format!("localhost{at}")];
    let host = hosts.iter().find(|host| header(request.headers(), "host") == Some(host.as_str()));
    let Some(host) = host else { return Err(refused("the request was for another host")) };
    let is_foreign = |origin: &str| origin.strip_prefix("http://") != Some(host.as_str());
    if header(request.headers(), "origin").is_some_and(is_foreign) {
        return Err(refused("a page of another origin has sent it"));
    }
    // A link may lead to a page here: then the browser shows it, and whoever linked sees nothing of it.
    let is_followed =
        request.method() == Method::GET && header(request.headers(), "sec-fetch-mode") == Some("navigate");
    match header(request.headers(), "sec-fetch-site") {
        None | Some("none" | "same-origin") => Ok(()),
        Some(_) if is_followed => Ok(()),
        Some(_) => Err(refused("a page of another site has sent it")),
    }
}

/// A header that is there once; one that is there twice, or is no text, is like none that fits.
fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    Some(if values.next().is_some() { "" } else { value.to_str().unwrap_or_default() })
}

fn refused(cause: &'static str) -> Failure {
    Failure::new(StatusCode::FORBIDDEN, "origin_not_allowed", "only the console's own pages may call this", &cause)
}
