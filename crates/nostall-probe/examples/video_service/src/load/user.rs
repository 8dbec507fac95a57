//! One user: asks, checks the answer, pauses, asks again.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper::body::Bytes;
use serde::Deserialize;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::Ask;
use super::connection::{Connection, Problem};
use crate::video;

/// What all users of a run do.
pub(crate) struct Plan {
    pub(crate) address: SocketAddr,
    pub(crate) ask: Ask,
    pub(crate) videos: i64,
    pub(crate) think: Duration,
    pub(crate) time_out: Duration,
    pub(crate) measured_from: Instant,
    pub(crate) measured_until: Instant,
    pub(crate) requests_left: AtomicU64,
}

impl Plan {
    fn goes_on(&self) -> bool {
        let one_less = |left: u64| left.checked_sub(1);
        Instant::now() < self.measured_until
            && self
                .requests_left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
                .is_ok()
    }
}

/// How those requests went that were under way in the measured time.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// How long those took that got their answer, in microseconds.
    pub(crate) latencies: Vec<u32>,
    /// How those failed that failed.
    pub(crate) problems: BTreeMap<Problem, u64>,
    /// How many began within the measured time.
    pub(crate) begun_in_time: u64,
    /// How many got their answer within the measured time.
    pub(crate) answered_in_time: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.latencies.extend(other.latencies);
        for (problem, count) in other.problems {
            *self.problems.entry(problem).or_default() += count;
        }
        self.begun_in_time += other.begun_in_time;
        self.answered_in_time += other.answered_in_time;
    }
}

/// After a failure a user waits this long, so that refused connections do not become a busy loop.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(100);

/// One user.
pub(crate) struct User {
    plan: Arc<Plan>,
    connects_at: Instant,
    connection: Option<Connection>,
    tally: Tally,
}

impl User {
    pub(crate) fn new(plan: Arc<Plan>, connects_at: Instant) -> Self {
        Self {
            plan,
            connects_at,
            connection: None,
            tally: Tally::default(),
        }
    }

    pub(crate) async fn run(mut self) -> Tally {
        sleep_until(self.connects_at).await;
        if !self.plan.think.is_zero() {
            self.connect_early().await;
            self.think().await;
        }
        while self.plan.goes_on() {
            let began = Instant::now();
            let result = timeout(self.plan.time_out, self.ask())
                .await
                .unwrap_or(Err(Problem::TimedOut));
            self.count(began, result);
            if result.is_err() {
                self.connection = None;
                sleep(PAUSE_AFTER_FAILURE).await;
            }
            self.think().await;
        }
        self.tally
    }

    /// Connected users have their connection before they ask. Whoever does not get one tries again with the first request.
    async fn connect_early(&mut self) {
        let connected = timeout(self.plan.time_out, Connection::open(self.plan.address)).await;
        self.connection = connected.ok().and_then(Result::ok);
    }

    /// One request with its check, the connection included where there is none yet.
    async fn ask(&mut self) -> Result<(), Problem> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(Connection::open(self.plan.address).await?),
        };
        match self.plan.ask {
            Ask::Videos => {
                let id = fastrand::i64(1..=self.plan.videos);
                let answer = connection.get(&format!("/videos/{id}")).await?;
                check(id, &answer)
            }
            Ask::Sleep => connection.get("/sleep").await.map(drop),
        }
    }

    fn count(&mut self, began: Instant, result: Result<(), Problem>) {
        let ended = Instant::now();
        if ended < self.plan.measured_from {
            return;
        }
        self.tally.begun_in_time += u64::from(began >= self.plan.measured_from);
        if result.is_ok() && ended < self.plan.measured_until {
            self.tally.answered_in_time += 1;
        }
        match result {
            Ok(()) => {
                let micros = (ended - began).as_micros();
                let micros = u32::try_from(micros).unwrap_or(u32::MAX);
                self.tally.latencies.push(micros);
            }
            Err(problem) => *self.tally.problems.entry(problem).or_default() += 1,
        }
    }

    async fn think(&self) {
        if self.plan.think.is_zero() {
            return;
        }
        // The time between independent events is exponentially distributed; `1 - f64()` is never zero.
        let pause = self.plan.think.mul_f64(-(1.0 - fastrand::f64()).ln());
        sleep_until((Instant::now() + pause).min(self.plan.measured_until)).await;
    }
}

/// Whether this is the answer to that question.
fn check(id: i64, answer: &Bytes) -> Result<(), Problem> {
    #[derive(Deserialize)]
    struct Given<'a> {
        id: i64,
        title: &'a str,
    }
    let given: Given<'_> = serde_json::from_slice(answer).map_err(|_| Problem::WrongAnswer)?;
    if given.id == id && given.title == video::title_of(id) {
        Ok(())
    } else {
        Err(Problem::WrongAnswer)
    }
}
