//! What every operation runs under: a place in the bulkhead, a time-out per try, retries, and a deadline over all of it.

#[cfg(feature = "database")]
mod held;

use std::future::Future;
use std::ops::Deref;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use futures_util::FutureExt;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::task::AbortOnDropHandle;

use crate::error::{Cause, Error, Name, Result, panic_text};
use crate::gate::Gate;
use crate::stats::{Call, Kind, Series, Stats};
#[cfg(feature = "database")]
pub(crate) use held::Held;

/// Numbers of a policy.
#[derive(Clone, Debug)]
pub struct PolicyOptions {
    /// How many operations may run at once; the others wait in order. At least 1.
    pub max_in_flight: usize,
    /// How long one try may take.
    pub time_out: Duration,
    /// How long the operation may take, with waits, tries and pauses.
    pub deadline: Duration,
    /// How often and how fast it is tried again.
    pub retry: Retry,
}

impl Default for PolicyOptions {
    fn default() -> Self {
        Self {
            max_in_flight: 1000,
            time_out: Duration::from_secs(10),
            deadline: Duration::from_secs(30),
            retry: Retry::default(),
        }
    }
}

/// Retries with exponential back-off.
#[derive(Clone, Debug)]
pub struct Retry {
    /// Tries in all, the first included; 1 means no retry.
    pub max_tries: u32,
    /// The pause before the second try, at most `max_delay`.
    pub first_delay: Duration,
    /// The longest pause that back-off leads to, before jitter. A longer `Retry-After` is obeyed if the deadline leaves room for it.
    pub max_delay: Duration,
    /// By how much each pause is longer than the one before. At least 1.
    pub factor: f32,
    /// Makes each pause longer by a random part of it, up to twice as long, so that callers that failed together do not come back
    /// together.
    pub jitter: bool,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            max_tries: 3,
            first_delay: Duration::from_millis(50),
            max_delay: Duration::from_secs(5),
            factor: 2.0,
            jitter: true,
        }
    }
}

impl Retry {
    /// One try only.
    pub fn none() -> Self {
        Self {
            max_tries: 1,
            ..Self::default()
        }
    }

    fn backoff(&self) -> ExponentialBuilder {
        let backoff = ExponentialBuilder::new()
            .with_min_delay(self.first_delay.min(self.max_delay))
            .with_max_delay(self.max_delay)
            .with_factor(self.factor.max(1.0))
            .with_max_times(self.max_tries.saturating_sub(1) as usize);
        if self.jitter {
            backoff.with_jitter()
        } else {
            backoff
        }
    }
}

/// Runs operations under limits and counts them. Clones share the places of the bulkhead and the statistics.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use nostall_probe::{Cause, Policy, PolicyOptions};
///
/// let policy = Policy::new(PolicyOptions::default());
/// let mut tries = 0;
/// let answer = policy
///     .run("charge card", || {
///         tries += 1;
///         let first = tries == 1;
///         async move { if first { Err(Cause::transient("line busy")) } else { Ok(42) } }
///     })
///     .await
///     .unwrap();
/// assert_eq!((answer, policy.stats().snapshot().total.retries), (42, 1));
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Policy(Arc<Rules>);

#[derive(Debug)]
struct Rules {
    kind: Kind,
    options: PolicyOptions,
    places: Places,
    stats: Stats,
    gate: Gate,
}

/// Places for operations; who finds none free waits in order. Clones are the same places.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    free: Arc<Semaphore>,
    limit: usize,
}

impl Places {
    /// Makes `limit` places, at least 1.
    pub(crate) fn new(limit: usize) -> Self {
        let limit = limit.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            free: Arc::new(Semaphore::new(limit)),
            limit,
        }
    }
}

/// Whether a failed try may be followed by another one.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Repeat {
    /// The operation may be done twice: any transient error is worth another try.
    Always,
    /// Doing it twice could do harm: never.
    Never,
    /// Only after errors that show that nothing was done, such as a refused connection.
    #[allow(dead_code, reason = "not every backend has such errors")]
    If(fn(&Cause) -> bool),
}

