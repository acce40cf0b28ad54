//! Random histories of QR logins: devices that scan and decide, backends that poll, logins that expire, tenants that
//! are suspended, people and devices whose access is taken away; over several processes, with calls and answers that
//! are lost and processes that die at any of their calls.
//!
//! Whatever happens, at most one person and time is handed out for a login, never after a denial or an expiry, never of
//! whom may not act any more; and the callback tells the same. A failure tells its seed: `LATCHKEY_QR_SEED` replays
//! that history alone, and `LATCHKEY_QR_HISTORIES` is how many there are.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use hyper::Method;
use serde_json::{Value, json};
use shared::api::device::qr_login::ConsentView;
use shared::auth::{Caller, Device, InputSummary, PairingDevice, PollingTenant, SignedTenant};
use shared::domain::{
    AnswerDigest, Attempted, BrowserName, Choice, Clock, DeviceId, DeviceName, DisplayName, ErrorClass, ExternalId,
    FrameMac, FrameNumber, Introduction, MaskedEmail, Origin, Outcome, PairingHandle, PersonRef, QrPhase, QrSessionId,
    Timestamp,
};
use shared::error::Result;
use shared::store::{Delivery, NewDevice, PairingRequest, QrLoginRequest, Read, Receiver, RevokedTokens, TenantUpdate};
use tokio::task::LocalSet;

use crate::simulation::{Chances, Fate, Planted, Process, Schedule, Setup, Simulation, Stop, id, signed};
use crate::support::phone::Phone;
use crate::support::qr::{DECIDE, ORIGIN, POLL, SCAN};
use crate::support::{Dice, Signing, Tenant, played, request};

/// How many histories there are.
const USUAL: u64 = 300;
/// How many histories it takes at most to find a mistake that was planted.
const FOUND_WITHIN: u64 = 100;
const BEGINNING_MS: i64 = 1_800_000_000_000;
/// Longer than a lease, and than the time between two sweeps.
const SWEEP_MS: i64 = 64_000;
/// The life of a login.
const LIFE_MS: i64 = 60_000;
const USERS: [&str; 2] = ["ada", "bob"];
/// One: the sweep ends several at once, and a process of a simulation does one thing at a time.
const LOGINS: usize = 1;
const ADDRESS: &str = "http://127.0.0.1";

/// Something that a process does, to a phone or a login by its number.
#[derive(Debug, Clone, Copy)]
enum Deed {
    Scan(usize, usize),
    Decide(usize, usize, &'static str),
    Poll(usize),
    Sweep,
    Suspend,
    Reactivate,
    Revoke(usize),
    Remove(usize),
}

/// A login that has begun.
#[derive(Debug, Clone)]
struct Login {
    id: QrSessionId,
    token: String,
    mac: FrameMac,
}

/// A result that was handed out.
#[derive(Debug, Clone)]
struct Handed {
    login: usize,
    user: String,
    device: DeviceId,
    /// Person, device and time.
    what: String,
    at: Timestamp,
    is_again: bool,
    /// The steps between which it was asked for.
    steps: (usize, usize),
}

/// What was done, between which steps, and whether it was answered with success.
#[derive(Debug, Clone, Copy)]
struct Done {
    deed: Deed,
    steps: (usize, usize),
    is_answered: bool,
}

#[derive(Default)]
struct Seen {
    handed: Vec<Handed>,
    done: Vec<Done>,
    /// What deciders were told, by login.
    told: Vec<(usize, Choice)>,
    posts: Vec<Value>,
    numbers: u64,
}

/// One history on an AWS of its own.
struct Play {
    simulation: Simulation,
    schedule: Schedule,
    tenant: Tenant,
    phones: Vec<Phone>,
    logins: Vec<Login>,
    seen: Mutex<Seen>,
    planted: Option<Planted>,
}

/// The headers of a phone's call.
fn phone_headers(process: &Process, phone: &Phone, path: &str, number: u64) -> Vec<(String, String)> {
    let nonce = process.app.nonce_key().unwrap().issue(process.clock.now()).to_string();
    let claims = json!({
        "htm": "POST", "htu": format!("{ADDRESS}{path}"), "nonce": nonce, "jti": format!("{number}"),
        "ath": (!phone.token.is_empty()).then(|| phone.ath()),
    });
    let mut headers = vec![("dpop".to_owned(), phone.proof(&claims))];
    if !phone.token.is_empty() {
        headers.push(("authorization".to_owned(), format!("DPoP {}", phone.token)));
    }
    headers
}

/// A tenant's call, signed now by a clock that is right.
async fn signer(process: &Process, tenant: &Tenant, number: u64) -> Result<SignedTenant> {
    let signing = process.signing(tenant).nonce(&format!("history-{number:020}"));
    let mut call = signed(&signing, &format!("request-{number}"));
    call.at = process.clock.now();
    process.request(&call).await
}

/// A phone that is paired with that person.
async fn paired(process: &Process, tenant: &Tenant, user: &str, number: u64) -> Phone {
    let user = ExternalId::parse(user).unwrap();
    let introduction = Introduction {
        user_socket_hash: user.clone(),
        display_name: DisplayName::from_stored("Ada"),
        email: Some(MaskedEmail::from_stored("a***@e***.com")),
        phone: None,
    };
    let caller = signer(process, tenant, number).await.unwrap();
    let asked = PairingRequest { backend_user_id: &user, introduction, logo_url: None };
    let prepared = caller.prepare_pairing(&process.app, asked).await.unwrap();
    let handle = PairingHandle::parse(prepared.url.expose().split_once('#').unwrap().1).unwrap();
    let phone = Phone::default();
    let path = "/api/v1/device/register-token";
    let mut call =
        request(Method::POST, path, &format!("pair-{number}"), &phone_headers(process, &phone, path, number));
    call.at = process.clock.now();
    let caller = PairingDevice::authenticate(&process.app, &call, &InputSummary::default()).await.unwrap();
    let new = NewDevice { name: DeviceName::from_stored("Phone"), platform: None };
    let welcome = caller.pair(&process.app, Some(&handle), new).await.unwrap();
    let token = serde_json::to_value(&welcome.token).unwrap().as_str().unwrap().to_owned();
    Phone { token, device_id: welcome.device.id.to_string(), ..phone }
}

impl Play {
    fn number(&self) -> u64 {
        let mut seen = self.seen.lock().unwrap();
        seen.numbers += 1;
        seen.numbers
    }

