//! Passkeys of a tenant's people, for its backend.

use schemars::JsonSchema;
use serde::Deserialize;

use super::credential::Credential;
use super::passkey_outputs::{LoggedInPerson, PasskeysOfPerson, RegisteredPasskey, RenamedPasskey, RevokedPasskeyView};
use crate::api::common::Empty;
use crate::api::operation::{BodyRule, Input, Operation, Output, Route, Surface};
use crate::auth::SignedTenant;
use crate::domain::{
    AccountName, CreationOptions, CredentialId, ExternalId, Hint, LinkedUserId, PasskeyName, Person, PersonRef,
    Problem, RequestOptions, WebauthnOrigin,
};
use crate::error::{Error, Result};
use crate::store::{BrowserAnswer, RegistrationRequest};

/// Defines an operation of passkeys: all of them are signed, and take a body.
macro_rules! operation {
    (
        $(#[$doc:meta])* $name:ident: $route:literal $path:literal,
        $about:literal, $body:ty => $output:ty, $example:literal
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        pub struct $name;

        impl Operation for $name {
            const ROUTE: Route = Route::post($route, concat!("/api/v1/relay/webauthn/", $path), BodyRule::Required)
                .about($about)
                .example($example);
            const SURFACE: Surface = Surface::Relay;
            type Caller = SignedTenant;
            type Query = Empty;
            type Body = $body;
            type Output = $output;
        }
    };
}

operation! {
    /// Begins the registration of a passkey.
    WebauthnRegisterOptions: "webauthn-register-options" "register/options",
    "Begin the registration of a passkey: get the options for the browser",
    RegistrationBody => CreationOptions,
    r#"{
        "backend_user_id": "user_456",
        "browser_origin": "https://app.example.com",
        "username": "ada@example.com",
        "display_name": "Ada Lovelace"
    }"#
}

operation! {
    /// Ends the registration of a passkey.
    WebauthnRegisterVerify: "webauthn-register-verify" "register/verify",
    "End the registration of a passkey: check the browser's answer and keep the passkey",
    RegistrationAnswer => RegisteredPasskey,
    r#"{
        "browser_origin": "https://app.example.com",
        "name": "Ada's phone",
        "credential": {
            "id": "AQIDBAUGBwgJCgsMDQ4PEA",
            "rawId": "AQIDBAUGBwgJCgsMDQ4PEA",
            "type": "public-key",
            "clientExtensionResults": {},
            "response": {"clientDataJSON": "e30", "attestationObject": "oA", "transports": ["internal"]}
        }
    }"#
}

operation! {
    /// Begins a login with a passkey.
    WebauthnAuthenticateOptions: "webauthn-authenticate-options" "authenticate/options",
    "Begin a login with a passkey, of a person or of anybody: get the options for the browser",
    LoginBody => RequestOptions,
    r#"{"browser_origin": "https://app.example.com"}"#
}

operation! {
    /// Ends a login with a passkey.
    WebauthnAuthenticateVerify: "webauthn-authenticate-verify" "authenticate/verify",
    "End a login with a passkey: check the browser's answer and learn who it is",
    LoginAnswer => LoggedInPerson,
    r#"{
        "browser_origin": "https://app.example.com",
        "credential": {
            "id": "AQIDBAUGBwgJCgsMDQ4PEA",
            "rawId": "AQIDBAUGBwgJCgsMDQ4PEA",
            "type": "public-key",
            "clientExtensionResults": {},
            "response": {"clientDataJSON": "e30", "authenticatorData": "AA", "signature": "MA"}
        }
    }"#
}

operation! {
    /// Lists the passkeys of a person.
    WebauthnFetchPasskeys: "webauthn-fetch-passkeys" "fetch/passkeys",
    "List a person's passkeys, oldest first",
    PersonBody => PasskeysOfPerson,
    r#"{"backend_user_id": "user_456"}"#
}

operation! {
    /// Renames a passkey.
    WebauthnRenamePasskey: "webauthn-rename-passkey" "rename/passkey",
    "Give a passkey of a person another name",
    RenameBody => RenamedPasskey,
    r#"{"backend_user_id": "user_456", "credential_id": "AQIDBAUGBwgJCgsMDQ4PEA", "name": "Ada's old phone"}"#
}

operation! {
    /// Revokes a passkey.
    WebauthnRevokePasskey: "webauthn-revoke-passkey" "revoke/passkey",
    "Revoke a passkey of a person: no login is accepted with it from now on",
    RevokeBody => RevokedPasskeyView,
    r#"{"backend_user_id": "user_456", "credential_id": "AQIDBAUGBwgJCgsMDQ4PEA"}"#
}

impl Output for CreationOptions {
    fn message(&self) -> &'static str {
        "Pass data to PublicKeyCredential.parseCreationOptionsFromJSON()"
    }
}

impl Output for RequestOptions {
    fn message(&self) -> &'static str {
        "Pass data to PublicKeyCredential.parseRequestOptionsFromJSON()"
    }
}

/// The person that these fields name.
///
/// # Errors
/// If they name nobody.
pub fn person(linked_id: Option<&LinkedUserId>, backend_user_id: Option<&ExternalId>) -> Result<PersonRef> {
    let needed = || Error::invalid("backend_user_id", Problem::new("is required, or relay_user_linked_id"));
    PersonRef::of(linked_id.cloned(), backend_user_id.cloned()).ok_or_else(needed)
}

