//! The HTTP client against servers that answer, stall, break and lie as a script says.
#![cfg(feature = "http")]
#![allow(clippy::unwrap_used, reason = "it is how these tests fail")]

mod addresses;
mod answers;
mod faults;
mod limits;
#[path = "../polling/mod.rs"]
mod polling;
mod server;
mod statuses;

use std::time::Duration;

use nostall_probe::http::HttpOptions;
use nostall_probe::stats::Figures;
use nostall_probe::{Http, IoSystem, Kind, PolicyOptions, Retry};

/// A system with an HTTP client alone.
async fn system(base: &str, options: HttpOptions) -> IoSystem {
    let builder = IoSystem::builder().http_with(base, options);
    builder.build().await.unwrap()
}

async fn client(base: &str) -> Http {
    let io = system(base, quick()).await;
    io.http().unwrap().clone()
}

/// Three tries with short pauses.
fn quick() -> HttpOptions {
    HttpOptions {
        policy: PolicyOptions {
            time_out: Duration::from_secs(5),
            deadline: Duration::from_secs(20),
            retry: Retry {
                first_delay: Duration::from_millis(5),
                jitter: false,
                ..Retry::default()
            },
            ..PolicyOptions::default()
        },
        ..HttpOptions::default()
    }
}

fn figures(io: &IoSystem) -> Figures {
    io.snapshot().kind(Kind::Http)
}

#[test]
fn the_client_is_cheap_to_share() {
    fn shared<T: Clone + Send + Sync + 'static>() {}
    fn sent<T: Send>(_: T) {}
    shared::<Http>();
    #[allow(dead_code, reason = "it only has to compile")]
    fn futures(http: &Http) {
        sent(http.get("/"));
        sent(http.get_json::<u8>("/"));
        sent(http.post_json::<_, u8>("/", "body"));
        sent(http.request(Default::default(), "/").send());
    }
    assert!(size_of::<Http>() <= 32);
}
