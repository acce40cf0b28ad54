//! For whom there is a document, and what each of them is told before the first operation.

use crate::api::operation::Surface;

/// Who reads a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// Whoever wants all of it in one document.
    Everyone,
    /// Who runs the deployment and manages its tenants.
    Operator,
    /// Who writes a tenant's backend, pages and verifiers.
    Developer,
}

impl Audience {
    /// All of them, that of the whole document first.
    pub const ALL: [Self; 3] = [Self::Everyone, Self::Operator, Self::Developer];

    /// The document's file, from the root of the repository.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Everyone => "shared/openapi.json",
            Self::Operator => "shared/openapi.operator.json",
            Self::Developer => "shared/openapi.developer.json",
        }
    }

    /// Whether the audience calls a surface. Each surface has one audience beside everyone.
    pub fn calls(self, surface: Surface) -> bool {
        match self {
            Self::Everyone => true,
            Self::Operator => surface == Surface::Registry,
            Self::Developer => surface != Surface::Registry,
        }
    }

    /// The surfaces that the audience calls.
    pub fn surfaces(self) -> impl Iterator<Item = Surface> {
        Surface::ALL.into_iter().filter(move |surface| self.calls(*surface))
    }

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Everyone => "Latchkey",
            Self::Operator => "Latchkey for operators",
            Self::Developer => "Latchkey for tenants' developers",
        }
    }

    /// The document's introduction, in Markdown.
    pub(super) fn introduction(self) -> String {
        let parts: &[&str] = match self {
            Self::Everyone => &[
                EVERYONE,
                CREDENTIALS,
                OPERATORS_CREDENTIAL,
                TENANTS_CREDENTIALS,
                REFUSED_CREDENTIALS,
                IDEMPOTENCY,
                RESERVED_KEYS,
                CALLERS_KEYS,
                ANSWERS,
                ENVELOPE,
                TENANTS_ANSWERS,
                REQUEST_IDS,
                RETRIES,
                RETRIED_CHANGES,
                RETRIED_CALLS,
            ],
            Self::Operator => &[
                OPERATOR,
                CREDENTIALS,
                OPERATORS_CREDENTIAL,
                REFUSED_CREDENTIALS,
                SECRETS,
                IDEMPOTENCY,
                RESERVED_KEYS,
                ANSWERS,
                ENVELOPE,
                REQUEST_IDS,
                RETRIES,
                RETRIED_CHANGES,
            ],
            Self::Developer => &[
                DEVELOPER,
                CREDENTIALS,
                TENANTS_CREDENTIALS,
                REFUSED_CREDENTIALS,
                END_USERS,
                IDEMPOTENCY,
                CALLERS_KEYS,
                ANSWERS,
                ENVELOPE,
                TENANTS_ANSWERS,
                REQUEST_IDS,
                RETRIES,
                RETRIED_CHANGES,
                RETRIED_CALLS,
            ],
        };
        parts.concat()
    }
}

/// What a surface is for: the description of its tag.
pub(super) const fn description(surface: Surface) -> &'static str {
    match surface {
        Surface::Registry => {
            "The operator provisions, configures, suspends and lists tenants, issues, rotates and revokes their \
             credentials, and reads who changed what."
        }
        Surface::Projects => {
            "A tenant's backend registers organizations and users, and fetches a short-lived token for a user at each \
             login."
        }
        Surface::Account => {
            "A tenant's backend, or a page with a scoped token, works with the agent sessions, tool executions, \
             workspaces and documents of end users."
        }
        Surface::Relay => {
            "A tenant's backend signs each call with its tenant secret. Accepted calls are counted against the \
             tenant's limit a minute."
        }
        Surface::Tokens => {
            "Verifiers of tokens fetch a tenant's public keys and metadata. Backends ask whether a token is valid \
             now, and revoke single tokens."
        }
        Surface::Device => {
            "People's phones are paired with a tenant, and list and end their pairings. Each call carries a proof of \
             the phone's key (DPoP, RFC 9449)."
        }
        Surface::Console => {
            "The operator and a tenant's people open the console by a link of one use. A tenant's session opens the \
             operations here, the operator's the registry. Each call carries a proof of the browser's key (DPoP, RFC \
             9449)."
        }
        Surface::Pages => {
            "People's browsers open pages and load what belongs to them. No program calls these operations; a page \
             is the same for everybody."
        }
    }
}

/// What callbacks are: the description of their tag.
pub(super) const CALLBACKS: &str = "Latchkey calls a tenant's backend, and tells of what has changed.";

const EVERYONE: &str = "\
Latchkey issues, checks and revokes the credentials of a product's customers. Its paths belong to eight surfaces, \
which are the tags of this document. The operator manages tenants on the surface registry; the developers of a \
tenant call projects, account, relay and tokens, and people's browsers open pages, which call device and console. A \
tenant is one customer account of the operator: projects call it a project, and the account surface calls it an \
account. `openapi.operator.json` and `openapi.developer.json` have the same operations, each those of one of \
these two readers.
";