    fn item(&self, login: usize) -> Value {
        let place = format!("TENANT#{}#QRLOGIN#{}", self.tenant.id, self.logins[login].id);
        crate::callbacks::item(&self.simulation.offline, &place, "QRLOGIN")
    }

    /// A phone whose call for a login is accepted.
    async fn device(&self, process: &Process, phone: usize, login: usize, path: &str) -> Result<Device> {
        let number = self.number();
        let headers = phone_headers(process, &self.phones[phone], path, number);
        let mut call = request(Method::POST, path, &format!("phone-{number}"), &headers);
        call.at = process.clock.now();
        let reads = vec![Read::QrLogin(self.logins[login].id.clone())];
        let input = InputSummary { reads, ..InputSummary::default() };
        Device::authenticate(&process.app, &call, &input).await
    }

    /// Scans. What the phone was shown: its scan, and the digest.
    async fn scan(&self, process: &Process, phone: usize, login: usize) -> Result<(String, AnswerDigest)> {
        let device = self.device(process, phone, login, SCAN).await?;
        let Login { id, mac, .. } = &self.logins[login];
        let consent = device.look_at_qr_login(&process.app, id, FrameNumber::FIRST, mac).await?;
        let scan_id = consent.scan_id.to_string();
        let shown = serde_json::to_vec(&ConsentView::new(&consent, device.tenant())).unwrap();
        let display = AnswerDigest::of(&shown);
        device.bind_qr_login(&process.app, consent, display.clone()).await?;
        Ok((scan_id, display))
    }

    /// Scans, looks at the number on the other screen, and decides.
    async fn decide(&self, process: &Process, phone: usize, login: usize, decision: &str) -> Result<()> {
        let (scan_id, display) = self.scan(process, phone, login).await?;
        let device = self.device(process, phone, login, DECIDE).await?;
        let of = &self.phones[phone];
        let claims = json!({
            "aud": format!("{ADDRESS}/t/{}", self.tenant.id), "iat": 1, "session_id": self.logins[login].id,
            "scan_id": scan_id, "device_id": of.device_id, "origin": ORIGIN,
            "match_number": self.item(login)["match_number"]["S"], "decision": decision, "display_sha256": display,
        });
        let id = &self.logins[login].id;
        let choice = device.decide_qr_login(&process.app, id, &of.states(&claims)).await?;
        self.seen.lock().unwrap().told.push((login, choice));
        Ok(())
    }

