//! Streams of DynamoDB, and what Lambda does to hand their records to functions.
//!
//! A function's `Events` of `Type: DynamoDB` are read for it as by an event source mapping: filtered, in batches, in
//! the order of the records, tried again, split, and given up in the end. There is one shard; of several, Lambda hands
//! over the records at the same time. Where a mapping has got to is not kept over a restart: with `TRIM_HORIZON`, kept
//! records come again.

mod batch;
mod poller;
mod records;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::{OwnedRwLockWriteGuard, RwLock};

use crate::aws::Aws;
use crate::error::Result;
use crate::system::lock;
use crate::template::Function;
use poller::Poller;
pub(crate) use poller::Target;
pub(crate) use records::as_in_aws;

/// The streams that are read for functions. Dropping it ends that.
pub struct Streams {
    pollers: Vec<Poller>,
    shared: Shared,
    stopped: tokio::sync::Mutex<Option<OwnedRwLockWriteGuard<()>>>,
}

/// What pollers share.
#[derive(Debug, Clone, Default)]
struct Shared {
    /// Whoever reads it may hand something over.
    gate: Arc<RwLock<()>>,
    queues: Arc<Mutex<Vec<(String, Value)>>>,
}

/// How often it is looked whether all is handed over.
const LOOK: Duration = Duration::from_millis(5);

impl fmt::Debug for Streams {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Streams").field("pollers", &self.pollers.len()).finish_non_exhaustive()
    }
}

impl Streams {
    /// Reads nothing.
    pub(crate) fn none() -> Self {
        Self { pollers: Vec::new(), shared: Shared::default(), stopped: tokio::sync::Mutex::default() }
    }

    /// Begins to read each stream for each function that has a mapping.
    pub(crate) async fn start_for(
        aws: &Arc<Aws>,
        functions: &[Arc<Function>],
        target: impl Fn(&str) -> Target,
    ) -> Result<Self> {
        let mut streams = Self::none();
        for function in functions {
            for mapping in function.mappings.iter().filter(|mapping| mapping.enabled) {
                let (aws, target) = (Arc::clone(aws), target(&function.binary));
                let poller = Poller::start(aws, Arc::clone(function), mapping.clone(), target, streams.shared.clone());
                streams.pollers.push(poller.await?);
            }
        }
        Ok(streams)
    }

    /// From the return on nothing is handed over. What is under way is waited for; what is written from now on waits
    /// for [`start`](Self::start). Stopping twice is stopping once.
    pub async fn stop(&self) {
        let mut stopped = self.stopped.lock().await;
        if stopped.is_none() {
            *stopped = Some(Arc::clone(&self.shared.gate).write_owned().await);
        }
    }

    /// Goes on where it was stopped.
    pub async fn start(&self) {
        self.stopped.lock().await.take();
    }

    /// Ends it for good, without waiting.
    pub(crate) fn end(&self) {
        self.pollers.iter().for_each(Poller::end);
    }

    /// Returns when all that was written before is handed over, or given up. Never while it is stopped.
    pub async fn settled(&self) {
        for poller in &self.pollers {
            while !poller.is_settled().await {
                tokio::time::sleep(LOOK).await;
            }
        }
    }

    /// What queues were told of records that were given up, in the shape of Lambda's messages: those of the queue with
    /// this ARN or name, oldest first.
    pub fn messages(&self, queue: &str) -> Vec<Value> {
        let queues = lock(&self.shared.queues);
        let of_queue = queues.iter().filter(|(arn, _)| arn == queue || arn.rsplit(':').next() == Some(queue));
        of_queue.map(|(_, message)| message.clone()).collect()
    }
}
