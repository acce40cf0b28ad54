//! A function's `Events` of `Type: DynamoDB`: an event source mapping between a stream and the function.
//!
//! What a mapping says and this does not know, or what AWS would not take, is an error: a property that is overlooked
//! here would work for the first time after a deployment.

use std::time::Duration;

use serde_json::{Map, Value};

use super::filters::Filters;
use super::{is_true, number};
use crate::error::{Context, Error, Result};

/// How Lambda reads a stream of DynamoDB for a function: the resource `AWS::Lambda::EventSourceMapping` that SAM makes.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// The ARN of the stream.
    pub stream: String,
    /// Where reading begins.
    pub start: StartingPosition,
    /// How many records an event has at most: 1 to 10 000, by default 100.
    pub batch_size: usize,
    /// How long the first record of a batch waits for others: at most 300 s, by default none.
    pub batching_window: Duration,
    /// Which records are handed over.
    pub filters: Filters,
    /// `FunctionResponseTypes: [ReportBatchItemFailures]`: the answer says from which record on the batch failed.
    pub reports_failures: bool,
    /// How often a batch is tried again; without end if `None`, the default.
    pub retries: Option<u32>,
    /// Older records are given up; none if `None`, the default.
    pub most_age: Option<Duration>,
    /// Whether a batch that failed is split in two.
    pub bisects: bool,
    /// The ARN of the queue that is told of what was given up.
    pub on_failure: Option<String>,
    /// Whether it is read at all.
    pub enabled: bool,
}

/// Where reading a stream begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartingPosition {
    /// At its oldest record.
    TrimHorizon,
    /// With what comes after the mapping was made.
    Latest,
}

impl Mapping {
    /// What Lambda does in the function's role, as pairs of an action and a resource. AWS makes no mapping without it.
    pub fn needs(&self) -> impl Iterator<Item = (String, String)> {
        let stream = ["DescribeStream", "GetRecords", "GetShardIterator"];
        let stream = stream.map(|action| (format!("dynamodb:{action}"), self.stream.clone()));
        // Permission to list is for all streams of a table.
        let table = self.stream.rsplit_once('/').map(|(streams, _)| format!("{streams}/*"));
        let list = table.map(|streams| ("dynamodb:ListStreams".to_owned(), streams));
        let queue = self.on_failure.iter().map(|queue| ("sqs:SendMessage".to_owned(), queue.clone()));
        stream.into_iter().chain(list).chain(queue)
    }
}

/// The quotas of `CreateEventSourceMapping`.
const MOST_RECORDS: u64 = 10_000;
const MOST_WINDOW_SECONDS: u64 = 300;
const MOST_RETRIES: i64 = 10_000;
const LEAST_AGE_SECONDS: i64 = 60;
const MOST_AGE_SECONDS: i64 = 604_800;

/// Reads the resolved properties of an event.
pub(super) fn mapping(properties: &Value) -> Result<Mapping> {
    let mut properties = Properties(properties.as_object().cloned().unwrap_or_default());
    let stream = properties.text("Stream")?.ok_or_else(|| Error::new("Stream is missing"))?;
    let start = match properties.text("StartingPosition")?.as_deref() {
        Some("TRIM_HORIZON") => StartingPosition::TrimHorizon,
        Some("LATEST") => StartingPosition::Latest,
        other => return Err(Error::new(format!("StartingPosition {} of a DynamoDB stream", other.unwrap_or("none")))),
    };
    let batch_size = properties.number("BatchSize", 1, MOST_RECORDS)?.unwrap_or(100);
    let window = properties.number("MaximumBatchingWindowInSeconds", 0, MOST_WINDOW_SECONDS)?.unwrap_or(0);
    if properties.number("ParallelizationFactor", 1, 1).is_err() {
        return Err(Error::new("a ParallelizationFactor above 1 is not supported locally"));
    }
    let filters = properties.0.remove("FilterCriteria").map(|criteria| Filters::read(&criteria)).transpose();
    let mapping = Mapping {
        stream,
        start,
        batch_size: usize::try_from(batch_size).context("BatchSize")?,
        batching_window: Duration::from_secs(window),
        filters: filters.context("FilterCriteria")?.unwrap_or_default(),
        reports_failures: properties.reports_failures()?,
        retries: properties.bound("MaximumRetryAttempts", 0, MOST_RETRIES)?.and_then(|n| u32::try_from(n).ok()),
        most_age: properties
            .bound("MaximumRecordAgeInSeconds", LEAST_AGE_SECONDS, MOST_AGE_SECONDS)?
            .map(Duration::from_secs),
        bisects: properties.truth("BisectBatchOnFunctionError", false)?,
        on_failure: properties.on_failure()?,
        enabled: properties.truth("Enabled", true)?,
    };
    match properties.0.keys().next() {
        Some(unknown) => Err(Error::new(format!("{unknown} of a DynamoDB event is not supported locally"))),
        None => Ok(mapping),
    }
}

/// What is left to read.
struct Properties(Map<String, Value>);

impl Properties {
    fn text(&mut self, name: &str) -> Result<Option<String>> {
        match self.0.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(Error::new(format!("{name} is not text: {other}"))),
        }
    }

    fn truth(&mut self, name: &str, default: bool) -> Result<bool> {
        match self.0.remove(name) {
            None => Ok(default),
            Some(value) if is_true(&value) => Ok(true),
            Some(value) if value == Value::Bool(false) || value == "false" => Ok(false),
            Some(other) => Err(Error::new(format!("{name} is neither true nor false: {other}"))),
        }
    }

    fn number(&mut self, name: &str, least: u64, most: u64) -> Result<Option<u64>> {
        let Some(value) = self.0.remove(name) else { return Ok(None) };
        match number(&value) {
            Some(number) if (least..=most).contains(&number) => Ok(Some(number)),
            _ => Err(Error::new(format!("{name} must be from {least} to {most}: {value}"))),
        }
    }

    /// A bound, or -1 for none.
    fn bound(&mut self, name: &str, least: i64, most: i64) -> Result<Option<u64>> {
        let Some(value) = self.0.remove(name) else { return Ok(None) };
        let number = value.as_i64().or_else(|| value.as_str()?.parse().ok());
        match number {
            Some(-1) => Ok(None),
            Some(number) if (least..=most).contains(&number) => Ok(u64::try_from(number).ok()),
            _ => Err(Error::new(format!("{name} must be -1, or from {least} to {most}: {value}"))),
        }
    }

    fn reports_failures(&mut self) -> Result<bool> {
        match self.0.remove("FunctionResponseTypes") {
            None => Ok(false),
            Some(Value::Array(types)) if types.is_empty() => Ok(false),
            Some(Value::Array(types)) if types == ["ReportBatchItemFailures"] => Ok(true),
            Some(other) => Err(Error::new(format!("FunctionResponseTypes {other}"))),
        }
    }

    fn on_failure(&mut self) -> Result<Option<String>> {
        let Some(config) = self.0.remove("DestinationConfig") else { return Ok(None) };
        let destination = config.get("OnFailure").unwrap_or(&Value::Null);
        let kind = destination.get("Type").and_then(Value::as_str);
        let arn = destination.get("Destination").and_then(Value::as_str);
        // SAM lets the role that it makes send to the queue only if the type is said.
        match arn.filter(|arn| arn.split(':').nth(2) == Some("sqs") && kind == Some("SQS")) {
            Some(arn) => Ok(Some(arn.to_owned())),
            None => {
                Err(Error::new(format!("DestinationConfig must have OnFailure of Type SQS with a queue: {config}")))
            }
        }
    }
}
