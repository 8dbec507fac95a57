//! The tables, as markdown.

use super::facts::Facts;
use super::limits::{Bound, Limit};
use super::{Arguments, Run};
use crate::load::Report;

pub(super) fn head(arguments: &Arguments, facts: &Facts) -> String {
    let Arguments {
        workers,
        connections,
        upstream_ms,
        duration,
        warm_up,
        ..
    } = arguments;
    let Facts {
        cores,
        system,
        database,
        cache,
    } = facts;
    let profile = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    format!(
        "# Load

Written by `video-service demo`; how to run it and how to read it: `crates/nostall-probe/examples/video_service/README.md`.

- {cores} cores, {system}, {profile} build; PostgreSQL {database}, Redis {cache}. Service, load, upstream service, database and cache share
  these cores, so throughput is what the whole machine can do.
- The service has {workers} worker threads; pools have {connections} connections; the upstream service takes {upstream_ms} ms.
- Each run: a new server process, {warm_up} s to connect and warm up, {duration} s measured. All forms at one level, then the next level.
- Latency is from the request to its last byte, over all requests that were under way in the measured time. A time-out (10 s) counts as 10 s;
  other errors are counted, not timed.
"
    )
}

const COLUMNS: &str = "
| form | users | offered/s | answered/s | p50 ms | p90 ms | p99 ms | max ms | errors | server CPU ms per answer |
| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- | ---: |
";

pub(super) fn closed(runs: &[Run]) -> String {
    let text = "
## Closed loop, no think time

Each user asks again as soon as it has its answer. Then users = answered/s × latency (Little's law): where throughput has reached its
limit, more users can only mean longer waits, in every form. Offered are the requests that users began in the measured time.
";
    [text, COLUMNS, &rows(runs)].concat()
}

pub(super) fn thinking(think_ms: u64, runs: &[Run]) -> String {
    let levels: std::collections::BTreeSet<usize> =
        runs.iter().map(|run| run.report.users).collect();
    let levels: Vec<String> = levels.iter().map(ToString::to_string).collect();
    let seconds = think_ms as f64 / 1000.0;
    let text = format!(
        "
## {} connected users, one request each {seconds} s on average

All users are connected all the time; each pauses for {seconds} s on average (exponentially distributed) between an answer and its next
request. N users offer N / ({seconds} s + latency) requests per second.
",
        levels.join(" and ")
    );
    [&text, COLUMNS, &rows(runs)].concat()
}

pub(super) fn sleep(runs: &[Run]) -> String {
    let text = "
## Scheduler capacity, not I/O

`GET /sleep` awaits a timer of 100 ms and does nothing else: no pool, no database, no cache, no file. It says how many connections and
timers the runtime can carry on these cores, and nothing of a service that does I/O. Closed loop, no think time.
";
    [text, COLUMNS, &rows(runs)].concat()
}

fn rows(runs: &[Run]) -> String {
    runs.iter().map(row).collect()
}

fn row(Run { variant, report }: &Run) -> String {
    let Report {
        users,
        offered,
        throughput,
        p50_ms,
        p90_ms,
        p99_ms,
        max_ms,
        ..
    } = report;
    let latencies = if report.p50_ms > 0.0 {
        format!("{p50_ms:.0} | {p90_ms:.0} | {p99_ms:.0} | {max_ms:.0}")
    } else {
        "– | – | – | –".to_owned()
    };
    format!(
        "| {variant} | {users} | {offered:.0} | {throughput:.0} | {latencies} | {} | {} |\n",
        errors(report),
        or_dash(report.server_cpu_ms(), 2),
    )
}

fn errors(report: &Report) -> String {
    if report.errors.is_empty() {
        return "0".to_owned();
    }
    let errors = report.errors.iter();
    let counts: Vec<String> = errors
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    format!("{} of {}", counts.join(", "), report.requests)
}

pub(super) fn limits(arguments: &Arguments, cores: usize, limits: &[Limit]) -> String {
    let Arguments { limit_ms, .. } = arguments;
    let levels: Vec<String> = arguments
        .limit_users
        .iter()
        .map(ToString::to_string)
        .collect();
    let mut text = format!(
        "
## The most users that are served well

Served well: p99 of at most {limit_ms} ms and no error, in a closed loop without think time, at every level up to it. Levels tried: {}.
Beside it what arithmetic allows: the narrowest thing that the program shares out, by how long a request holds one with a single user on
the machine. Nothing in the program limits the form `unpooled`. Last, what {cores} cores allow by what the service alone spends on an
answer; in truth it shares them with all the other processes.

| form | most users | answered/s there | p99 ms there | a single user: mean ms | narrowest | allows answers/s | CPU allows answers/s |
| --- | ---: | ---: | ---: | ---: | --- | ---: | ---: |
",
        levels.join(", ")
    );
    for limit in limits {
        text += &limit_row(limit, cores);
    }
    text
}

fn limit_row(limit: &Limit, cores: usize) -> String {
    let loaded = limit.best.as_ref().unwrap_or(&limit.alone);
    let by_cpu = loaded.server_cpu_ms().map(|ms| cores as f64 * 1000.0 / ms);
    let variant = limit.variant;
    let best = limit.best.as_ref();
    let users = best.map_or("none".to_owned(), |best| best.users.to_string());
    let narrowest = limit.bound.as_ref().map(|bound| {
        let Bound {
            count,
            of_what,
            held_ms,
        } = bound;
        format!("{count} {of_what}, held {held_ms:.2} ms")
    });
    format!(
        "| {variant} | {users} | {} | {} | {:.1} | {} | {} | {} |\n",
        or_dash(best.map(|best| best.throughput), 0),
        or_dash(best.map(|best| best.p99_ms), 0),
        limit.alone.mean_ms,
        narrowest.as_deref().unwrap_or("–"),
        or_dash(limit.bound.as_ref().map(Bound::per_second), 0),
        or_dash(by_cpu, 0),
    )
}

fn or_dash(number: Option<f64>, digits: usize) -> String {
    number.map_or("–".to_owned(), |number| format!("{number:.digits$}"))
}
