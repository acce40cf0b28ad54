//! Names of fields that are near misses of known ones.
//!
//! Some bodies ignore fields that they do not know. A misspelt optional field would be ignored with them, and the call
//! would do something else than it says: skip a check, or register a second party.

/// The known field that a name is a near miss of; `None` if it is one of them, or of another word altogether. Names are
/// near that differ in case, in signs between their words, in a plural or in an `Id` at the end, or that are other
/// words for one thing.
pub fn near_miss(name: &str, known: &[&'static str]) -> Option<&'static str> {
    if known.contains(&name) {
        return None;
    }
    let meant = stem(name);
    let with_stem = |wanted: &str| known.iter().copied().find(|field| stem(field) == wanted);
    // The caller's own id goes by another name where there is no `externalId`, and says whose it is where there are
    // two.
    let also: &[&str] = match meant.as_str() {
        EXTERNAL => &["externaluser", "key", "user"],
        "externaluser" => &[EXTERNAL, "user", "key"],
        "externalorganization" => &[ORGANIZATION, EXTERNAL],
        _ => &[],
    };
    with_stem(&meant).or_else(|| also.iter().find_map(|wanted| with_stem(wanted)))
}

/// What is left of `externalId`.
const EXTERNAL: &str = "external";

/// What is left of a name without all that spellings of it differ in.
fn stem(name: &str) -> String {
    let letters: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    let lower = letters.to_ascii_lowercase().replace("organis", "organiz");
    // `expiresIn`, `expires_in` and `expiry` are names of the same elsewhere, `exp` in tokens.
    if lower.starts_with("expir") || matches!(lower.as_str(), "exp" | "ttl") {
        return "expiration".to_owned();
    }
    let singular = match lower.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => lower.strip_suffix('s').unwrap_or(&lower).to_owned(),
    };
    let Some(named) = singular.strip_suffix("id").filter(|named| !named.is_empty()) else {
        return if singular == "org" { ORGANIZATION.to_owned() } else { singular };
    };
    // `projectOrganizationId` and `organizationId` are one, each the name in another operation.
    let of_project = named.strip_prefix("project").filter(|rest| !rest.is_empty()).unwrap_or(named);
    match of_project {
        "org" => ORGANIZATION.to_owned(),
        "externalorg" => "externalorganization".to_owned(),
        other => other.to_owned(),
    }
}

/// What is left of `organizationId`, which tokens call `org_id`.
const ORGANIZATION: &str = "organization";

#[cfg(test)]
mod tests {
    use super::*;

    const USER_TOKEN: [&str; 4] = ["userId", "organizationId", "expiration", "apiKey"];
    const USER: [&str; 5] = ["userId", "projectOrganizationId", "externalId", "properties", "projectId"];
    const CUSTOMER: [&str; 4] = ["key", "user", "organizationId", "expiration"];
    const REVOCATION: [&str; 3] = ["userId", "organizationId", "externalUserId"];

    #[test]
    fn what_people_make_of_a_name_is_near_it() {
        for (name, field) in [
            ("projectOrganizationId", "organizationId"),
            ("project_organization_id", "organizationId"),
            ("organization_id", "organizationId"),
            ("organisationId", "organizationId"),
            ("organization", "organizationId"),
            ("orgId", "organizationId"),
            ("org_id", "organizationId"),
            ("org", "organizationId"),
            ("expiresIn", "expiration"),
            ("expires_in", "expiration"),
            ("expires_in_minutes", "expiration"),
            ("Expiration", "expiration"),
            ("expiry", "expiration"),
            ("exp", "expiration"),
            ("ttl", "expiration"),
            ("userID", "userId"),
            ("user", "userId"),
            ("projectUserId", "userId"),
            ("externalID", "userId"),
            ("external_id", "userId"),
            ("api_key", "apiKey"),
            ("API-KEY", "apiKey"),
        ] {
            assert_eq!(near_miss(name, &USER_TOKEN), Some(field), "{name}");
        }
        for (name, field) in [
            ("externalID", "externalId"),
            ("external_id", "externalId"),
            ("externalUserId", "externalId"),
            ("external_user_id", "externalId"),
            ("organizationId", "projectOrganizationId"),
            ("property", "properties"),
            ("project_id", "projectId"),
        ] {
            assert_eq!(near_miss(name, &USER), Some(field), "{name}");
        }
        for (name, field) in [("externalId", "key"), ("userId", "user"), ("keys", "key"), ("external_user_id", "user")]
        {
            assert_eq!(near_miss(name, &CUSTOMER), Some(field), "{name}");
        }
        // Whoever takes an organization for a user revokes the tokens of nobody.
        for (name, field) in [
            ("externalOrganizationId", "organizationId"),
            ("external_org_id", "organizationId"),
            ("external_user_id", "externalUserId"),
            ("externalId", "externalUserId"),
        ] {
            assert_eq!(near_miss(name, &REVOCATION), Some(field), "{name}");
        }
    }

    #[test]
    fn the_names_themselves_and_other_words_are_not() {
        for name in USER_TOKEN {
            assert_eq!(near_miss(name, &USER_TOKEN), None, "{name}");
        }
        for name in
            ["", "id", "projectId", "projectName", "name", "properties", "role", "email", "userName", "metadata", "é"]
        {
            assert_eq!(near_miss(name, &USER_TOKEN), None, "{name}");
        }
        for name in ["projectName", "userRole", "userEmail", "organizationName", "externals_of", "displayName"] {
            assert_eq!(near_miss(name, &USER), None, "{name}");
        }
    }
}
