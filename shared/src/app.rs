//! What every function is built on: clients, clock, randomness. Made once a process.

use std::fmt;
use std::sync::Arc;

use aws_config::SdkConfig;
use aws_smithy_runtime_api::client::http::{SharedHttpConnector, http_client_fn};

use crate::config::{Config, PublicUrl};
use crate::domain::{
    ADDRESS, AccountWideUse, ApiKey, ChangeContext, Clock, FrameKey, Limits, NonceKey, OperatorKeys, PairingId,
    PreparedPairing, Quota, Random, RatePerMinute, Refusal, RowQuotas, Setup, SetupDefaults, SigningKey,
    SigningPointer, SigningVersion, SystemClock, SystemRandomness, TenantId, Timestamp, TraceKey, Viewpoint,
};
use crate::error::{Error, Result};
use crate::store::{
    self, Callbacks, Console, Counted, Devices, Direct, Directory, Jitter, OrganizationHints, Passkeys, PollPace,
    Prefetched, QrLogins, Read, RefusalMemory, Relay, RelayMemory, Resources, Sealed, Secrets, Table, Tenants,
    TimeLimit, VersionCache, Wire,
};

/// A handle on everything that a handler uses. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Parts>);

struct Parts {
    table: Table,
    secrets: Secrets,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    trace_key: TraceKey,
    nonce_key: Option<NonceKey>,
    frame_key: Option<FrameKey>,
    poll_pace: PollPace,
    public_url: Option<PublicUrl>,
    require_end_user: bool,
    strikes_to_suspend: u32,
    default_signing_version: SigningVersion,
    passkeys_enabled: bool,
    row_quotas: RowQuotas,
    relay_memory: RelayMemory,
    refusal_memory: RefusalMemory,
    organization_hints: OrganizationHints,
    request_limit: TimeLimit,
}

impl fmt::Debug for App {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("App")
    }
}

impl App {
    /// The app of a deployed function.
    ///
    /// # Errors
    /// If AWS could not be called, with the reason.
    pub fn new(config: Config) -> Result<Self, String> {
        let (sdk, connector) = (store::sdk(&config), store::connector(&config)?);
        Ok(Self::with(config, &sdk, connector, Box::new(SystemClock), Box::new(SystemRandomness::new())))
    }

    /// Opens the connections to AWS that the first request needs, those to Secrets Manager if it `reads_secrets`. If
    /// that fails, the first request does it.
    pub async fn connect(&self, reads_secrets: bool) {
        store::connect(&self.0.table, reads_secrets.then_some(&self.0.secrets)).await;
    }

    /// An app with its own credentials, clock and randomness, whose calls all go by `connector`.
    pub fn with(
        config: Config,
        sdk: &SdkConfig,
        connector: SharedHttpConnector,
        clock: Box<dyn Clock>,
        random: Box<dyn Random>,
    ) -> Self {
        let (clock, random): (Arc<dyn Clock>, Arc<dyn Random>) = (Arc::from(clock), Arc::from(random));
        let (endpoint, way) = (config.dynamodb_endpoint.clone(), connector.clone());
        let wire = Wire::new(sdk, endpoint, way, Arc::clone(&clock), Arc::clone(&random));
        let sdk = &sdk.to_builder().http_client(http_client_fn(move |_, _| connector.clone())).build();
        let stage = config.stage().to_owned();
        let mut dynamodb = aws_sdk_dynamodb::config::Builder::from(sdk);
        dynamodb.set_endpoint_url(config.dynamodb_endpoint);
        let mut secrets_manager = aws_sdk_secretsmanager::config::Builder::from(sdk);
        secrets_manager.set_endpoint_url(config.secrets_manager_endpoint);
        let table = Table {
            direct: Direct::new(wire),
            client: aws_sdk_dynamodb::Client::from_conf(dynamodb.build()),
            name: config.table,
            jitter: Jitter::new(Arc::clone(&random)),
        };
        let secrets = Secrets {
            client: aws_sdk_secretsmanager::Client::from_conf(secrets_manager.build()),
            admin_secret: config.admin_secret,
            stage,
            prefix: config.secret_prefix,
            signing_keys: VersionCache::default(),
            tenant_secrets: VersionCache::default(),
        };
        Self(Arc::new(Parts {
            table,
            secrets,
            clock,
            random,
            nonce_key: NonceKey::of(&config.trace_key),
            frame_key: FrameKey::of(&config.trace_key),
            poll_pace: PollPace::default(),
            trace_key: config.trace_key,
            public_url: config.public_url,
            require_end_user: config.require_end_user,
            strikes_to_suspend: config.strikes_to_suspend,
            default_signing_version: config.default_signing_version,
            passkeys_enabled: config.passkeys_enabled,
            row_quotas: config.row_quotas,
            relay_memory: RelayMemory::default(),
            refusal_memory: RefusalMemory::default(),
            organization_hints: OrganizationHints::default(),
            request_limit: TimeLimit::default(),
        }))
    }

