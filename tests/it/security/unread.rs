//! A decision about what was never read: an operation that forgets to ask for an item is our fault, and never lets
//! through.

use hyper::Method;
use shared::App;
use shared::auth::{Caller, InputSummary, InspectsTokens, KeyHolder, MintsTokens, PresentedToken, Request, Viewer};
use shared::domain::{ExternalId, Reference, Timestamp, parse_uuid};
use shared::error::{Error, Result};
use shared::store::{Read, ResourceKind};

use crate::support::{ApiKey, Deployment, HandClock, now_ms, request};

fn planted(key: &ApiKey) -> Request {
    request(Method::POST, "/planted", "request", &[("x-api-key".to_owned(), key.text.clone())])
}

/// The proof that an operation with these reads gets.
async fn caller<C: Caller>(app: &App, key: &ApiKey, reads: Vec<Read>) -> C {
    let input = InputSummary { reads, is_readable: true, ..InputSummary::default() };
    C::authenticate(app, &planted(key), &input).await.unwrap()
}

fn app(deployment: &Deployment) -> App {
    let clock = HandClock::default();
    clock.set(now_ms());
    deployment.app(&clock)
}

/// Our fault, and not an answer that would be right if there were nothing.
fn is_our_fault<T>(outcome: Result<T>) {
    match outcome {
        Err(error @ Error::Internal(_)) => assert!(error.cause().unwrap().ends_with("was not read"), "{error:?}"),
        Err(error) => panic!("{error:?}"),
        Ok(_) => panic!("it was decided"),
    }
}

#[tokio::test]
async fn a_token_is_not_active_because_its_revocation_was_not_read() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let app = app(&deployment);
    let token = PresentedToken::new(&world.token);
    let now = Timestamp::from_millis(now_ms());
    let whole = token.reads();
    assert!(whole.len() >= 5, "{whole:?}");
    // The token is of the gateway's address, and not of the one in this request: it is not active either way.
    let reader: KeyHolder<InspectsTokens> = caller(&app, &world.key, whole.clone()).await;
    assert!(reader.revocable_claims(app.trace_key(), &token, now).unwrap().is_some());
    let forgetful: KeyHolder<InspectsTokens> = caller(&app, &world.key, Vec::new()).await;
    is_our_fault(forgetful.revocable_claims(app.trace_key(), &token, now));
    is_our_fault(forgetful.active_claims(app.trace_key(), token, now));
}

#[tokio::test]
async fn each_item_that_decides_about_a_token_has_to_be_read() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let app = app(&deployment);
    let token = PresentedToken::new(&world.token);
    let mut base = planted(&world.key);
    base.base_url = deployment.stack.url().clone();
    let whole = token.reads();
    for forgotten in 0..=whole.len() {
        let reads = whole.iter().enumerate().filter(|(place, _)| *place != forgotten).map(|(_, read)| read.clone());
        let input = InputSummary { reads: reads.collect(), is_readable: true, ..InputSummary::default() };
        let caller = KeyHolder::<InspectsTokens>::authenticate(&app, &base, &input).await.unwrap();
        let token = PresentedToken::new(&world.token);
        let outcome = caller.active_claims(app.trace_key(), token, Timestamp::from_millis(now_ms()));
        // The API key itself is read by every caller, and is the one that the token was minted with.
        if matches!(whole.get(forgotten), None | Some(Read::ApiKey(_))) {
            assert!(outcome.unwrap().is_some(), "{forgotten}");
        } else {
            is_our_fault(outcome);
        }
    }
}

#[tokio::test]
async fn a_user_is_not_unknown_because_it_was_not_read() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let app = app(&deployment);
    let user = Reference::from(ExternalId::parse(&world.member.user_id).unwrap());
    let reads = Read::user(&user).collect();
    let caller_with: KeyHolder<MintsTokens> = caller(&app, &world.key, reads).await;
    assert!(caller_with.directory(&app).member(&user, None).await.is_ok());
    let forgetful: KeyHolder<MintsTokens> = caller(&app, &world.key, Vec::new()).await;
    is_our_fault(forgetful.directory(&app).member(&user, None).await);
}

#[tokio::test]
async fn a_resource_is_not_absent_because_it_was_not_read() {
    let deployment = Deployment::start().await;
    let world = deployment.world().await;
    let app = app(&deployment);
    let id = parse_uuid(&world.rows.session).unwrap();
    let read = vec![Read::Resource(ResourceKind::AgentSession, id)];
    let viewer: Viewer = caller(&app, &world.account, read).await;
    assert_eq!(viewer.resources(&app).session(id).await.unwrap().id, id);
    let forgetful: Viewer = caller(&app, &world.account, Vec::new()).await;
    is_our_fault(forgetful.resources(&app).session(id).await);
}
