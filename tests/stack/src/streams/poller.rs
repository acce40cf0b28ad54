//! One event source mapping at work.

use std::collections::VecDeque;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Bytes;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::Shared;
use super::batch::{Batch, Next, Outcome, sequence_number};
use super::records::{as_in_aws, created_at};
use crate::aws::Aws;
use crate::error::{Error, Result};
use crate::lambda::InvokeError;
use crate::system::{self, lock};
use crate::template::{ACCOUNT, Function, Mapping, PARTITION, REGION, StartingPosition};

/// Gives an event to the function and waits for its answer.
pub(crate) type Target =
    Arc<dyn Fn(Bytes) -> Pin<Box<dyn Future<Output = Result<Value, InvokeError>> + Send>> + Send + Sync>;

/// DynamoDB gives no more records in one answer.
const PAGE: usize = 1000;
/// What nobody wrote, such as the removal of what has expired, is found when it is looked for.
const IDLE: Duration = Duration::from_secs(1);
/// The first wait before a retry. Lambda's own waits are longer, and not documented.
const FIRST_WAIT: Duration = Duration::from_millis(50);
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// A running mapping. Dropping it ends it.
pub(super) struct Poller {
    aws: Arc<Aws>,
    /// Where it has got to, while nothing is waiting or under way.
    idle_at: watch::Receiver<Option<String>>,
    task: JoinHandle<()>,
}

impl fmt::Debug for Poller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Poller")
    }
}

impl Drop for Poller {
    fn drop(&mut self) {
        self.end();
    }
}

impl Poller {
    /// Begins at the mapping's position: with `LATEST`, with what is written after the return.
    pub(super) async fn start(
        aws: Arc<Aws>,
        function: Arc<Function>,
        mapping: Mapping,
        target: Target,
        shared: Shared,
    ) -> Result<Self> {
        let answer = read(&aws, "DescribeStream", &json!({"StreamArn": mapping.stream})).await?;
        let shard = answer.pointer("/StreamDescription/Shards/0/ShardId").and_then(Value::as_str);
        let shard = shard.ok_or_else(|| Error::new(format!("{} has no shard", mapping.stream)))?.to_owned();
        let from = match mapping.start {
            StartingPosition::TrimHorizon => "TRIM_HORIZON",
            StartingPosition::Latest => "LATEST",
        };
        let request = json!({"StreamArn": mapping.stream, "ShardId": shard, "ShardIteratorType": from});
        let answer = read(&aws, "GetShardIterator", &request).await?;
        let iterator = text(&answer, "ShardIterator")?;
        let (idle, idle_at) = watch::channel(None);
        let reader = Reader { aws: Arc::clone(&aws), iterator, waiting: VecDeque::new(), since: Instant::now() };
        let work = Work { function, mapping, shard, target, shared, reader, idle };
        Ok(Self { aws, idle_at, task: tokio::spawn(work.run()) })
    }

    /// Hands nothing over any more.
    pub(super) fn end(&self) {
        self.task.abort();
    }

    /// Whether all that is in the stream is handed over or given up.
    pub(super) async fn is_settled(&self) -> bool {
        let Some(iterator) = self.idle_at.borrow().clone() else { return false };
        let answer = self.aws.dynamodb.streams_call("GetRecords", &json!({"ShardIterator": iterator})).await;
        answer.is_ok_and(|(_, answer)| answer.get("Records").and_then(Value::as_array).is_some_and(Vec::is_empty))
    }
}

/// What a poller's task has.
struct Work {
    function: Arc<Function>,
    mapping: Mapping,
    shard: String,
    target: Target,
    shared: Shared,
    reader: Reader,
    idle: watch::Sender<Option<String>>,
}

/// Where a mapping is in its stream.
struct Reader {
    aws: Arc<Aws>,
    iterator: String,
    /// What was read, passed the filter and is not handed over yet.
    waiting: VecDeque<Value>,
    /// Since when the first of these waits.
    since: Instant,
}

impl Work {
    async fn run(mut self) {
        let mut written = self.reader.aws.written.subscribe();
        loop {
            written.mark_unchanged();
            // What was stopped does not even read: it would count as being under way.
            let gate = self.shared.gate.read().await;
            self.idle.send_replace(None);
            let more = self.reader.fill(&self.mapping).await.unwrap_or(false);
            drop(gate);
            let full = self.reader.waiting.len() >= self.mapping.batch_size;
            let left = self.mapping.batching_window.saturating_sub(self.reader.since.elapsed());
            if self.reader.waiting.is_empty() || (!full && !left.is_zero()) {
                if more {
                    continue;
                }
                let wait = if self.reader.waiting.is_empty() {
                    self.idle.send_replace(Some(self.reader.iterator.clone()));
                    IDLE
                } else {
                    left.min(IDLE)
                };
                // Either way it is looked again.
                let _ = timeout(wait, written.changed()).await;
                continue;
            }
            let size = self.mapping.batch_size.min(self.reader.waiting.len());
            let records = self.reader.waiting.drain(..size).collect();
            self.deliver(Batch::new(records)).await;
            self.reader.since = Instant::now();
        }
    }