    /// What limits how long a request is worked on.
    pub fn request_limit(&self) -> &TimeLimit {
        &self.0.request_limit
    }

    pub fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }

    pub fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    pub fn random(&self) -> &dyn Random {
        &*self.0.random
    }

    /// Seals the audit events that are not sealed yet.
    ///
    /// # Errors
    /// If the table fails.
    pub async fn seal_audit_events(&self) -> Result<Sealed> {
        self.0.table.seal_audit_events(self.clock()).await
    }

    /// The key to the digests of people.
    pub fn trace_key(&self) -> &TraceKey {
        &self.0.trace_key
    }

    /// The key to the nonces of devices' proofs.
    ///
    /// # Errors
    /// If it could not be derived.
    pub fn nonce_key(&self) -> Result<&NonceKey> {
        self.0.nonce_key.as_ref().ok_or_else(|| Error::internal("no key to nonces could be derived"))
    }

    /// The key to the frames of QR logins.
    ///
    /// # Errors
    /// If it could not be derived.
    pub(crate) fn frame_key(&self) -> Result<&FrameKey> {
        self.0.frame_key.as_ref().ok_or_else(|| Error::internal("no key to frames could be derived"))
    }

    /// The QR logins of a tenant. Only `auth` gives them out.
    ///
    /// # Errors
    /// As [`App::frame_key`].
    pub(crate) fn qr_logins<'a>(&'a self, tenant: &'a TenantId) -> Result<QrLogins<'a>> {
        let (table, tenants, frames, pace) = (&self.0.table, self.tenants(), self.frame_key()?, &self.0.poll_pace);
        Ok(QrLogins { table, tenants, tenant, frames, pace })
    }

    /// The callbacks of all tenants.
    pub fn callbacks(&self) -> Callbacks<'_> {
        let (table, secrets, tenants) = (&self.0.table, &self.0.secrets, self.tenants());
        Callbacks { table, secrets, tenants, random: self.random(), clock: self.clock() }
    }

    pub fn tenants(&self) -> Tenants<'_> {
        Tenants {
            table: &self.0.table,
            secrets: &self.0.secrets,
            random: self.random(),
            default_signing_version: self.0.default_signing_version,
            trace_key: self.trace_key(),
        }
    }

    /// The sessions of the console. Only `auth` opens one and lets one in.
    pub(crate) fn console(&self) -> Console<'_> {
        Console { table: &self.0.table, tenants: self.tenants() }
    }

    /// What a tenant has registered. Only `auth` gives out what was read with a credential of the tenant.
    pub(crate) fn directory<'a>(&'a self, prefetched: &'a Prefetched, change: &'a ChangeContext) -> Directory<'a> {
        let hints = &self.0.organization_hints;
        Directory {
            table: &self.0.table,
            random: self.random(),
            hints,
            prefetched,
            change,
            trace_key: self.trace_key(),
        }
    }

    /// The service's address, if the deployment says it.
    pub fn public_url(&self) -> Option<&str> {
        self.public_address().map(PublicUrl::as_str)
    }

    /// The same, with its host.
    pub(crate) fn public_address(&self) -> Option<&PublicUrl> {
        self.0.public_url.as_ref()
    }

    /// Whether calls of the account surface have to name an end user, unless their tenant's configuration says
    /// otherwise.
    pub fn require_end_user(&self) -> bool {
        self.0.require_end_user
    }

    /// The signed calls of a tenant. Only `auth` lets one in.
    pub(crate) fn relay<'a>(&'a self, tenant: &'a TenantId) -> Relay<'a> {
        Relay {
            table: &self.0.table,
            secrets: &self.0.secrets,
            memory: &self.0.relay_memory,
            tenant,
            strikes_to_suspend: self.0.strikes_to_suspend,
        }
    }

    /// The passkeys of a tenant's people. Only `auth` gives them out.
    pub(crate) fn passkeys<'a>(&'a self, tenant: &'a TenantId, change: &'a ChangeContext) -> Passkeys<'a> {
        let (table, tenants, is_default) = (&self.0.table, self.tenants(), self.0.passkeys_enabled);
        Passkeys { table, tenants, tenant, change, is_default }
    }

    /// The devices of a tenant's people. Only `auth` gives them out.
    pub(crate) fn devices<'a>(&'a self, tenant: &'a TenantId) -> Devices<'a> {
        Devices { table: &self.0.table, tenants: self.tenants(), tenant }
    }

    /// The pairing of a handle or of a proof. Only `auth` gives out the one that goes with a credential.
    ///
    /// # Errors
    /// If the table fails.
    pub(crate) async fn prepared_pairing(&self, id: &PairingId) -> Result<Option<PreparedPairing>> {
        self.0.table.prepared_pairing(id).await
    }

    /// The resources that can be seen and written from a viewpoint, as many as the tenant's limits allow. Only `auth`
    /// gives out the one that goes with a credential.
    pub(crate) fn resources<'a>(
        &'a self,
        viewpoint: &'a Viewpoint,
        limits: &Limits,
        prefetched: &'a Prefetched,
        change: &'a ChangeContext,
    ) -> Resources<'a> {
        let quotas = self.0.row_quotas.of_tenant(limits);
        let (table, random, trace_key) = (&self.0.table, self.random(), self.trace_key());
        Resources { table, random, viewpoint, quotas, prefetched, change, trace_key }
    }

    /// Reads a tenant's state and what else is to be read of it, in one call: of resources those that can be seen from
    /// `viewpoint`.
    ///
    /// # Errors
    /// If the table fails.
    pub(crate) async fn prefetch(
        &self,
        tenant_id: &TenantId,
        viewpoint: &Viewpoint,
        reads: Vec<Read>,
    ) -> Result<Prefetched> {
        let reads = self.0.organization_hints.expand(tenant_id, reads);
        self.0.table.prefetch(tenant_id, viewpoint, reads).await
    }

    /// Accepts a call against a limit, and counts it.
    ///
    /// # Errors
    /// If the minute is full, or the table fails.
    pub(crate) async fn count_call(
        &self,
        tenant: &TenantId,
        counted: Counted<'_>,
        limit: RatePerMinute,
    ) -> Result<Quota> {
        self.0.table.count_call(tenant, counted, limit, self.now()).await
    }

    /// The key that signs a tenant's tokens.
    ///
    /// # Errors
    /// If the secret store fails.
    pub(crate) async fn signing_key(&self, tenant_id: &TenantId, pointer: &SigningPointer) -> Result<Arc<SigningKey>> {
        self.0.secrets.signing_key(tenant_id, pointer).await
    }

    /// Notes that an API key was used today.
    pub async fn note_use(&self, key: &ApiKey) {
        self.0.table.note_use(key, &self.now().day()).await;
    }

    /// Notes that a token was minted with an API key today.
    pub(crate) async fn note_minted(&self, key: &ApiKey) {
        self.0.table.note_minted(key, &self.now().day()).await;
    }

    /// Notes that an API key asked about an active token today.
    pub(crate) async fn note_introspection(&self, key: &ApiKey) {
        self.0.table.note_introspection(key, &self.now().day()).await;
    }

    /// Notes why a tenant's proven caller was refused: at most once a minute, process, tenant and cause.
    pub(crate) async fn note_refusal(&self, tenant: &TenantId, refusal: &Refusal) {
        let (memory, key) = (&self.0.refusal_memory, (tenant.clone(), refusal.cause));
        if Refusal::is_due(memory.get(&key), refusal.at) {
            let noted = self.0.table.note_refusal(tenant, refusal).await;
            if noted.is_ok() {
                memory.keep(key, refusal.at);
            }
        }
    }

    /// What a tenant's set-up shows.
    ///
    /// # Errors
    /// If there is no such tenant, the table fails, or an item can't be read.
    pub async fn setup(&self, tenant: &TenantId) -> Result<Setup> {
        let facts = self.tenants().setup(tenant).await?.ok_or(Error::TenantNotFound)?;
        let (require_end_user, passkeys_enabled) = (self.0.require_end_user, self.0.passkeys_enabled);
        let defaults = SetupDefaults { require_end_user, passkeys_enabled };
        // For the lines to paste. Not the request's own address: tenants call another one than operators do.
        let address = self.public_url().unwrap_or(ADDRESS);
        Ok(Setup::inspect(&facts, defaults, address, self.now()))
    }

    /// Notes that a call was for the whole account today.
    pub(crate) async fn note_account_wide_call(&self, id: &TenantId, noted: &AccountWideUse) {
        self.0.table.note_account_wide_call(id, noted, &self.now().day()).await;
    }

    /// Notes that a token for the whole account was issued today.
    pub(crate) async fn note_account_wide_token(&self, id: &TenantId, noted: &AccountWideUse) {
        self.0.table.note_account_wide_token(id, noted, &self.now().day()).await;
    }

    /// The operator's keys in force.
    ///
    /// # Errors
    /// If the secret store fails.
    pub async fn operator_keys(&self) -> Result<OperatorKeys> {
        self.0.secrets.operator_keys().await
    }
}