    async fn poll(&self, process: &Process, login: usize) -> Result<()> {
        let Login { id, token, .. } = &self.logins[login];
        let path = format!("{POLL}?session_id={id}");
        let signing: Signing = process.signing(&self.tenant);
        let mut headers = signing.headers("GET", &path, b"");
        headers.push(("x-qr-poll-token".to_owned(), token.clone()));
        let mut call = request(Method::GET, POLL, &format!("poll-{}", self.number()), &headers);
        call.query = format!("session_id={id}");
        // No later than it is judged.
        let (began, at) = (self.schedule.steps(), process.clock.now());
        let caller = PollingTenant::authenticate(&process.app, &call, &InputSummary::default()).await?;
        let polled = caller.poll(&process.app, id).await?;
        let session = polled.session;
        if let (Some(scan), Some(decision)) = (&session.scan, &session.decision)
            && matches!(session.phase, QrPhase::Approved | QrPhase::Consumed)
        {
            let what = format!("{} {} {}", scan.person.backend_user_id, scan.device_id, decision.decided_at);
            self.seen.lock().unwrap().handed.push(Handed {
                login,
                user: scan.person.backend_user_id.to_string(),
                device: scan.device_id.clone(),
                what,
                at,
                is_again: session.phase == QrPhase::Consumed,
                steps: (began, self.schedule.steps()),
            });
        }
        Ok(())
    }

    /// Does it. Whether it was answered with success.
    async fn perform(&self, process: &Process, deed: Deed) -> bool {
        let (id, tenants) = (id(&self.tenant), process.app.tenants());
        let change = process.change(&format!("change-{}", self.number()));
        match deed {
            Deed::Scan(phone, login) => self.scan(process, phone, login).await.is_ok(),
            Deed::Decide(phone, login, decision) => self.decide(process, phone, login, decision).await.is_ok(),
            Deed::Poll(login) => self.poll(process, login).await.is_ok(),
            Deed::Sweep => process.app.callbacks().on(None, &Mailbox { play: self, process }).await.is_ok(),
            Deed::Suspend => tenants.suspend(&id, None, &change).await.is_ok(),
            Deed::Reactivate => tenants.reactivate(&id, &change).await.is_ok(),
            Deed::Revoke(phone) => {
                let whose = RevokedTokens::ExternalUser(ExternalId::parse(USERS[phone]).unwrap());
                tenants.revoke_tokens(&id, &whose, &change).await.is_ok()
            }
            Deed::Remove(phone) => {
                let Ok(caller) = signer(process, &self.tenant, self.number()).await else { return false };
                let of = PersonRef::Backend(ExternalId::parse(USERS[phone]).unwrap());
                let device = DeviceId::parse(&self.phones[phone].device_id).unwrap();
                caller.devices(&process.app).remove(&of, &device, caller.change()).await.is_ok()
            }
        }
    }

    /// What a process does, one deed after the other. One that dies is followed by another, which knows nothing.
    async fn process(self: Arc<Self>, number: usize, deeds: Vec<Deed>, mut dice: Dice) {
        let process = |seed| {
            let schedule = Some((self.schedule.clone(), number));
            Process::new(&self.simulation, Setup { schedule, planted: self.planted, seed, ..Setup::default() })
        };
        let mut alive = process(Some(dice.next()));
        for deed in deeds {
            alive.begin().await;
            let began = self.schedule.steps();
            let done = alive.survives(Box::pin(self.perform(&alive, deed))).await;
            let steps = (began, self.schedule.steps());
            self.seen.lock().unwrap().done.push(Done { deed, steps, is_answered: done == Some(true) });
            if done.is_none() {
                alive = process(Some(dice.next()));
            }
        }
        self.schedule.leave();
    }

    /// Lets the dust settle: everything expires, and the sweep tells what there is to tell.
    async fn settle(&self, seed: u64) {
        let process = Process::new(&self.simulation, Setup { seed: Some(seed), ..Setup::default() });
        self.simulation.clock.advance(LIFE_MS);
        assert!(self.perform(&process, Deed::Reactivate).await);
        for _ in 0..4 {
            assert!(self.perform(&process, Deed::Sweep).await);
            self.simulation.clock.advance(SWEEP_MS);
        }
        for login in 0..LOGINS {
            self.perform(&process, Deed::Poll(login)).await;
        }
    }

