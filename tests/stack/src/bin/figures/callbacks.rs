//! What callbacks consume and leave in memory, delivered to a receiver on this machine.

use std::convert::Infallible;
use std::path::Path;

use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use stack::{Error, Result, Stack, scheduled_event};
use tokio::net::TcpListener;

use crate::binaries::Binaries;
use crate::dollars::{GB_SECOND_USD, READS_USD, REQUESTS_USD};
use crate::memory::Usage;
use crate::requests::{Requests, Tenant, preparing, send, with_fields};
use crate::times::SETTLED;
use crate::{because, in_time, say};

/// What delivers.
pub const MEASURED: &str = "deliver-callbacks";
/// Receivers that the deliveries are spread over.
const TENANTS: u32 = 100;
/// Deliveries in one measurement, which has its time.
const PART: u32 = 1000;
/// What the memory may grow by, in percent: what a page or two of the heap take.
const FLAT: f64 = 5.0;

/// Sweeps in a month of 730 hours.
const SWEEPS: f64 = 43_800.0;
/// What is assumed to be billed for a sweep.
const BILLED_S: f64 = 0.1;
const BILLED_GB: f64 = 0.25;
/// What the sweep may cost a month.
const BUDGET_USD: f64 = 0.05;

pub async fn measure(template: &Path, binaries: &Binaries, requests: &Requests, number: u32) -> Result<()> {
    let key = requests.operator_key.clone();
    let stack = binaries.stack(template).admin_key(Some(key)).metered().start().await?;
    let base = receiver().await?;
    let callbacks = Measured { stack: &stack, requests, base };
    in_time(callbacks.idle()).await?;
    in_time(callbacks.units()).await?;
    callbacks.memory(number).await?;
    stack.shutdown().await;
    Ok(())
}

struct Measured<'a> {
    stack: &'a Stack,
    requests: &'a Requests,
    /// Where callbacks go.
    base: String,
}