const OPERATOR: &str = "\
The registry, with which an operator manages the tenants of a deployment: their configuration, their secrets and API \
keys, the revocation of their tokens, and the audit trail. A tenant is one customer account of the operator. Its \
developers, who may also call it a project or an account, have a document of their own, `openapi.developer.json`. A \
call about one tenant names it in the query string, a POST too.
";

const DEVELOPER: &str = "\
The surfaces of Latchkey that a tenant's developers call. A tenant is one customer account of whoever operates \
Latchkey: projects call it a project, and the account surface calls it an account. The operator provisions it and \
hands over its API keys and its tenant secret, with the operations in `openapi.operator.json`. Use the surface \
projects to register users and to fetch their tokens, account to keep the data of end users, relay for signed calls, \
and tokens to verify, introspect and revoke tokens.
";

const CREDENTIALS: &str = "\n## Credentials\n\n";

const OPERATORS_CREDENTIAL: &str = "\
- Registry: the operator's key in `X-Admin-Key`. No credential of a tenant opens it, and the key is never for a \
browser or a device.
";

const TENANTS_CREDENTIALS: &str = "\
- Projects: an API key as `Authorization: Bearer`, in `X-API-KEY`, or as `apiKey` in the body of a POST. A key of \
the kind `embed` mints tokens; one of the kind `admin` also registers and lists.
- Account: a backend sends an account key (`ak_…`) in `X-API-KEY`. A page or an app sends a scoped token from \
`/api/v1/auth/token` as `Authorization: Bearer`. API keys never belong in a page or an app.
- Relay: a signature with the tenant secret (`sk_…`) in `X-Latchkey-Signature`, beside the tenant's id, a timestamp \
in milliseconds and, in version 2, a nonce. The secret itself is never sent.
- Tokens: introspection and revocation take any API key of the tenant. The key set and the metadata are public.
- Device and console: a session token as `Authorization: DPoP`, with a proof in `DPoP` (RFC 9449).
";

const REFUSED_CREDENTIALS: &str = "\
- Without a valid credential a call is 401. What the sender can see for itself has a `reason`; whether a credential is \
unknown, wrong, expired or revoked is not told. A credential in a query string is 400 `credential_in_query`: consider \
it leaked.
";

const SECRETS: &str = "\
- `tenant_secret`, `webhook_secret` and `api_key` are in the answer that made them and in no later one, but for a \
replay within 10 minutes: store them at once.
";

const END_USERS: &str = "
## End users

A call of the account surface is for one end user or for the whole account. With a scoped token, the token says \
which. With an account key, it is the end user in the header `external_user_id` or `X-End-User-ID`, or in the field \
`external_user_id` of the body. **If a call with an account key names none, it sees and changes everything that the \
tenant has there.**
";

const IDEMPOTENCY: &str = "
## Idempotency

Send an `Idempotency-Key` of 1 to 255 visible ASCII characters with every POST that lists it. The same key with the \
same path, query string and body has one effect, and gives the same answer for 24 hours. With another request it is \
422 `idempotency_key_reused`. Refused requests are not stored: correct them and use the same key again.
";

const RESERVED_KEYS: &str = "
On the registry, a key whose first request may still be running is 409 `idempotency_in_progress`.
";

const CALLERS_KEYS: &str = "
A key belongs to its caller: on projects and account to an API key, or to the tokens of an end user, and to the end \
user that the call names. `user-token`, `auth/token` and `register-tenant` ignore the header, because their answer is \
a secret that is not kept: each request gives another token, and a repeat does no harm. Introspection and revocation \
of a token ignore it, too.
";

const ANSWERS: &str = "\n## Answers and refusals\n\n";

const ENVELOPE: &str = "\
- Registry, relay, device and console: `{success, status_code, message, data}`; a refusal has `data: null` and \
`error: {code, field?, reason?}`. An invalid field is 422.
";

const TENANTS_ANSWERS: &str = "\
- Projects: `{status, data}`; a refusal is `{status, message, error: {code, field?, reason?}}`. An invalid field is \
400.
- Account: the bare document; a refusal is `{detail, code, reason?}`. An invalid field is 422 with `{detail: [{loc, \
msg, type}]}`.
- Tokens: the document of its RFC; a refusal is that of RFC 6749, `{error, error_description, reason?}`. An invalid \
field is 400.
- Pages: HTML and what belongs to it; a refusal is a line of text that ends with the code in parentheses.
";

const REQUEST_IDS: &str = "\
- Decide by the code, which is never renamed. `message`, `detail` and `error_description` are for people and may \
change.
- Each answer of a function has an `x-request-id`, under which the operator finds its log line. An unknown path and \
a throttled request are answered by the gateway, with `{message}` and neither a code nor a request id.
";

const RETRIES: &str = "
## Retries

Repeat a request that was refused with 503, 429, or a 409 that has `Retry-After`, after the seconds in it. Every \
other refusal stays the same until the request or what it is about has changed; a 500 is a fault of the service, to \
be reported with its request id.
";

const RETRIED_CHANGES: &str = "\
If the answer to a POST was lost, or it was 503, the change may have been made: send it again with the same \
`Idempotency-Key`.
";

const RETRIED_CALLS: &str = "\
Sign each attempt of a relay call anew: a nonce that is used twice is refused, and counts as misuse.
";