    /// What must not be, after all.
    fn violations(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        let mut found = Vec::new();
        for login in 0..LOGINS {
            let item = self.item(login);
            let phase = QrPhase::parse(item["qr_phase"]["S"].as_str().unwrap()).unwrap();
            let expected = match phase {
                QrPhase::Approved | QrPhase::Consumed => "qr_login.approved",
                QrPhase::Denied => "qr_login.denied",
                QrPhase::Expired => "qr_login.expired",
                QrPhase::Waiting | QrPhase::Scanned => {
                    found.push(format!("login {login} is never ended: {item:#}"));
                    continue;
                }
            };
            let rows = crate::callbacks::rows(&self.simulation.offline, &self.tenant.id);
            let bodies =
                rows.iter().map(|row| serde_json::from_str::<Value>(row["body"]["S"].as_str().unwrap()).unwrap());
            let is_own = |body: &Value| body["data"]["session_id"] == self.logins[login].id.as_str();
            let told: Vec<_> = bodies.filter(|body| is_own(body)).collect();
            if told.len() != 1 || told.iter().any(|body| body["type"] != expected) {
                found.push(format!("login {login} is {phase:?} and told as {told:#?}"));
            }
            if let Some(post) = seen.posts.iter().find(|post| is_own(post) && post["type"] != expected) {
                found.push(format!("login {login} is {phase:?} and was sent as {post:#}"));
            }
            let handed: Vec<_> = seen.handed.iter().filter(|handed| handed.login == login).collect();
            if handed.iter().any(|other| other.what != handed[0].what) {
                found.push(format!("login {login} was handed out as two: {handed:#?}"));
            }
            if !handed.is_empty() && phase != QrPhase::Consumed {
                found.push(format!("login {login} is {phase:?} and was handed out: {handed:#?}"));
            }
            if handed
                .iter()
                .any(|handed| told.iter().any(|body| body["data"]["backend_user_id"] != handed.user.as_str()))
            {
                found.push(format!(
                    "login {login} was handed out as somebody else than was told: {handed:#?} {told:#?}"
                ));
            }
            let expires_at: i64 = item["expires_at"]["N"].as_str().unwrap().parse().unwrap();
            let is_late = |handed: &&&Handed| !handed.is_again && handed.at.as_millis() >= expires_at;
            if let Some(late) = handed.iter().find(is_late) {
                found.push(format!("login {login} was handed out after it had expired: {late:#?}"));
            }
            for (_, choice) in seen.told.iter().filter(|(of, _)| *of == login) {
                let is_approved = matches!(phase, QrPhase::Approved | QrPhase::Consumed);
                if is_approved != (*choice == Choice::Approve) {
                    found.push(format!("login {login} is {phase:?}, and somebody was told {choice:?}"));
                }
            }
        }
        found.extend(seen.handed.iter().filter_map(|handed| may_not(handed, &seen.done, &self.phones)));
        found
    }
}

/// Why a result may not have been handed out: what had ended it was answered before it was asked for.
fn may_not(handed: &Handed, done: &[Done], phones: &[Phone]) -> Option<String> {
    let (began, ended) = handed.steps;
    let before = |done: &&Done| done.is_answered && done.steps.1 < began;
    let lifted = |suspension: &Done| {
        done.iter().any(|other| {
            matches!(other.deed, Deed::Reactivate) && other.steps.1 > suspension.steps.0 && other.steps.0 < ended
        })
    };
    let by = done.iter().filter(before).find(|done| match done.deed {
        Deed::Revoke(phone) => USERS[phone] == handed.user,
        Deed::Remove(phone) => phones[phone].device_id == handed.device.as_str(),
        Deed::Suspend => !lifted(done),
        _ => false,
    });
    by.map(|by| format!("handed out after {by:?}: {handed:#?}"))
}

/// A receiver that takes everything, if it arrives.
struct Mailbox<'a> {
    play: &'a Play,
    process: &'a Process,
}

impl Receiver for Mailbox<'_> {
    async fn post(&self, delivery: &Delivery<'_>) -> Attempted {
        if self.process.stop(Stop::Call { is_write: false }).await == Fate::Lost {
            return ErrorClass::Connect.into();
        }
        self.play.seen.lock().unwrap().posts.push(serde_json::from_str(delivery.body).unwrap());
        match self.process.stop(Stop::Answer).await {
            Fate::Lost => ErrorClass::Protocol.into(),
            _ => Attempted { outcome: Outcome::Status(204), retry_after: None },
        }
    }
}

