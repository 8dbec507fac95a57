//! Runs an operation many times and says what it cost.

use std::future::Future;
use std::time::{Duration, Instant};

use nix::sys::resource::{UsageWho, getrusage};
use tokio::task::JoinSet;

use crate::Outcome;

/// What a number of operations took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Spent {
    pub(crate) cpu: Duration,
    pub(crate) wall: Duration,
}

/// Runs `operations` operations in `tasks` tasks and measures wall time and this process's CPU time.
pub(crate) async fn spend<O, F>(operations: usize, tasks: usize, operation: O) -> Outcome<Spent>
where
    O: Fn(usize) -> F + Clone + Send + 'static,
    F: Future<Output = Outcome> + Send + 'static,
{
    let (cpu, started) = (cpu()?, Instant::now());
    let mut set = JoinSet::new();
    for task in 0..tasks {
        let operation = operation.clone();
        set.spawn(async move {
            for number in (task..operations).step_by(tasks) {
                operation(number).await?;
            }
            Outcome::Ok(())
        });
    }
    while let Some(done) = set.join_next().await {
        done??;
    }
    Ok(Spent {
        cpu: self::cpu()?.saturating_sub(cpu),
        wall: started.elapsed(),
    })
}

/// User and system time of this process so far.
fn cpu() -> Outcome<Duration> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let micros = |time: nix::sys::time::TimeVal| {
        Duration::from_secs(time.tv_sec().unsigned_abs())
            + Duration::from_micros(time.tv_usec().unsigned_abs())
    };
    Ok(micros(usage.user_time()) + micros(usage.system_time()))
}

/// Minimum, median and maximum.
pub(crate) fn spread(mut values: Vec<f64>) -> (f64, f64, f64) {
    values.sort_by(f64::total_cmp);
    (
        values[0],
        values[values.len() / 2],
        values[values.len() - 1],
    )
}
