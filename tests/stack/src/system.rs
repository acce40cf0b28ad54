//! The clock, randomness and locking of the local AWS, each in one place.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use data_encoding::BASE64;
use uuid::Uuid;

const ALPHANUMERICS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Unix time in milliseconds.
pub(crate) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// 122 random bits; the others are constant.
fn random() -> Uuid {
    Uuid::new_v4()
}

/// A random UUID as text.
pub(crate) fn uuid() -> String {
    random().to_string()
}

/// A request id in the shape of API Gateway's.
pub(crate) fn gateway_request_id() -> String {
    BASE64.encode(random().as_bytes().get(..11).unwrap_or_default())
}

/// `length` random letters and digits, each equally likely.
pub(crate) fn alphanumerics(length: usize) -> String {
    let mut text = String::with_capacity(length);
    while text.len() < length {
        for (position, byte) in random().into_bytes().into_iter().enumerate() {
            // Bytes 6 and 8 have the constant bits. 248 is the largest multiple of 62 in a byte: above it, some
            // characters would be likelier.
            if position == 6 || position == 8 || byte >= 248 || text.len() == length {
                continue;
            }
            if let Some(character) = ALPHANUMERICS.get(usize::from(byte % 62)) {
                text.push(char::from(*character));
            }
        }
    }
    text
}

/// Locks, whatever happened to an earlier holder: the state of a test tool is better read than lost.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::alphanumerics;

    #[test]
    fn alphanumerics_have_the_asked_length_and_alphabet() {
        let key = alphanumerics(48);
        assert_eq!(key.len(), 48);
        assert!(key.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_ne!(key, alphanumerics(48));
    }
}
