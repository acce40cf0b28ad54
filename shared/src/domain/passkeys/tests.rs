//! Responses that are accepted, and hundreds that differ from them in one place.

mod accepted;
#[cfg(feature = "passkey-oracle")]
mod oracle;
mod refused_client_data;
mod refused_credentials;
mod refused_keys;
mod refused_logins;
mod refused_registrations;
mod soft;
mod vectors;

use std::sync::LazyLock;

use self::soft::{Key, Scene};
use super::algorithm::PasskeyAlgorithm;
use super::cause::PasskeyCause;
use super::client_data::ClientDataType;

/// What is wrong, the reason that is given, and how to make it so.
type Row = (&'static str, PasskeyCause, fn(&mut Scene<'_>));

static ES256: LazyLock<Key> = LazyLock::new(|| Key::generate(PasskeyAlgorithm::Es256));
static EDDSA: LazyLock<Key> = LazyLock::new(|| Key::generate(PasskeyAlgorithm::EdDsa));
static RS256: LazyLock<Key> = LazyLock::new(|| Key::generate(PasskeyAlgorithm::Rs256));

fn keys() -> [&'static Key; 3] {
    [&ES256, &EDDSA, &RS256]
}

/// Judges each row, and its twin in which nothing is wrong.
fn refuse(ceremony: ClientDataType, keys: &[&Key], rows: &[Row]) {
    for key in keys {
        for (what, cause, spoil) in rows {
            let mut scene = Scene::new(ceremony, key);
            assert_eq!(scene.cause(), None, "{ceremony:?} before: {what}");
            spoil(&mut scene);
            assert_eq!(scene.cause(), Some(*cause), "{ceremony:?}: {what}");
        }
    }
}

/// The rows are what they are taken for: as many as the project promises, and none twice.
#[test]
fn there_are_enough_refused_responses() {
    let of_both = [refused_client_data::ROWS, refused_credentials::ROWS].concat();
    let mut names: Vec<_> = of_both.iter().flat_map(|(what, ..)| [(0, *what), (1, *what)]).collect();
    names.extend(refused_registrations::ROWS.iter().map(|(what, ..)| (0, *what)));
    names.extend(refused_keys::rows().map(|(what, ..)| (0, *what)));
    names.extend(refused_logins::ROWS.iter().map(|(what, ..)| (1, *what)));
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
    assert!(all >= 300, "{all}");
}
