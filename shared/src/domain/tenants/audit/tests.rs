use super::*;

#[test]
fn an_event_says_who_changed_what_and_when() {
    for (slot, actor) in [(KeySlot::Current, Actor::Operator), (KeySlot::Previous, Actor::OperatorWithPreviousKey)] {
        let change = ChangeContext {
            actor: slot.into(),
            key_id: None,
            at: Timestamp::from_millis(1),
            request_id: "r".to_owned(),
            deadline: Timestamp::from_millis(2),
            idempotency_key: None,
            principal: None,
            label: None,
        };
        let event = change.event(Action::TenantUpdated, vec!["tenant_name".to_owned()]);
        assert_eq!((event.action, event.actor, event.at), (Action::TenantUpdated, actor, change.at));
        assert_eq!((event.request_id.as_str(), event.subject), ("r", None));
        assert_eq!(event.fields, ["tenant_name"]);
        let about = change.event_about(Action::ApiKeyRevoked, &"key_1");
        assert_eq!(
            (about.action, about.actor, about.subject.as_deref()),
            (Action::ApiKeyRevoked, actor, Some("key_1"))
        );
        assert!(about.fields.is_empty() && about.details.is_empty());
        let detailed = about.with("kind", "a").with("until", Option::<u8>::None);
        assert_eq!(Value::Object(detailed.details), serde_json::json!({ "kind": "a", "until": null }));
    }
}
