//! When the table's stream tells of new callbacks, and every minute for all that are due: delivers them.

use outbound::{Client, Target};
use shared::domain::{Attempted, ErrorClass};
use shared::store::{Delivered, Delivery, Receiver};
use shared::{App, Exit, Result, Written, on_event};

pub fn main() -> Exit {
    on_event("deliver-callbacks", deliver)
}

async fn deliver(app: App, written: Written) -> Result<Delivered> {
    let receivers = Receivers(Client::public().map_err(shared::Error::internal)?);
    app.callbacks().on(written, &receivers).await
}

/// The receivers of all tenants.
struct Receivers(Client);

impl Receiver for Receivers {
    async fn post(&self, delivery: &Delivery<'_>) -> Attempted {
        let target = match Target::new(delivery.base, delivery.flow) {
            Ok(target) => target,
            Err(class) => return class.into(),
        };
        let Some(headers) = delivery.headers(target.path()) else { return ErrorClass::Protocol.into() };
        let headers: Vec<_> = headers.iter().collect();
        self.0.post(&target, headers, delivery.body).await
    }
}
