//! All forms of the service give the same answer. Runs where `NOSTALL_TEST_POSTGRES` and `NOSTALL_TEST_REDIS` say where the servers are.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

const FORMS: [&str; 5] = [
    "blocking",
    "spawn-blocking",
    "spawn-blocking-pooled",
    "unpooled",
    "pooled",
];

struct Server(Child, String);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_video-service"))
}

fn start(arguments: &[&str]) -> Server {
    let mut child = program()
        .args(arguments)
        .arg("--until-stdin-closes")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let stdout = child.stdout.take().expect("it was asked for");
    let mut server = Server(child, String::new());
    BufReader::new(stdout)
        .read_line(&mut server.1)
        .expect("a line of text");
    server.1.truncate(server.1.trim_end().len());
    server
}

fn seed(files: &Path, more: &[&str]) {
    let status = program()
        .args(["seed", "--videos=20", "--files"])
        .arg(files)
        .args(more)
        .status()
        .expect("it runs");
    assert!(status.success());
}

#[test]
fn all_forms_give_the_same_answer() {
    let servers = ["NOSTALL_TEST_POSTGRES", "NOSTALL_TEST_REDIS"];
    if servers.iter().any(|name| std::env::var_os(name).is_none()) {
        println!("not run: {} are not set", servers.join(" and "));
        return;
    }
    let files = tempfile::tempdir().expect("a folder");
    seed(files.path(), &[]);
    let upstream = start(&["upstream"]);
    let files_option = format!("--files={}", files.path().display());
    let upstream_option = format!("--upstream={}", upstream.1);

    let mut first = None;
    for form in FORMS {
        let form_option = format!("--variant={form}");
        let server = start(&["serve", &form_option, &upstream_option, &files_option]);
        let url = format!("{}/videos/7", server.1);
        let mut answer = ureq::get(&url)
            .call()
            .unwrap_or_else(|error| panic!("{form}: {error}"));
        let answer: Value = answer.body_mut().read_json().expect("JSON");
        assert_eq!(answer["id"], 7);
        assert_eq!(answer["next"], serde_json::json!([8, 9, 10, 11, 12]));
        assert_eq!(answer["cues"], 60);
        assert_eq!(
            first.get_or_insert_with(|| answer.clone()),
            &answer,
            "{form}"
        );

        let missing = ureq::get(format!("{}/videos/99", server.1)).call();
        assert!(
            matches!(missing, Err(ureq::Error::StatusCode(404))),
            "{form}: {missing:?}"
        );
    }
    seed(files.path(), &["--remove"]);
}
