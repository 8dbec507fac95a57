//! Long measurements of the façade, each paired within one run: `cargo bench -p nostall-probe --features full --bench probe -- COMMAND`.
//!
//! `cost` sets the façade beside its libraries used directly, `pooled` a pool beside a connection per operation, `soak` runs a million
//! operations and two processes on one SQLite file. Servers are found by `NOSTALL_TEST_POSTGRES`, `NOSTALL_TEST_MYSQL` and
//! `NOSTALL_TEST_REDIS` (`cargo xtask services up` prints them); what has no server is left out, and said.

#![allow(clippy::print_stdout, reason = "a program for the terminal")]

mod cost;
mod load;
mod pooled;
mod server;
mod soak;

/// What a measurement may fail with.
type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Outcome {
    // Cargo adds `--bench` of its own.
    let arguments: Vec<String> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let number = |index: usize, otherwise: usize| {
        arguments
            .get(index)
            .map_or(Ok(otherwise), |text| text.parse::<usize>())
    };
    match arguments.first().map(String::as_str) {
        Some("cost") => {
            let rounds = number(1, 15)?;
            let only = arguments.get(2).map_or("", String::as_str);
            cost::run(&runtime, cost::Plan { rounds, only })
        }
        Some("pooled") => runtime.block_on(pooled::run(number(1, 5)?)),
        Some("soak") => runtime.block_on(soak::run(number(1, 1_000_000)?)),
        Some("serve") => runtime.block_on(server::serve()),
        Some("add") => runtime.block_on(soak::add(&arguments[1..])),
        _ => {
            println!("say which: cost [ROUNDS [ROW]], pooled [ROUNDS], soak [OPERATIONS]");
            Ok(())
        }
    }
}

/// The URL of a test server, if there is one.
fn server_url(variable: &str) -> Option<String> {
    let url = std::env::var(variable).ok();
    if url.is_none() {
        println!("{variable} is not set: left out");
    }
    url
}
