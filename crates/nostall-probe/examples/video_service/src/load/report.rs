//! Figures of a run.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike;
use nix::unistd::{SysconfVar, sysconf};
use serde::{Deserialize, Serialize};

use super::connection::Problem;
use super::user::{Plan, Tally};

/// Figures of a run. Requests are those that were under way in the measured time. Percentiles are of answers and of time-outs, which
/// count as long as the limit; other failures often are quick and would make a service that fails look fast.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(crate) struct Report {
    pub(crate) users: usize,
    pub(crate) think_ms: u64,
    pub(crate) seconds: f64,
    pub(crate) requests: u64,
    /// Requests begun per second.
    pub(crate) offered: f64,
    /// Right answers per second.
    pub(crate) throughput: f64,
    pub(crate) mean_ms: f64,
    pub(crate) p50_ms: f64,
    pub(crate) p90_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) max_ms: f64,
    pub(crate) errors: BTreeMap<String, u64>,
    /// CPU time of the load itself.
    pub(crate) cpu_seconds: f64,
    pub(crate) server_cpu_seconds: Option<f64>,
}

impl Report {
    pub(super) fn new(users: usize, plan: &Plan, tally: &Tally, cpu: &CpuSeconds) -> Self {
        let seconds = (plan.measured_until - plan.measured_from).as_secs_f64();
        let failures: u64 = tally.problems.values().sum();
        let requests = tally.latencies.len() as u64 + failures;
        let latencies = histogram(plan.time_out, tally);
        let ms = |us: u64| us as f64 / 1000.0;
        let errors = tally.problems.iter();
        Self {
            users,
            think_ms: u64::try_from(plan.think.as_millis()).unwrap_or(u64::MAX),
            seconds,
            requests,
            offered: tally.begun_in_time as f64 / seconds,
            throughput: tally.answered_in_time as f64 / seconds,
            mean_ms: latencies.mean() / 1000.0,
            p50_ms: ms(latencies.value_at_quantile(0.5)),
            p90_ms: ms(latencies.value_at_quantile(0.9)),
            p99_ms: ms(latencies.value_at_quantile(0.99)),
            max_ms: ms(latencies.max()),
            errors: errors
                .map(|(problem, count)| (problem.name(), *count))
                .collect(),
            cpu_seconds: cpu.own,
            server_cpu_seconds: cpu.server,
        }
    }

    /// How many requests failed.
    pub(crate) fn failures(&self) -> u64 {
        self.errors.values().sum()
    }

    /// Milliseconds of the server's CPU per right answer.
    pub(crate) fn server_cpu_ms(&self) -> Option<f64> {
        let answers = self.throughput * self.seconds;
        let spent = self.server_cpu_seconds?;
        (answers > 0.0).then(|| spent * 1000.0 / answers)
    }
}

fn histogram(time_out: Duration, tally: &Tally) -> Histogram<u64> {
    let mut histogram = Histogram::new(3).expect("three digits are possible");
    for latency in &tally.latencies {
        histogram += u64::from(*latency);
    }
    let limit = u64::try_from(time_out.as_micros()).unwrap_or(u64::MAX);
    if let Some(timed_out) = tally.problems.get(&Problem::TimedOut) {
        histogram
            .record_n(limit, *timed_out)
            .expect("the histogram grows with its values");
    }
    histogram
}

/// CPU time that has been used.
pub(super) struct CpuSeconds {
    own: f64,
    server: Option<f64>,
}

impl CpuSeconds {
    pub(super) async fn now(server: Option<u32>) -> Self {
        Self {
            own: own(),
            server: match server {
                Some(pid) => of_process(pid).await,
                None => None,
            },
        }
    }

    pub(super) fn since(&self, before: &Self) -> Self {
        Self {
            own: self.own - before.own,
            server: self
                .server
                .zip(before.server)
                .map(|(after, before)| after - before),
        }
    }
}

fn own() -> f64 {
    getrusage(UsageWho::RUSAGE_SELF).map_or(0.0, |usage| {
        let micros = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
        micros as f64 / 1e6
    })
}

/// Reads `/proc/<pid>/stat`, where there is such a thing: the 14th and 15th field are ticks in user and in system mode. The second one,
/// in parentheses, is the program's name and may hold anything.
async fn of_process(pid: u32) -> Option<f64> {
    let stat = tokio::fs::read_to_string(format!("/proc/{pid}/stat"))
        .await
        .ok()?;
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    let ticks_per_second = sysconf(SysconfVar::CLK_TCK).ok()??;
    Some((user + system) / ticks_per_second as f64)
}
