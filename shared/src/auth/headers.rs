//! Credentials in headers, and where they are not looked for.

use super::Request;
use crate::domain::{CredentialFault, CredentialForm};

/// The credential of an `Authorization` header, if it has that scheme. Its name is taken in any case (RFC 9110 §11.1).
pub(super) fn scheme<'a>(value: &'a str, expected: &str) -> Option<&'a str> {
    let (scheme, credential) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case(expected).then_some(credential.trim_start_matches(' '))
}

/// What is wrong with a call that has not the credential that is `wanted`: it may have another, or have it in another
/// place. That is seen from the request alone, so it tells nobody what exists.
pub(super) fn missing(request: &Request, wanted: &'static str) -> CredentialFault {
    // HTTP Basic may be meant for a proxy.
    let authorization = request.header("authorization").filter(|value| scheme(value, "basic").is_none());
    let authorization = authorization.map(|value| value.split_once(' ').map_or(value, |(_, text)| text.trim_start()));
    let mut sent = [authorization, request.header("x-api-key"), request.header("x-admin-key")].into_iter().flatten();
    let form = sent.find_map(CredentialForm::of);
    form.map_or(CredentialFault::Missing(wanted), |form| CredentialFault::WrongHeader(form.advice()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::testing::request;

    #[test]
    fn what_has_the_form_of_a_credential_is_told_where_it_goes() {
        let operators = "a".repeat(48);
        let token = format!("Bearer {}", "eyJh.e30.x");
        for (name, value, form) in [
            ("authorization", "Bearer ak_x", CredentialForm::ApiKey),
            ("authorization", "up_admin_x", CredentialForm::ApiKey),
            ("authorization", "Bearer  sk_x", CredentialForm::TenantSecret),
            ("authorization", "DPoP ds_x", CredentialForm::DeviceSession),
            ("authorization", &token, CredentialForm::Token),
            ("x-api-key", "cs_x", CredentialForm::ConsoleSession),
            ("x-admin-key", "ak_x", CredentialForm::ApiKey),
            ("x-admin-key", &operators, CredentialForm::OperatorKey),
        ] {
            let fault = missing(&request(&[(name, value)]), "it");
            assert_eq!(fault, CredentialFault::WrongHeader(form.advice()), "{name}: {value}");
        }
    }

    #[test]
    fn what_has_no_such_form_and_what_a_proxy_takes_is_not() {
        let basic = format!("Basic {}", "a".repeat(48));
        for headers in [&[][..], &[("authorization", "Bearer x")], &[("authorization", &basic)], &[("x-api-key", "")]] {
            assert_eq!(missing(&request(headers), "it"), CredentialFault::Missing("it"), "{headers:?}");
        }
    }
}
