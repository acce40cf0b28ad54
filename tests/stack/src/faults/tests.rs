//! Which call meets which fault.

use super::{Call, CrashMode, Effect, Fate, Fault, Faults, Match};
use crate::calls::Service;

const PUT: Call<'static> = Call {
    function: "provision",
    service: Service::Dynamodb,
    operation: "PutItem",
    invocation: Some("one"),
    index: Some(0),
};

#[tokio::test]
async fn a_fault_hits_what_it_names_as_often_as_it_says() {
    let faults = Faults::default();
    assert_eq!(faults.meet(&PUT).await.effect, None);

    let twice = faults.inject(Fault::new(Match::any().operation("PutItem").index(0), Effect::NotSent).count(2));
    assert_eq!(faults.meet(&Call { index: Some(1), ..PUT }).await.effect, None);
    assert_eq!(faults.meet(&Call { operation: "GetItem", ..PUT }).await.effect, None);
    assert_eq!(faults.meet(&PUT).await.effect, Some(Effect::NotSent));
    assert_eq!(faults.meet(&PUT).await.effect, Some(Effect::NotSent));
    assert_eq!(faults.meet(&PUT).await.effect, None);
    assert_eq!(twice.fired(), 2);

    let status = Effect::Status(500, "InternalServerError".to_owned());
    faults.inject(Fault::new(Match::any().service(Service::Dynamodb).function("provision"), status.clone()));
    assert_eq!(faults.meet(&PUT).await.effect, Some(status));
    assert_eq!(faults.meet(&Call { function: "other", ..PUT }).await.effect, None);
    assert_eq!(faults.meet(&Call { service: Service::SecretsManager, ..PUT }).await.effect, None);
    faults.clear();
    assert_eq!(faults.meet(&PUT).await.effect, None);
}

#[tokio::test]
async fn after_its_crash_an_invocation_reaches_nothing() {
    let faults = Faults::default();
    let crash = faults.crash("provision", 1, CrashMode::DoneButNoAnswer);
    faults.begin("other", "zero");
    faults.begin("provision", "one");
    // Armed for one invocation only.
    faults.begin("provision", "two");
    let second = Call { index: Some(1), ..PUT };
    assert_eq!(faults.meet(&PUT).await.effect, None);
    assert_eq!(faults.meet(&Call { invocation: Some("two"), index: Some(1), ..PUT }).await.effect, None);
    assert_eq!(faults.meet(&second).await.effect, Some(Effect::NoAnswer));
    assert_eq!(faults.meet(&second).await.effect, Some(Effect::NotSent));
    assert_eq!(faults.meet(&Call { index: Some(2), ..PUT }).await.effect, Some(Effect::NotSent));
    faults.end("one");
    assert_eq!(faults.meet(&second).await.effect, None);
    assert_eq!(crash.fired(), 1);
}

#[tokio::test]
async fn a_held_call_waits_for_its_release() {
    let faults = Faults::default();
    let held = faults.hold(Match::any().operation("PutItem"));
    let waiting = tokio::spawn({
        let faults = faults.clone();
        async move { faults.meet(&PUT).await.effect }
    });
    held.reached().await;
    assert!(!waiting.is_finished());
    held.release();
    assert_eq!(waiting.await.unwrap(), None);
    assert_eq!(faults.meet(&PUT).await.effect, None);

    drop(faults.hold(Match::any()));
    assert_eq!(faults.meet(&PUT).await.effect, None);
}

#[tokio::test]
async fn a_kill_ends_the_process_once() {
    let faults = Faults::default();
    faults.kill("provision", 0, CrashMode::NotSent);
    faults.begin("provision", "one");
    assert_eq!(faults.meet(&PUT).await, Fate { effect: Some(Effect::NotSent), lethal: true });
    assert_eq!(faults.meet(&PUT).await, Fate { effect: Some(Effect::NotSent), lethal: false });
}