impl Repeat {
    fn allows(self, cause: &Cause) -> bool {
        match self {
            Self::Always => cause.is_transient(),
            Self::Never => false,
            Self::If(unharmed) => cause.is_transient() && unharmed(cause),
        }
    }
}

impl Policy {
    /// Makes a policy for operations of one's own, with statistics of its own.
    pub fn new(options: PolicyOptions) -> Self {
        Self::within(Kind::Own, options, Stats::default(), Gate::default())
    }

    /// Makes the policy of one kind in a system.
    pub(crate) fn within(kind: Kind, options: PolicyOptions, stats: Stats, gate: Gate) -> Self {
        Self(Arc::new(Rules {
            kind,
            places: Places::new(options.max_in_flight),
            options,
            stats,
            gate,
        }))
    }

    /// The same places, statistics and retries with other times.
    #[cfg(feature = "http")]
    pub(crate) fn with_times(
        &self,
        time_out: Option<Duration>,
        deadline: Option<Duration>,
    ) -> Self {
        let Rules {
            kind,
            options,
            places,
            stats,
            gate,
        } = &*self.0;
        let mut options = options.clone();
        options.time_out = time_out.unwrap_or(options.time_out);
        options.deadline = deadline.unwrap_or(options.deadline);
        Self(Arc::new(Rules {
            kind: *kind,
            options,
            places: places.clone(),
            stats: stats.clone(),
            gate: gate.clone(),
        }))
    }

    /// The numbers that this policy was made with.
    pub fn options(&self) -> &PolicyOptions {
        &self.0.options
    }

    /// Where this policy counts.
    pub fn stats(&self) -> &Stats {
        &self.0.stats
    }

    /// Runs an operation that may be done twice: transient errors and tries out of time are followed by another try.
    ///
    /// `operation` is called once per try. Which errors are transient says [`Cause::is_transient`].
    ///
    /// # Errors
    /// The error of the last try, [`Cause::TimedOut`] at the deadline, [`Cause::Saturated`] when no place was free until then, or
    /// [`Cause::Closed`] after shutdown.
    ///
    /// # Cancellation
    /// Dropping the future drops the try that runs and gives the place back; it counts as cancelled. What the try had already sent
    /// may still take effect.
    pub async fn run<T, E, F, Fut>(&self, name: impl Into<Name>, operation: F) -> Result<T>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: Into<Cause>,
    {
        self.run_as(name.into(), Repeat::Always, operation).await
    }

    /// Runs an operation that must not be done twice: one try, with the same limits as [`Policy::run`].
    ///
    /// # Errors
    /// As [`Policy::run`].
    ///
    /// # Cancellation
    /// As [`Policy::run`].
    pub async fn run_once<T, E, Fut>(&self, name: impl Into<Name>, operation: Fut) -> Result<T>
    where
        Fut: Future<Output = Result<T, E>>,
        E: Into<Cause>,
    {
        let mut operation = Some(operation);
        let once = || {
            let operation = operation.take();
            async {
                match operation {
                    Some(operation) => operation.await.map_err(Into::into),
                    None => Err(Cause::Closed),
                }
            }
        };
        self.run_as(name.into(), Repeat::Never, once).await
    }

    pub(crate) fn run_as<T, E, F, Fut>(
        &self,
        name: Name,
        repeat: Repeat,
        operation: F,
    ) -> impl Future<Output = Result<T>>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: Into<Cause>,
    {
        self.run_at(None, name, repeat, operation)
    }

