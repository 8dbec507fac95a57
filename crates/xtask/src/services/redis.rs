//! Redis.

use std::ffi::OsString;

use nix::sys::signal::Signal;

use super::home::Place;
use super::kind::{Kind, program};

/// Redis, without anything on disk.
pub(super) static KIND: Kind = Kind {
    name: "redis",
    programs: &["redis-server"],
    package: "redis-server",
    user: "redis",
    port: 16379,
    variable: "NOSTALL_TEST_REDIS",
    url: |port| format!("redis://127.0.0.1:{port}/"),
    find: || program(KIND.programs),
    fill: |_, _| Ok(()),
    arguments,
    hello: b"PING\r\n",
    is_ready: |reply| reply == b"+PONG",
    stop: Signal::SIGTERM,
};

fn arguments(place: &Place) -> Vec<OsString> {
    let port = place.port.to_string();
    let mut arguments: Vec<OsString> = ["--bind", "127.0.0.1", "--port", &port]
        .map(OsString::from)
        .to_vec();
    arguments.extend(["--save", "", "--appendonly", "no", "--daemonize", "no"].map(OsString::from));
    arguments.extend(["--dir".into(), place.data().into()]);
    arguments
}
