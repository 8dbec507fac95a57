//! The most users that each form serves well, and what arithmetic says of it.

use anyhow::{Context, Result};
use nostall_probe::{Kind, Snapshot};

use super::processes::{Setting, Work};
use super::{Arguments, Run, facts};
use crate::load::Report;
use crate::pooled::UPSTREAM_REQUESTS;
use crate::serve::Variant;

/// Threads for blocking work that tokio starts at most, unless told otherwise.
const BLOCKING_THREADS: u64 = 512;

/// What was found of one form.
pub(super) struct Limit {
    pub(super) variant: Variant,
    /// How it serves a single user.
    pub(super) alone: Report,
    /// What in the program bounds its requests per second.
    pub(super) bound: Option<Bound>,
    /// The highest level that was served well.
    pub(super) best: Option<Report>,
}

/// So many of something, each held for some time by a request.
pub(super) struct Bound {
    pub(super) count: u64,
    pub(super) of_what: &'static str,
    pub(super) held_ms: f64,
}

impl Bound {
    pub(super) fn per_second(&self) -> f64 {
        self.count as f64 * 1000.0 / self.held_ms
    }
}

/// Goes up through the levels, all forms at each level. A form that failed one is not asked for the next.
pub(super) fn find(setting: &Setting<'_>, arguments: &Arguments) -> Result<Vec<Limit>> {
    let variants = arguments.variants.iter();
    let mut limits = variants
        .map(|variant| alone(setting, arguments, *variant))
        .collect::<Result<Vec<_>>>()?;
    let mut climbing: Vec<&mut Limit> = limits.iter_mut().collect();
    for users in &arguments.limit_users {
        let mut still = Vec::new();
        for limit in climbing {
            let run = Run::one(setting, limit.variant, *users, Work::Videos)?;
            if is_good(&run.report, arguments.limit_ms) {
                limit.best = Some(run.report);
                still.push(limit);
            }
        }
        climbing = still;
    }
    Ok(limits)
}

fn is_good(report: &Report, limit_ms: f64) -> bool {
    report.requests > 0 && report.failures() == 0 && report.p99_ms <= limit_ms
}

fn alone(setting: &Setting<'_>, arguments: &Arguments, variant: Variant) -> Result<Limit> {
    eprintln!("{variant}, a single user");
    let server = setting.serve(variant)?;
    let alone = setting.load(&server, 1, Work::Videos)?;
    let whole_request = |count, of_what| Bound {
        count,
        of_what,
        held_ms: alone.mean_ms,
    };
    let bound = match variant {
        Variant::Blocking => Some(whole_request(arguments.workers as u64, "worker threads")),
        Variant::SpawnBlocking => {
            let connections = facts::most_connections(&arguments.database)?;
            Some(if connections < BLOCKING_THREADS {
                whole_request(connections, "connections that the database server takes")
            } else {
                whole_request(BLOCKING_THREADS, "blocking threads")
            })
        }
        Variant::SpawnBlockingPooled => Some(whole_request(BLOCKING_THREADS, "blocking threads")),
        Variant::Unpooled => None,
        Variant::Pooled => Some(of_pools(arguments, &server.url)?),
    };
    Ok(Limit {
        variant,
        alone,
        bound,
        best: None,
    })
}

/// The narrower one of the two pools whose connections serve one request at a time. How long a request holds one while nobody else is
/// there: half of them were not longer.
fn of_pools(arguments: &Arguments, url: &str) -> Result<Bound> {
    let snapshot: Snapshot = ureq::get(format!("{url}/stats"))
        .call()
        .context("ask for the statistics")?
        .body_mut()
        .read_json()
        .context("read the statistics")?;
    let database = Bound {
        count: u64::from(arguments.connections),
        of_what: "database connections",
        held_ms: snapshot.kind(Kind::Database).latency.p50_ms,
    };
    let upstream = Bound {
        count: UPSTREAM_REQUESTS as u64,
        of_what: "requests to the upstream service",
        held_ms: snapshot.kind(Kind::Http).latency.p50_ms,
    };
    Ok(if database.per_second() < upstream.per_second() {
        database
    } else {
        upstream
    })
}
