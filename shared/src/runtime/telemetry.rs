//! One line of JSON a request, and nothing else: what is not of the target [`TARGET`] is not written, whatever an
//! environment variable says. So there is no level at which a library could print a credential.
//!
//! What alarms count is in CloudWatch's embedded metric format (CloudWatch User Guide, "Specification: Embedded metric
//! format"), so that the metrics cost no call and no agent. How long each request took is not: a metric filter of the
//! template reads `latency_ms` (decision 0050).
//!
//! What may stand in it: names that we chose, ids, numbers, causes of our own failures. Never a header, a body, the
//! name of a field (a client can put a secret there), or what somebody tried as a credential. And of a person never an
//! id, only its digest.

use std::fmt;
use std::process::ExitCode;
use std::sync::OnceLock;

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use uuid::Uuid;

use crate::api::Surface;
use crate::auth::{Traced, WRONG_OPERATOR_KEY};
use crate::domain::{ApiKeyId, Clock, ConsoleId, KeySlot, PersonDigest, Scope, SystemClock, TenantId, Timestamp};
use crate::error::Error;
pub use crate::error::LOG_TARGET as TARGET;

/// The field that makes metrics: the names of the fields that are metrics, with blanks between them.
const METRICS: &str = "metrics";
/// The field with fields of its own, as a JSON object: what a scheduled function did has other names in each.
const MEMBERS: &str = "members";
/// The field that says when it began, in Unix milliseconds: the line has it as text, the metrics as number.
const TIMESTAMP: &str = "timestamp_ms";

/// The deployment's stage, once it is known.
static STAGE: OnceLock<String> = OnceLock::new();

/// Says of which stage the lines are: it is a dimension of their metrics.
pub fn of_stage(stage: &str) {
    // A process is of one stage: a second one is refused.
    let _: Result<(), _> = STAGE.set(stage.to_owned());
}

/// The metrics that are counted by surface.
const OF_SURFACE: [&str; 6] =
    ["unauthorized", "limited", "wrong_operator_key", "previous_operator_key", "strikes", "suspensions"];

/// Starts writing log lines to standard output, which is where Lambda takes logs from.
pub fn start() {
    // A constant filter, and no `EnvFilter`: no variable of the deployment turns on the events of a dependency.
    let ours = Targets::new().with_target(TARGET, LevelFilter::INFO);
    // If standard output is gone there is nobody to tell.
    let lines = tracing_subscriber::fmt::layer().event_format(JsonLine).log_internal_errors(false);
    let subscriber = tracing_subscriber::registry().with(lines.with_filter(ours));
    // A second one is refused. There is none.
    let _: Result<(), _> = tracing::subscriber::set_global_default(subscriber);
}

/// Writes an event as one line of JSON: its fields by name, those that there are, and its level.
struct JsonLine;