    /// As [`Policy::run_as`], with a place of narrower ones as well. It is taken first, so that who waits for it keeps no place of
    /// the bulkhead from others.
    ///
    /// The try is a part of the answer. If it is of several kilobytes `operation` does well to box it: the layers around would copy it.
    pub(crate) async fn run_at<T, E, F, Fut>(
        &self,
        narrower: Option<&Places>,
        name: Name,
        repeat: Repeat,
        mut operation: F,
    ) -> Result<T>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: Into<Cause>,
    {
        let rules = &*self.0;
        let mut began = Began::now(rules, name);
        // Dropped last: what `drain` has waited for is counted.
        let inside = rules.gate.enter();
        let mut call = began.series.begin(began.at);
        if inside.is_none() {
            return Err(began.failed(call, 0, Cause::Closed));
        }
        let _places = match began.places(narrower, &rules.places).await {
            Ok(places) => places,
            Err(cause) => return Err(began.failed(call, 0, cause)),
        };
        call.waited(began.wait());

        let (mut tries, mut now, mut pauses) = (1, began.ready, None);
        loop {
            let cause = match began.bounded(now, pin!(operation())).await {
                Ok(value) => {
                    call.succeeded();
                    return Ok(value);
                }
                Err(cause) => cause,
            };
            let pauses = pauses.get_or_insert_with(|| rules.options.retry.backoff().build());
            let Some(pause) = began.pause(&cause, repeat, pauses) else {
                return Err(began.failed(call, tries, cause));
            };
            sleep(pause).await;
            began.series.retried();
            tries += 1;
            now = Instant::now();
        }
    }

    /// Runs blocking work on the blocking pool, counted as offloaded and timed.
    ///
    /// # Errors
    /// The work's own error, [`Cause::Panicked`], [`Cause::TimedOut`], [`Cause::Saturated`] or [`Cause::Closed`].
    ///
    /// # Cancellation
    /// Work that has begun can't be stopped: when the future is dropped or time runs out it goes on, and holds its place until it
    /// ends, so that left-over work can never be more than the bulkhead allows. Work that has not begun by then never does.
    pub async fn offload<T, E, F>(&self, name: impl Into<Name>, work: F) -> Result<T>
    where
        F: FnOnce() -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: Into<Cause> + Send + 'static,
    {
        let rules = &*self.0;
        let mut began = Began::now(rules, name.into());
        let mut call = began.series.begin(began.at);
        let Some(inside) = rules.gate.enter() else {
            return Err(began.failed(call, 0, Cause::Closed));
        };
        let place = match began.place_to_keep(&rules.places).await {
            Ok(place) => place,
            Err(cause) => return Err(began.failed(call, 0, cause)),
        };
        let asked = began.at;
        let series = Arc::clone(began.series);
        call.handed_over();
        let handle = AbortOnDropHandle::new(tokio::task::spawn_blocking(move || {
            let _held = (place, inside);
            let waited = asked.elapsed();
            let _timed = series.offload();
            (waited, work())
        }));
        let (until, limit) = began.next_limit(Instant::now());
        match timeout_at(until, handle).await {
            Ok(Ok((waited, result))) => {
                call.waited(waited);
                match result {
                    Ok(value) => {
                        call.succeeded();
                        Ok(value)
                    }
                    Err(error) => Err(began.failed(call, 1, error.into())),
                }
            }
            Ok(Err(join)) => {
                let cause = match join.try_into_panic() {
                    Ok(panic) => Cause::Panicked(panic_text(&*panic)),
                    Err(_) => Cause::Closed,
                };
                Err(began.failed(call, 1, cause))
            }
            Err(_) => Err(began.failed(call, 1, Cause::TimedOut { limit })),
        }
    }
}

/// An operation that has begun.
struct Began<'a> {
    rules: &'a Rules,
    name: Name,
    series: &'a Arc<Series>,
    at: Instant,
    /// When it had its place: `at` if it did not wait. The clock costs as much as all that is counted.
    ready: Instant,
}

impl<'a> Began<'a> {
    fn now(rules: &'a Rules, name: Name) -> Self {
        let at = Instant::now();
        Self {
            rules,
            series: rules.stats.series(rules.kind, &name),
            name,
            at,
            ready: at,
        }
    }

