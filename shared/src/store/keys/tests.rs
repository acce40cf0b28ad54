use super::*;
use crate::domain::ConsoleId;

#[test]
fn a_stored_response_is_with_what_is_its_callers() {
    let tenant = TenantId::of(&[7; 16]);
    let ada = ExternalId::parse("ada").unwrap();
    let caller = |viewpoint| IdempotencyScope::Caller { tenant: tenant.clone(), api_key: None, viewpoint };
    for (scope, beginning) in [
        (IdempotencyScope::Operator, "IDEMPOTENCY#operator#".to_owned()),
        (
            IdempotencyScope::Console {
                tenant: tenant.clone(),
                session: ConsoleId::parse("con_0123456789abcdef").unwrap(),
            },
            format!("TENANT#{tenant}#IDEMPOTENCY#"),
        ),
        (caller(Viewpoint::Account), format!("TENANT#{tenant}#IDEMPOTENCY#")),
        (caller(Viewpoint::EndUser(ada.clone())), format!("TENANT#{tenant}#OF@{}#IDEMPOTENCY#", ada.digest())),
    ] {
        let read = IdempotencyKey::new("1", scope, &[], b"credential", Timestamp::from_millis(0)).unwrap();
        let key = stored_response(&read);
        assert_eq!(key.partition, format!("{beginning}{}", read.digest()));
        assert_eq!(key.sort, "IDEMPOTENCY");
    }
}