/// Gives a body the fields that name a person, and tells the log of them.
macro_rules! names_person {
    ($($name:ident),*) => {
        $(
            impl $name {
                /// The person that the body names, if it names one.
                pub fn named(&self) -> Option<PersonRef> {
                    PersonRef::of(self.relay_user_linked_id.clone(), self.backend_user_id.clone())
                }

                /// The person that the body names.
                ///
                /// # Errors
                /// If it names nobody.
                pub fn person_ref(&self) -> Result<PersonRef> {
                    person(self.relay_user_linked_id.as_ref(), self.backend_user_id.as_ref())
                }
            }

            impl Input for $name {
                fn person(&self) -> Option<Person<'_>> {
                    self.backend_user_id.as_ref().map(Person::EndUser)
                }
            }
        )*
    };
}

names_person!(RegistrationBody, RegistrationAnswer, LoginBody, LoginAnswer, PersonBody, RenameBody, RevokeBody);

/// Request body that begins the registration of a passkey.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct RegistrationBody {
    /// Latchkey's id of the person. It or `backend_user_id` is required.
    #[serde(default)]
    pub relay_user_linked_id: Option<LinkedUserId>,
    /// The tenant's own id of the person. One that was never named is noted.
    #[serde(default)]
    pub backend_user_id: Option<ExternalId>,
    /// Origin of the page that asks the browser.
    pub browser_origin: WebauthnOrigin,
    /// Name of the account, such as an e-mail address, as the person's device shows it, 1 to 120 characters.
    pub username: AccountName,
    /// Name of the person, as the person's device shows it, 1 to 120 characters. Absent or null: the same as
    /// `username`.
    #[serde(default)]
    pub display_name: Option<AccountName>,
    /// Kinds of authenticators that the browser should offer first.
    #[serde(default)]
    #[schemars(length(max = 3))]
    pub hints: Hints,
}

impl RegistrationBody {
    /// What is to be registered, by this person.
    pub fn request<'a>(&'a self, of: &'a PersonRef) -> RegistrationRequest<'a> {
        RegistrationRequest {
            of,
            origin: &self.browser_origin,
            username: self.username.clone(),
            display_name: self.display_name.clone().unwrap_or_else(|| self.username.clone()),
            hints: self.hints.clone(),
        }
    }
}

/// Hints as they are sent.
type Hints = Vec<Hint>;

/// Request body that ends the registration of a passkey.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct RegistrationAnswer {
    /// Latchkey's id of the person. Absent or null: whoever the registration began for.
    #[serde(default)]
    pub relay_user_linked_id: Option<LinkedUserId>,
    /// The tenant's own id of the person. Absent or null: whoever the registration began for.
    #[serde(default)]
    pub backend_user_id: Option<ExternalId>,
    /// Origin of the page that asked the browser.
    pub browser_origin: WebauthnOrigin,
    /// What the browser answered, as its `toJSON()` gives it.
    pub credential: Credential,
    /// Name of the passkey, 1 to 64 characters. Absent or null: that of whoever keeps it, if it is known.
    #[serde(default)]
    pub name: Option<PasskeyName>,
}

/// Request body that begins a login with a passkey.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct LoginBody {
    /// Latchkey's id of the person. Without it and `backend_user_id` anybody may log in.
    #[serde(default)]
    pub relay_user_linked_id: Option<LinkedUserId>,
    /// The tenant's own id of the person.
    #[serde(default)]
    pub backend_user_id: Option<ExternalId>,
    /// Origin of the page that asks the browser.
    pub browser_origin: WebauthnOrigin,
    /// Kinds of authenticators that the browser should offer first.
    #[serde(default)]
    #[schemars(length(max = 3))]
    pub hints: Hints,
}

/// Request body that ends a login with a passkey.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct LoginAnswer {
    /// Latchkey's id of the person who has to be the one. Absent or null: whoever the login began for.
    #[serde(default)]
    pub relay_user_linked_id: Option<LinkedUserId>,
    /// The tenant's own id of the person who has to be the one. Absent or null: whoever the login began for.
    #[serde(default)]
    pub backend_user_id: Option<ExternalId>,
    /// Origin of the page that asked the browser.
    pub browser_origin: WebauthnOrigin,
    /// What the browser answered, as its `toJSON()` gives it.
    pub credential: Credential,
}

/// Makes of a body what the browser answered.
macro_rules! answers {
    ($($name:ident),*) => {
        $(
            impl $name {
                /// What the browser answered, for this person if one is named.
                pub fn answer<'a>(&'a self, of: Option<&'a PersonRef>) -> BrowserAnswer<'a> {
                    BrowserAnswer { credential: self.credential.value(), origin: &self.browser_origin, of }
                }
            }
        )*
    };
}

answers!(RegistrationAnswer, LoginAnswer);

/// Request body that names a person.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct PersonBody {
    /// Latchkey's id of the person. It or `backend_user_id` is required.
    #[serde(default)]
    pub relay_user_linked_id: Option<LinkedUserId>,
    /// The tenant's own id of the person.
    #[serde(default)]
    pub backend_user_id: Option<ExternalId>,
}

/// Request body that renames a passkey.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct RenameBody {
    /// Latchkey's id of the person. It or `backend_user_id` is required.
    #[serde(default)]
    pub relay_user_linked_id: Option<LinkedUserId>,
    /// The tenant's own id of the person.
    #[serde(default)]
    pub backend_user_id: Option<ExternalId>,
    /// Id of the passkey.
    pub credential_id: CredentialId,
    /// New name of the passkey, 1 to 64 characters.
    pub name: PasskeyName,
}

/// Request body that revokes a passkey.
#[derive(Debug, Deserialize, JsonSchema)]
pub struct RevokeBody {
    /// Latchkey's id of the person. It or `backend_user_id` is required.
    #[serde(default)]
    pub relay_user_linked_id: Option<LinkedUserId>,
    /// The tenant's own id of the person.
    #[serde(default)]
    pub backend_user_id: Option<ExternalId>,
    /// Id of the passkey.
    pub credential_id: CredentialId,
}