/// Plays the history of a seed. What must not be, and how each login ended.
async fn play(seed: u64, planted: Option<Planted>) -> (Vec<String>, Vec<String>) {
    let mut dice = Dice(seed);
    let simulation = Simulation::start(BEGINNING_MS);
    let first = Process::new(&simulation, Setup { seed: Some(dice.next()), ..Setup::default() });
    let tenant = first.provision(10_000).await;
    let patch = json!({
        "qr_login_allowed_origins": [ORIGIN], "qr_expiry_seconds": 60, "callback_url_base": "https://one.example.com",
        // One flow: the deliverer is at several at once, and a process of a simulation does one thing at a time.
        "callback_types": ["qr_login.*"],
    });
    let update = TenantUpdate { patch: serde_json::from_value(patch).unwrap(), ends_passkeys: false };
    first.app.tenants().update(&id(&tenant), update, &first.change("configure")).await.unwrap();
    let mut phones = Vec::new();
    for (number, user) in USERS.into_iter().enumerate() {
        phones.push(paired(&first, &tenant, user, 1_000 + u64::try_from(number).unwrap()).await);
    }
    let mut logins = Vec::new();
    for number in 0..LOGINS {
        let caller = signer(&first, &tenant, 2_000 + u64::try_from(number).unwrap()).await.unwrap();
        let origin = Origin::parse(ORIGIN).unwrap();
        let asked =
            QrLoginRequest { origin: &origin, address: None, browser: BrowserName::UNKNOWN, key: None, rotates: false };
        let started = caller.initiate_qr_login(&first.app, asked).await.unwrap();
        let token = serde_json::to_value(&started.poll_token).unwrap().as_str().unwrap().to_owned();
        logins.push(Login { id: started.session.id, token, mac: started.shown.mac });
    }
    let seen = Mutex::new(Seen { numbers: 10_000, ..Seen::default() });
    let schedule = Schedule::default();
    let play = Arc::new(Play { simulation, schedule, tenant, phones, logins, seen, planted });
    let processes = LocalSet::new();
    for number in 0..3 + dice.below(4) {
        let deeds = (0..3 + dice.below(6)).map(|_| deed(&mut dice)).collect();
        play.schedule.enter();
        processes.spawn_local(Arc::clone(&play).process(number, deeds, Dice(dice.next())));
    }
    let chances = match dice.below(4) {
        0 => Chances { long_wait: 15, step_ms: 40, ..Chances::default() },
        _ => Chances { lost_call: 40, lost_answer: 40, conflict: 40, twice: 60, crash: 40, long_wait: 20, step_ms: 40 },
    };
    processes.run_until(play.schedule.run(&mut dice, &chances, &play.simulation.clock)).await;
    play.settle(seed).await;
    let mut ends: Vec<_> =
        (0..LOGINS).map(|login| play.item(login)["qr_phase"]["S"].as_str().unwrap().to_owned()).collect();
    ends.extend(play.seen.lock().unwrap().handed.iter().map(|handed| format!("again {}", handed.is_again)));
    (play.violations(), ends)
}

fn deed(dice: &mut Dice) -> Deed {
    let (phone, login) = (dice.below(USERS.len()), dice.below(LOGINS));
    match dice.below(24) {
        0..=2 => Deed::Scan(phone, login),
        3..=8 => Deed::Decide(phone, login, "approve"),
        9 | 10 => Deed::Decide(phone, login, "deny"),
        11..=18 => Deed::Poll(login),
        19 | 20 => Deed::Sweep,
        21 => *dice.of(&[Deed::Suspend, Deed::Reactivate]),
        22 => Deed::Revoke(phone),
        _ => Deed::Remove(phone),
    }
}

#[test]
fn whatever_happens_at_most_one_person_is_handed_out_and_the_callback_tells_the_same() {
    let Some(seen) = played("QR", USUAL, judge) else { return };
    // Everything that can become of a login was there.
    for end in ["approved", "consumed", "denied", "expired", "again false", "again true"] {
        assert!(seen.get(end) > Some(&5), "{end}: {seen:?}");
    }
}

/// Plays the histories of these seeds. How often there was what.
#[tokio::main(flavor = "current_thread")]
async fn judge(seeds: Vec<u64>) -> BTreeMap<String, i32> {
    let mut seen = BTreeMap::new();
    for seed in seeds {
        let (violations, ends) = play(seed, None).await;
        assert!(violations.is_empty(), "LATCHKEY_QR_SEED={seed} {violations:#?}");
        for end in ends {
            *seen.entry(end).or_insert(0) += 1;
        }
    }
    seen
}

#[tokio::test]
async fn a_move_without_its_condition_is_found() {
    for seed in 1..=FOUND_WITHIN {
        if !play(seed, Some(Planted::UnconditionalMove)).await.0.is_empty() {
            return;
        }
    }
    panic!("it is not found in {FOUND_WITHIN} histories");
}