impl<S, N> FormatEvent<S, N> for JsonLine
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut text = Vec::with_capacity(LINE);
        let mut serializer = serde_json::Serializer::new(&mut text);
        let fields = serializer.serialize_map(None).map_err(|_| fmt::Error)?;
        let mut line =
            Line { fields, written: Vec::with_capacity(32), metrics: None, members: None, at: None, outcome: Ok(()) };
        event.record(&mut line);
        line.end(event.metadata()).map_err(|_| fmt::Error)?;
        text.push(b'\n');
        writer.write_str(str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

/// Bytes of most lines.
const LINE: usize = 1024;

/// A line that is being written, field by field. What makes metrics is kept until its end.
struct Line<M: SerializeMap> {
    fields: M,
    /// The names that are written already: a name is there once.
    written: Vec<&'static str>,
    metrics: Option<String>,
    members: Option<String>,
    at: Option<i64>,
    outcome: Result<(), M::Error>,
}

impl<M: SerializeMap> Line<M> {
    fn set(&mut self, name: &'static str, value: &(impl Serialize + ?Sized)) {
        if self.outcome.is_ok() && !self.written.contains(&name) {
            self.written.push(name);
            self.outcome = self.fields.serialize_entry(name, value);
        }
    }

    fn end(mut self, metadata: &Metadata<'static>) -> Result<(), M::Error> {
        // What happens outside of a request has no time of its own.
        let at = self.at.map_or_else(|| SystemClock.now(), Timestamp::from_millis);
        if let Some(names) = self.metrics.take() {
            self.set("_aws", &EmbeddedMetrics::of(&names, at));
        }
        self.set("stage", &STAGE.get());
        // To a line without a time, and to one without a level, Lambda would add its own, and take it for `info`.
        self.set("timestamp", &format_args!("{at}"));
        self.set("level", if *metadata.level() == Level::ERROR { "error" } else { "info" });
        let members = self.members.take();
        if let Some(Ok(Value::Object(members))) = members.as_deref().map(serde_json::from_str) {
            for (name, value) in &members {
                if self.outcome.is_ok() && !self.written.contains(&name.as_str()) {
                    self.outcome = self.fields.serialize_entry(name, value);
                }
            }
        }
        self.outcome?;
        self.fields.end().map(|_| ())
    }
}

impl<M: SerializeMap> Visit for Line<M> {
    fn record_bool(&mut self, field: &Field, value: bool) {
        self.set(field.name(), &value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        match field.name() {
            TIMESTAMP => self.at = Some(value),
            name => self.set(name, &value),
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.set(field.name(), &value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            METRICS => self.metrics = Some(value.to_owned()),
            MEMBERS => self.members = Some(value.to_owned()),
            name => self.set(name, value),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.set(field.name(), &format_args!("{value:?}"));
    }
}

/// The part of a line that makes metrics of its numbers: by operation, or what alarms count by surface. CloudWatch
/// charges for each metric that is sent at all, so there are few, and each is sent when there are any. The unit of a
/// metric is in its name.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct EmbeddedMetrics<'a> {
    timestamp: i64,
    cloud_watch_metrics: Vec<MetricDirective<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct MetricDirective<'a> {
    namespace: &'static str,
    dimensions: [[&'static str; 2]; 1],
    metrics: Vec<Metric<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metric<'a> {
    name: &'a str,
}

impl<'a> EmbeddedMetrics<'a> {
    fn of(names: &'a str, at: Timestamp) -> Self {
        let (of_surface, of_operation): (Vec<_>, Vec<_>) =
            names.split(' ').map(|name| Metric { name }).partition(|metric| OF_SURFACE.contains(&metric.name));
        let directives = [(of_operation, "operation"), (of_surface, "surface")].into_iter();
        let directives = directives.filter(|(metrics, _)| !metrics.is_empty()).map(|(metrics, dimension)| {
            MetricDirective { namespace: "Latchkey", dimensions: [["stage", dimension]], metrics }
        });
        Self { timestamp: at.as_millis(), cloud_watch_metrics: directives.collect() }
    }
}

/// What a line says of its request.
pub struct RequestLine<'a> {
    /// The operation's name.
    pub operation: &'static str,
    /// The surface that it is of.
    pub surface: Surface,
    /// The `x-request-id` of the answer.
    pub request_id: &'a str,
    /// The tenant that it was about, as far as known.
    pub tenant_id: Option<&'a str>,
    /// The resource of the account surface that it named or made.
    pub resource: Option<Uuid>,
    /// Who called with what, and what was minted, as far as known.
    pub traced: Traced,
    /// The address that the gateway was called from.
    pub source_ip: Option<&'a str>,
    /// Whether it was the process's first.
    pub cold: bool,
    /// The status of the answer.
    pub status: u16,
}

impl RequestLine<'_> {
    /// Writes the line.
    pub fn write(&self, started: Timestamp, ended: Timestamp, error: Option<&Error>) {
        let Self { operation, request_id, source_ip, cold, status, ref traced, .. } = *self;
        let tenant_id = self.tenant_id.or(traced.tenant_id.as_ref().map(TenantId::as_str));
        let key_id = traced.key_id.as_ref().map(ApiKeyId::as_str);
        // That it was the one in force is the rule, and said by its absence.
        let secret = traced.secret.filter(|slot| *slot == KeySlot::Previous).map(KeySlot::as_str);
        let scope = traced.scope.map(Scope::as_str);
        let jti = traced.jti.map(|jti| jti.to_string());
        let [subject, end_user] = [&traced.subject, &traced.end_user].map(|of| of.as_ref().map(PersonDigest::as_str));
        let view = traced.view;
        let console = traced.console.as_ref().map(ConsoleId::as_str);
        let ours = status >= 500;
        let (code, cause) = (error.map(|error| error.code().as_str()), error.and_then(Error::cause));
        let latency_ms = ended.as_millis().saturating_sub(started.as_millis());
        let timestamp_ms = started.as_millis();
        let counted = self.counted(cause.as_deref());
        let metrics: Vec<_> = ours.then_some("failures").into_iter().chain(counted.iter().copied()).collect();
        let metrics = (!metrics.is_empty()).then(|| metrics.join(" "));
        let resource = self.resource.map(|id| id.to_string());
        let members: Map<_, _> = counted.iter().map(|&name| (name.to_owned(), 1.into())).collect();
        let members = (!members.is_empty()).then(|| Value::Object(members).to_string());
        let (metrics, members) = (metrics.as_deref(), members.as_deref());
        let surface = self.surface.name();
        // Absent where they say nothing, as everything is: each byte of a line costs.
        let (cold_start, failures) = (cold.then_some(true), ours.then_some(1_u8));
        // The level of an event is a constant.
        macro_rules! line {
            ($event:ident) => {
                tracing::$event!(
                    target: TARGET, operation, surface, request_id, tenant_id, key_id, secret, scope, jti, subject,
                    end_user, resource, view, console, source_ip, status, code, cause, cold_start, latency_ms, failures,
                    members, timestamp_ms, metrics,
                )
            };
        }
        if ours { line!(error) } else { line!(info) }
    }

    /// What alarms count in it, by the names of the metrics.
    fn counted(&self, cause: Option<&str>) -> Vec<&'static str> {
        let is_operators = self.surface == Surface::Registry;
        let is_previous = is_operators && self.traced.secret == Some(KeySlot::Previous);
        let counted = [
            (self.status == 401, "unauthorized"),
            (self.status == 429, "limited"),
            (is_operators && cause == Some(WRONG_OPERATOR_KEY), "wrong_operator_key"),
            (is_previous, "previous_operator_key"),
        ];
        counted.into_iter().filter_map(|(is_so, name)| is_so.then_some(name)).collect()
    }
}

/// Says why the process can't start, and gives the exit code for it.
pub fn failed_start(cause: &str) -> ExitCode {
    tracing::error!(target: TARGET, cause, "function could not start or stay up");
    ExitCode::FAILURE
}

/// Makes a panic write a line with its place, and not its message, which could hold a value.
pub fn report_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string);
        tracing::error!(target: TARGET, at, "panic");
    }));
}
