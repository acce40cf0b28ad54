use super::*;

fn password(input: &Value) -> String {
    text(&Fixture::new().ok("GetRandomPassword", input)["RandomPassword"])
}

#[test]
fn a_password_has_32_characters_and_one_of_each_type() {
    for _ in 0..50 {
        let password = password(&json!({}));
        assert_eq!(password.len(), 32);
        assert!(password.chars().any(|c| c.is_ascii_lowercase()));
        assert!(password.chars().any(|c| c.is_ascii_uppercase()));
        assert!(password.chars().any(|c| c.is_ascii_digit()));
        assert!(password.chars().any(|c| c.is_ascii_punctuation()));
        assert!(!password.contains(' '));
    }
}

#[test]
fn the_types_come_in_any_order() {
    let first = || password(&json!({ "PasswordLength": 4 })).chars().next().unwrap();
    assert!((0..100).any(|_| !first().is_ascii_lowercase()));
}

#[test]
fn an_admin_key_is_48_alphanumerics() {
    let password = password(&json!({ "PasswordLength": 48, "ExcludePunctuation": true, "IncludeSpace": false }));
    assert!(password.len() == 48 && password.chars().all(|c| c.is_ascii_alphanumeric()), "{password}");
}

#[test]
fn types_and_characters_can_be_excluded() {
    let input = json!({
        "PasswordLength": 200, "ExcludePunctuation": true, "ExcludeUppercase": true, "ExcludeLowercase": true,
        "ExcludeCharacters": "0123", "IncludeSpace": true
    });
    let password = password(&input);
    assert!(password.chars().all(|c| " 456789".contains(c)), "{password}");
}

#[test]
fn each_type_is_required_unless_the_request_does_without() {
    let fixture = Fixture::new();
    let input = json!({ "PasswordLength": 3 });
    assert_eq!(fixture.refused("GetRandomPassword", &input), "InvalidParameterException");
    assert_eq!(password(&json!({ "PasswordLength": 3, "RequireEachIncludedType": false })).len(), 3);
}

#[test]
fn a_length_outside_1_to_4096_or_an_empty_alphabet_is_refused() {
    let fixture = Fixture::new();
    for length in [-1, 0, 4097] {
        let input = json!({ "PasswordLength": length });
        assert_eq!(fixture.refused("GetRandomPassword", &input), "ValidationException", "{length}");
    }
    let nothing = json!({
        "ExcludePunctuation": true, "ExcludeUppercase": true, "ExcludeLowercase": true, "ExcludeNumbers": true
    });
    assert_eq!(fixture.refused("GetRandomPassword", &nothing), "InvalidParameterException");
    assert_eq!(password(&json!({ "PasswordLength": 4096 })).len(), 4096);
}