impl Measured<'_> {
    /// What a sweep costs that finds nothing.
    async fn idle(&self) -> Result<()> {
        self.sweep().await?;
        let mark = self.stack.mark();
        self.sweep().await?;
        let calls = self.stack.calls_since(mark);
        let units: f64 = calls.iter().filter_map(|call| call.consumed).sum();
        let lambda = SWEEPS * (REQUESTS_USD / 1e6 + BILLED_S * BILLED_GB * GB_SECOND_USD);
        let reads = SWEEPS * units * READS_USD / 1e6;
        let milliseconds = BILLED_S * 1e3;
        say(&format!("\nSweep of callbacks with nothing due: {} calls, {units} read units", calls.len()));
        say(&format!("  Lambda, assuming {milliseconds} ms billed at {} MiB, a month:", BILLED_GB * 1024.0));
        say(&format!(
            "    {SWEEPS} x ({REQUESTS_USD} / 10^6 + {BILLED_S} s x {BILLED_GB} GB x {GB_SECOND_USD}) = {lambda:.3} USD"
        ));
        say(&format!("  reads, a month: {SWEEPS} x {units} x {READS_USD} / 10^6 = {reads:.3} USD"));
        say(&format!("  in all {:.3} USD a month, of {BUDGET_USD}", lambda + reads));
        if lambda + reads <= BUDGET_USD { Ok(()) } else { Err(Error::new("the sweep costs more than it may")) }
    }

    /// What an event writes that is delivered at the first attempt, alone and among others of its receiver.
    async fn units(&self) -> Result<()> {
        say("\nWrite units of an event delivered at the first attempt, those of the index included");
        for count in [1, 10] {
            let tenant = self.requests.tenant(self.stack, preparing(MEASURED)).await?;
            let without = self.written(async || self.changes(&tenant, count).await).await?;
            // Active, as it was before.
            self.change(&tenant, 1).await?;
            self.subscribe(&tenant).await?;
            let with = self.written(async || self.changes(&tenant, count).await).await?;
            let delivering = self.written(async || self.sweep_of(count).await).await?;
            let each = |units: f64| units / f64::from(count);
            let (owed, delivered) = (each(with - without), each(delivering));
            say(&format!("  {count:2} at once: {owed} owed, {delivered} delivered, {} in all", owed + delivered));
        }
        Ok(())
    }

    /// What a process has in memory after many deliveries.
    async fn memory(&self, number: u32) -> Result<()> {
        let mut tenants = Vec::new();
        for _ in 0..TENANTS {
            let tenant = self.requests.tenant(self.stack, preparing(MEASURED)).await?;
            self.subscribe(&tenant).await?;
            tenants.push(tenant);
        }
        self.stack.restart(MEASURED).await;
        let mut deliveries = 0;
        let mut early = None;
        while deliveries < number {
            let round = deliveries / TENANTS;
            in_time(async {
                for round in round..round + PART / TENANTS {
                    for tenant in &tenants {
                        self.change(tenant, round).await?;
                    }
                    self.sweep_of(TENANTS).await?;
                }
                Ok(())
            })
            .await?;
            deliveries += PART;
            if deliveries == SETTLED {
                early = Usage::of(self.stack, MEASURED)?;
            }
        }
        let Some((early, late)) = early.zip(Usage::of(self.stack, MEASURED)?) else {
            say("\nMemory of deliveries: not measured, as /proc does not show the process");
            return Ok(());
        };
        say(&format!("\nMemory of one {MEASURED} process, of the development profile, {TENANTS} receivers"));
        for (after, usage) in [(SETTLED, &early), (deliveries, &late)] {
            say(&format!("  after {after:6} deliveries: {}", usage.shown()));
        }
        let growth = (f64::from(late.resident) / f64::from(early.resident) - 1.0) * 100.0;
        say(&format!("  growth over the last {}: {growth:.1} %, of {FLAT} %", deliveries - SETTLED));
        if growth <= FLAT { Ok(()) } else { Err(Error::new("the memory of deliveries grows")) }
    }

    /// Lets a tenant have callbacks of its own changes.
    async fn subscribe(&self, tenant: &Tenant) -> Result<()> {
        let fields = json!({ "callback_url_base": self.base, "callback_types": ["tenant.*"] });
        let event = with_fields(self.requests.event("update-tenant", tenant)?, fields)?;
        send(self.stack, "update-tenant", event).await.map(|_| ())
    }

    async fn changes(&self, tenant: &Tenant, count: u32) -> Result<()> {
        for number in 0..count {
            self.change(tenant, number).await?;
        }
        Ok(())
    }

    /// Suspends or reactivates a tenant, which owes one event.
    async fn change(&self, tenant: &Tenant, number: u32) -> Result<()> {
        let function = if number.is_multiple_of(2) { "suspend-tenant" } else { "reactivate-tenant" };
        send(self.stack, function, self.requests.event(function, tenant)?).await.map(|_| ())
    }

    async fn sweep(&self) -> Result<Value> {
        send(self.stack, MEASURED, scheduled_event()).await.map(|run| run.payload)
    }

    /// A sweep that delivers so many callbacks, and fails otherwise.
    async fn sweep_of(&self, count: u32) -> Result<()> {
        let run = self.sweep().await?;
        let delivered = run.get("delivered").and_then(Value::as_u64);
        if delivered == Some(count.into()) { Ok(()) } else { Err(Error::new(format!("{MEASURED} answers {run}"))) }
    }

    /// The write units that all calls of it consume.
    async fn written(&self, work: impl AsyncFnOnce() -> Result<()>) -> Result<f64> {
        let mark = self.stack.mark();
        work().await?;
        let calls = self.stack.calls_since(mark);
        let writes = calls.iter().filter(|call| matches!(call.operation.as_str(), "TransactWriteItems" | "UpdateItem"));
        Ok(writes.filter_map(|call| call.consumed).sum())
    }
}

/// Starts a receiver that answers 204 to everything, and answers with its address.
async fn receiver() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.map_err(because("a receiver"))?;
    let base = format!("http://{}", listener.local_addr().map_err(because("a receiver"))?);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let connection = hyper::server::conn::http1::Builder::new();
            tokio::spawn(connection.serve_connection(TokioIo::new(stream), service_fn(answer)));
        }
    });
    Ok(base)
}

async fn answer(request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, Infallible> {
    let _ = request.into_body().collect().await;
    let mut response = Response::new(Empty::new());
    *response.status_mut() = hyper::StatusCode::NO_CONTENT;
    Ok(response)
}