    /// Hands a batch over until it is done or given up.
    async fn deliver(&self, batch: Batch) {
        // The next one is the last.
        let mut batches = vec![batch];
        while let Some(mut batch) = batches.pop() {
            let gate = self.shared.gate.read().await;
            if let Some(old) = self.mapping.most_age.and_then(|most| batch.split_old(|record| is_older(record, most))) {
                self.give_up(&old, "RecordAgeExceeded", None);
            }
            if batch.records.is_empty() {
                continue;
            }
            let answer = (self.target)(Bytes::from(self.event(&batch).to_string())).await;
            drop(gate);
            let outcome = Outcome::of(&answer, &batch.records, self.mapping.reports_failures);
            if outcome != Outcome::Throttled {
                batch.invocations += 1;
            }
            match batch.after(outcome, &self.mapping) {
                Next::Done => {}
                Next::GiveUp(batch) => self.give_up(&batch, "RetryAttemptsExhausted", answer.err().as_ref()),
                Next::Again(again) => {
                    let tries = again.first().map_or(0, |batch| batch.retries.min(16));
                    tokio::time::sleep((FIRST_WAIT * 2_u32.pow(tries)).min(LONGEST_WAIT)).await;
                    batches.extend(again.into_iter().rev());
                }
            }
        }
    }

    fn event(&self, batch: &Batch) -> Value {
        let record = |record: &Value| {
            let mut record = record.as_object().cloned().unwrap_or_default();
            record.insert("eventSourceARN".to_owned(), self.mapping.stream.as_str().into());
            Value::Object(record)
        };
        json!({"Records": batch.records.iter().map(record).collect::<Vec<_>>()})
    }

    /// Tells the queue of records that nobody will be given any more: of their place in the stream, not of what is in
    /// them.
    fn give_up(&self, batch: &Batch, condition: &str, error: Option<&InvokeError>) {
        let Some(queue) = &self.mapping.on_failure else { return };
        let (first, last) = (batch.records.first(), batch.records.last());
        let arrival = |record: Option<&Value>| record.and_then(created_at).map(seconds);
        // The field is there only after an error of the function.
        let response = match error {
            Some(_) => json!({"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"}),
            None => json!({"statusCode": 200, "executedVersion": "$LATEST"}),
        };
        let message = json!({
            "requestContext": {
                "requestId": system::uuid(),
                "functionArn": format!("arn:{PARTITION}:lambda:{REGION}:{ACCOUNT}:function:{}", self.function.name),
                "condition": condition,
                "approximateInvokeCount": batch.invocations,
            },
            "responseContext": response,
            "version": "1.0",
            "timestamp": seconds(system::now_ms() / 1000),
            "DDBStreamBatchInfo": {
                "shardId": self.shard,
                "startSequenceNumber": first.map(sequence_number),
                "endSequenceNumber": last.map(sequence_number),
                "approximateArrivalOfFirstRecord": arrival(first),
                "approximateArrivalOfLastRecord": arrival(last),
                "batchSize": batch.records.len(),
                "streamArn": self.mapping.stream,
            },
        });
        lock(&self.shared.queues).push((queue.clone(), message));
    }
}

impl Reader {
    /// Reads on, unless a whole batch is waiting. Answers whether there was something to read.
    async fn fill(&mut self, mapping: &Mapping) -> Result<bool> {
        if self.waiting.len() >= mapping.batch_size {
            return Ok(false);
        }
        let before = self.iterator.clone();
        let answer = read(&self.aws, "GetRecords", &json!({"ShardIterator": before, "Limit": PAGE})).await?;
        self.iterator = text(&answer, "NextShardIterator")?;
        let records = answer.get("Records").and_then(Value::as_array).into_iter().flatten();
        let passing = records.filter(|record| mapping.filters.pass(record)).cloned();
        if self.waiting.is_empty() {
            self.since = Instant::now();
        }
        self.waiting.extend(passing);
        Ok(self.iterator != before)
    }
}

/// A call to the stream, with the answer that AWS would give.
async fn read(aws: &Aws, operation: &str, request: &Value) -> Result<Value> {
    let (status, mut answer) = aws.dynamodb.streams_call(operation, request).await?;
    if !status.is_success() {
        return Err(Error::new(format!("{operation}: {answer}")));
    }
    if let Some(stream) = &aws.stream {
        as_in_aws(stream, &mut answer, system::now_ms());
    }
    Ok(answer)
}

fn text(answer: &Value, name: &str) -> Result<String> {
    let text = answer.get(name).and_then(Value::as_str);
    text.map(str::to_owned).ok_or_else(|| Error::new(format!("the local DynamoDB gave no {name}")))
}

fn is_older(record: &Value, age: Duration) -> bool {
    let age = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
    created_at(record).is_some_and(|at| system::now_ms() / 1000 - at > age)
}

fn seconds(unix: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(unix).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    time.format(&Rfc3339).unwrap_or_default()
}
