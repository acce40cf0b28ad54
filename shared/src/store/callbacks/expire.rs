//! QR logins that expire: no call notices, so that the sweep does.

use futures_util::stream::{self, StreamExt};

use super::deliver::{AT_ONCE, Callbacks, Delivered};
use crate::domain::Timestamp;
use crate::store::dynamodb::Key;

impl Callbacks<'_> {
    /// Ends the logins at these places that have expired. What failed, and where the callbacks are that tell of them.
    pub(super) async fn end_qr_logins(self, logins: Vec<Key>, now: Timestamp) -> (Delivered, Vec<Key>) {
        let ends = logins.into_iter().map(|place| self.tenants.expire_qr_login(place, now));
        let ended: Vec<_> = stream::iter(ends).buffer_unordered(AT_ONCE).collect().await;
        let (mut done, mut events) = (Delivered::default(), Vec::new());
        for event in ended {
            match event {
                Ok(event) => events.extend(event),
                Err(error) => done.failures.extend(error.cause()),
            }
        }
        (done, events)
    }
}
