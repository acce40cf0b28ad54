//! Names of fields that are near misses of known ones.
//!
//! Some bodies ignore fields that they do not know. A misspelt optional field would be ignored with them, and the call
//! would do something else than it says: skip a check, or register a second party.

use std::collections::BTreeSet;

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
    let named = singular.strip_suffix("id").filter(|named| !named.is_empty()).unwrap_or(&singular);
    in_one_order(named).unwrap_or_else(|| named.to_owned())
}

/// What is left of `organizationId`, which tokens call `org_id`.
const ORGANIZATION: &str = "organization";

/// Words of which names are put together, each with what it says.
const WORDS: [(&str, &str); 6] = [
    ("organization", ORGANIZATION),
    ("org", ORGANIZATION),
    ("external", EXTERNAL),
    ("ext", EXTERNAL),
    ("project", PROJECT),
    ("user", "user"),
];
/// `projectOrganizationId` and `organizationId` are one, each the name in another operation.
const PROJECT: &str = "project";

/// A name that is put together of nothing but these words, each once and in the order of the alphabet: `orgExternal`
/// and `external_organization` say the same.
fn in_one_order(named: &str) -> Option<String> {
    let (mut said, mut rest) = (BTreeSet::new(), named);
    while !rest.is_empty() {
        let (word, meaning) = WORDS.iter().find(|(word, _)| rest.starts_with(word))?;
        said.insert(*meaning);
        rest = rest.strip_prefix(word)?;
    }
    if said.len() > 1 {
        said.remove(PROJECT);
    }
    Some(said.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const USER_TOKEN: [&str; 4] = ["userId", "organizationId", "expiration", "apiKey"];
    const USER: [&str; 5] = ["userId", "projectOrganizationId", "externalId", "properties", "projectId"];
    const ORGANIZATION_FIELDS: [&str; 4] = ["name", "externalId", "properties", "projectId"];
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
            ("org_external_id", "organizationId"),
            ("orgExternalID", "organizationId"),
            ("organizationExternalId", "organizationId"),
            ("extOrganizationId", "organizationId"),
            ("projectOrganisationExternalIds", "organizationId"),
            ("userExternalId", "userId"),
            ("extId", "userId"),
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
        for name in ["organizationExternalId", "extId", "external_org", "EXTERNAL-ID"] {
            assert_eq!(near_miss(name, &ORGANIZATION_FIELDS), Some("externalId"), "{name}");
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
        // Nothing is not what is left of `projectId`.
        assert_eq!((near_miss("", &USER), near_miss("_", &USER)), (None, None));
        for name in USER_TOKEN {
            assert_eq!(near_miss(name, &USER_TOKEN), None, "{name}");
        }
        for name in
            ["", "id", "projectId", "projectName", "name", "properties", "role", "email", "userName", "metadata", "é"]
        {
            assert_eq!(near_miss(name, &USER_TOKEN), None, "{name}");
        }
        for name in
            ["projectName", "userRole", "userEmail", "organizationName", "externals_of", "displayName", "extension"]
        {
            assert_eq!(near_miss(name, &USER), None, "{name}");
        }
    }
}
