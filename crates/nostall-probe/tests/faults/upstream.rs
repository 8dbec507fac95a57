//! An upstream that refuses, is slow, answers by halves, or hangs up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nostall_probe::IoSystem;
use nostall_probe::http::HttpOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::{alive_tasks, assert_all_ended, assert_no_task_left, in_time, policy};

const WHOLE: &str = "{\"answer\":42}";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_upstream_that_fails_now_and_then() {
    let before = alive_tasks();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/", listener.local_addr().unwrap());
    let server = tokio::spawn(serve(listener));
    let options = HttpOptions {
        policy: policy(100),
        ..HttpOptions::default()
    };
    let io = IoSystem::builder()
        .http_with(base, options)
        .build()
        .await
        .unwrap();
    let http = io.http().unwrap();

    let get = |number: usize| in_time(http.get_json::<serde_json::Value>(number.to_string()));
    let gathered = io.gather((0..1000).map(get), 200).await;
    assert_eq!(gathered.ok.len() + gathered.errors.len(), 1000);
    for (_, value) in &gathered.ok {
        assert_eq!(value["answer"], 42);
    }
    // Half of the answers are bad; of four tries all bad ones are one in sixteen.
    assert!(
        gathered.errors.len() < 200,
        "{} of 1000 failed: {:?}",
        gathered.errors.len(),
        gathered.errors.first()
    );
    let total = io.snapshot().total;
    assert!(total.retries > 400, "{total:?}");
    assert_eq!(total.operations, 1000);
    assert_all_ended(&io);
    drop(io);
    server.abort();
    let _ = server.await;
    assert_no_task_left(before).await;
}

async fn serve(listener: TcpListener) {
    let count = Arc::new(AtomicU64::new(0));
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            return;
        };
        tokio::spawn(connection(stream, Arc::clone(&count)));
    }
}

/// Every other answer is good; the bad ones take turns.
async fn connection(mut stream: TcpStream, count: Arc<AtomicU64>) -> std::io::Result<()> {
    let mut head = Vec::new();
    loop {
        head.clear();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0; 512];
            let read = stream.read(&mut byte).await?;
            if read == 0 {
                return Ok(());
            }
            head.extend_from_slice(&byte[..read]);
        }
        let good = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{WHOLE}",
            WHOLE.len()
        );
        // A multiplicative hash: the order of answers does not follow the order of tries.
        let number = count
            .fetch_add(1, Ordering::Relaxed)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15);
        match number >> 61 {
            0 => {
                stream
                    .write_all(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n")
                    .await?;
            }
            1 => {
                stream.write_all(&good.as_bytes()[..good.len() - 5]).await?;
                return stream.shutdown().await;
            }
            2 => {
                stream.set_zero_linger()?;
                return Ok(());
            }
            3 => {
                tokio::time::sleep(Duration::from_millis(2300)).await;
                stream.write_all(good.as_bytes()).await?;
            }
            _ => stream.write_all(good.as_bytes()).await?,
        }
    }
}
