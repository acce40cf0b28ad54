//! Beginning a login.

use super::items::{self, LiveLogins};
use super::{QrLogins, check_origin};
use crate::domain::{
    BrowserAddress, BrowserKey, BrowserName, ChangeContext, EventType, Origin, PollToken, Problem, QrPhase, QrRotation,
    QrSession, QrSessionId, Tenant, Timestamp,
};
use crate::error::{Error, Result};
use crate::store::dynamodb::{CONFLICT_ATTEMPTS, Commit, Condition, Key, Transaction, at};
use crate::store::keys::{self, Kind};

/// How many logins may be live at once for one key of a browser.
const MOST_OF_KEY: usize = 3;

/// What a tenant begins a login with.
#[derive(Debug)]
pub struct QrLoginRequest<'a> {
    pub origin: &'a Origin,
    pub address: Option<&'a BrowserAddress>,
    pub browser: BrowserName,
    pub key: Option<&'a BrowserKey>,
    pub rotates: bool,
}

/// A login that has begun.
#[derive(Debug)]
pub struct StartedQrLogin {
    pub session: QrSession,
    pub token: PollToken,
}

/// What bounds the logins of a browser: where they are counted, and how many may be live.
struct Bound {
    place: Key,
    most: usize,
}

impl QrLogins<'_> {
    /// Begins a login. Two calls; one more if there seem to be too many, of which some may be over.
    ///
    /// # Errors
    /// If the tenant does not let pages of that origin begin one, wants codes to change, or has too many for that
    /// browser; or if the table fails.
    pub async fn initiate(&self, request: QrLoginRequest<'_>, change: &ChangeContext) -> Result<StartedQrLogin> {
        let places = self.places(&request);
        for attempt in 0..CONFLICT_ATTEMPTS {
            self.table.jitter.give_way(attempt).await;
            let (tenant, found) = self.tenants.read(self.tenant, places.iter().flatten().cloned().collect()).await?;
            // The guard has just seen it.
            let tenant = tenant.ok_or_else(|| Error::internal("a tenant that signed a call is not there"))?;
            check_origin(&tenant, request.origin)?;
            if tenant.configuration.qr_login.qr_rotation == QrRotation::Required && !request.rotates {
                return Err(Error::invalid(
                    "rotate",
                    Problem::new("must be true: the tenant's qr_rotation is required"),
                ));
            }
            let (session, token) = self.begun(&request, &tenant, change.at)?;
            let wants = &tenant.configuration;
            let is_told = wants.callback_url_base.is_some() && wants.callback_types.wants(EventType::QrLoginExpired);
            let mut transaction = Transaction::new();
            transaction.put(items::login(self.tenant, &session, is_told), Condition::is_new());
            for bound in bounds(&places, &tenant) {
                let mut live = LiveLogins::read(at(&found, &bound.place))?;
                self.make_room(&mut live, bound.most, change.at).await?;
                let (item, unchanged) = live.with(bound.place, &session.id, session.expires_at);
                transaction.put(item, unchanged);
            }
            if matches!(self.table.commit(transaction).await?, Commit::Done) {
                return Ok(StartedQrLogin { session, token });
            }
            // Another login of the browser has begun in the meantime.
        }
        Err(Error::StaleUpdate)
    }

    fn begun(&self, request: &QrLoginRequest<'_>, tenant: &Tenant, now: Timestamp) -> Result<(QrSession, PollToken)> {
        let id = QrSessionId::generate(self.tenant, self.tenants.random)?;
        let token = PollToken::generate(self.tenants.random)?;
        let session = QrSession {
            id: id.ok_or_else(|| Error::internal("a QR login of a tenant that is none of ours"))?,
            phase: QrPhase::Waiting,
            created_at: now,
            expires_at: now.plus(tenant.configuration.qr_login.lifetime()),
            rotates: request.rotates,
            poll_token: token.hash(),
            origin: request.origin.clone(),
            network: request.address.and_then(BrowserAddress::network),
            browser: request.browser.browser.map(str::to_owned),
            system: request.browser.system.map(str::to_owned),
            browser_key: request.key.cloned(),
            scan: None,
            decision: None,
            consumed_at: None,
        };
        Ok((session, token))
    }

    /// Where the logins of the browser's address and of its key are counted.
    fn places(&self, request: &QrLoginRequest<'_>) -> [Option<Key>; 2] {
        let trace_key = self.tenants.trace_key;
        let address = request.address.map(|address| address.counted_as(self.tenant, trace_key));
        let key = request.key.map(|key| key.counted_as(self.tenant, trace_key));
        [address, key].map(|counted| counted.map(|counted| keys::of_kind(self.tenant, Kind::LiveQrLogins, counted)))
    }

    /// Forgets those that have expired, and if that leaves too many, those that were decided.
    async fn make_room(&self, live: &mut LiveLogins, most: usize, now: Timestamp) -> Result<()> {
        live.expiries.retain(|_, expires_at| now < *expires_at);
        if live.expiries.len() < most {
            return Ok(());
        }
        let places: Vec<_> = live.expiries.keys().map(|id| items::login_key(self.tenant, id)).collect();
        let found = self.table.get_all(&places).await?;
        let sessions = found.iter().map(items::read).collect::<Result<Vec<_>>>()?;
        let over = sessions.iter().filter(|session| !session.is_live(now));
        for session in over {
            live.expiries.remove(&session.id);
        }
        if live.expiries.len() < most {
            return Ok(());
        }
        let first = live.expiries.values().min().copied().unwrap_or(now);
        Err(Error::TooManyQrLogins { retry_after: now.seconds_until(first) })
    }
}

/// What bounds the logins of an address and a key of a browser, where they are known.
fn bounds(places: &[Option<Key>; 2], tenant: &Tenant) -> impl Iterator<Item = Bound> {
    let of_address = tenant.configuration.qr_login.qr_sessions_per_address.get();
    let most = [usize::try_from(of_address).unwrap_or(usize::MAX), MOST_OF_KEY];
    places.iter().zip(most).filter_map(|(place, most)| Some(Bound { place: place.clone()?, most }))
}