    /// How long it waited for its place.
    fn wait(&self) -> Duration {
        self.ready - self.at
    }

    fn deadline(&self) -> Instant {
        after(self.at, self.rules.options.deadline)
    }

    /// When a try that begins now is out of time, and the limit that it reaches then.
    fn next_limit(&self, now: Instant) -> (Instant, Duration) {
        let options = &self.rules.options;
        let (of_try, of_all) = (after(now, options.time_out), self.deadline());
        if of_try < of_all {
            (of_try, options.time_out)
        } else {
            (of_all, options.deadline)
        }
    }

    /// Waits for a narrower place, if there is such a limit, and then for a wider one.
    async fn places<'p>(
        &mut self,
        narrower: Option<&'p Places>,
        wider: &'p Places,
    ) -> Result<[Option<SemaphorePermit<'p>>; 2], Cause> {
        let narrow = match narrower {
            Some(places) => Some(self.place(places).await?),
            None => None,
        };
        Ok([narrow, Some(self.place(wider).await?)])
    }

    async fn place<'p>(&mut self, places: &'p Places) -> Result<SemaphorePermit<'p>, Cause> {
        self.wait_for(places.limit, places.free.acquire()).await
    }

    /// A place that may outlive the operation's future.
    async fn place_to_keep(&mut self, places: &Places) -> Result<OwnedSemaphorePermit, Cause> {
        let free = Arc::clone(&places.free);
        self.wait_for(places.limit, free.acquire_owned()).await
    }

    /// Waits for one of `limit` places, until the deadline.
    async fn wait_for<P>(
        &mut self,
        limit: usize,
        place: impl Future<Output = Result<P, AcquireError>>,
    ) -> Result<P, Cause> {
        let mut place = pin!(place);
        let place = match place.as_mut().now_or_never() {
            Some(place) => Ok(place),
            None => {
                let place = timeout_at(self.deadline(), place).await;
                self.ready = Instant::now();
                place
            }
        };
        match place {
            Ok(place) => place.map_err(|_| Cause::Closed),
            Err(_) => Err(Cause::Saturated {
                limit,
                waited: self.wait(),
            }),
        }
    }

    /// How long to wait before the try after a failed one; `None` if there is to be none.
    fn pause(
        &self,
        cause: &Cause,
        repeat: Repeat,
        pauses: &mut ExponentialBackoff,
    ) -> Option<Duration> {
        if !repeat.allows(cause) {
            return None;
        }
        let at_least = cause.retry_after().unwrap_or_default();
        next_pause(pauses, at_least, self.deadline())
    }

    /// Runs one try within its own limit and that of the whole, whichever comes first: one timer for both.
    async fn bounded<T, E: Into<Cause>>(
        &self,
        now: Instant,
        operation: impl Future<Output = Result<T, E>>,
    ) -> Result<T, Cause> {
        let (until, limit) = self.next_limit(now);
        match timeout_at(until, operation).await {
            Ok(result) => result.map_err(Into::into),
            Err(_) => Err(Cause::TimedOut { limit }),
        }
    }

    fn failed<S>(&self, call: Call<S>, tries: u32, cause: Cause) -> Error
    where
        S: Deref<Target = Series>,
    {
        call.failed(cause.is_time_out());
        let name = self.name.clone();
        Error::new(self.rules.kind, name, tries, self.at.elapsed(), cause)
    }
}

/// The pause before the next try, if a try is left and could still begin after it: if not, the error at hand says more than a
/// time-out would.
fn next_pause(
    pauses: &mut ExponentialBackoff,
    at_least: Duration,
    deadline: Instant,
) -> Option<Duration> {
    let pause = pauses.next()?.max(at_least);
    (after(Instant::now(), pause) < deadline).then_some(pause)
}

/// A moment, at the latest 30 years on: limits of "for ever" must not overflow the clock.
fn after(from: Instant, pause: Duration) -> Instant {
    const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);
    from + pause.min(FAR)
}
