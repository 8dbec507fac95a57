//! A server on the loopback that speaks as much of Redis' protocol as the cache needs, and fails as a test tells it to.
#![allow(clippy::unwrap_used, reason = "as in tests themselves")]

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// One command: on which connection it came, counted from 1, and its words.
pub(crate) struct Asked {
    pub(crate) connection: usize,
    pub(crate) words: Vec<String>,
}

impl Asked {
    pub(crate) fn is(&self, command: &str) -> bool {
        self.words[0] == command
    }
}

/// What the server does about a command.
pub(crate) enum Act {
    /// Sends this.
    Say(String),
    /// Sends this, then hangs up.
    SayAndHangUp(&'static str),
    /// Does nothing: the reply stays out.
    Wait,
}

impl From<&str> for Act {
    fn from(text: &str) -> Self {
        Self::Say(text.to_owned())
    }
}

type Acting = Pin<Box<dyn Future<Output = Act> + Send>>;
type Act1 = dyn Fn(Asked) -> Acting + Send + Sync;

/// The running server; it and its connections end with it.
pub(crate) struct Fake {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Fake {
    pub(crate) async fn start<F, Fut>(act: F) -> Self
    where
        F: Fn(Asked) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Act> + Send + 'static,
    {
        Self::start_at("127.0.0.1:0".parse().unwrap(), act).await
    }

    pub(crate) async fn start_at<F, Fut>(address: SocketAddr, act: F) -> Self
    where
        F: Fn(Asked) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Act> + Send + 'static,
    {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let act: Arc<Act1> = Arc::new(move |asked| Box::pin(act(asked)));
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        let task = tokio::spawn(async move {
            let mut served = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let connection = counted.fetch_add(1, Ordering::SeqCst) + 1;
                served.spawn(serve(stream, connection, Arc::clone(&act)));
            }
        });
        Self {
            address,
            connections,
            task,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}/", self.address)
    }

    /// How many connections there have been.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    pub(crate) async fn stop(self) {
        self.task.abort();
        assert!(self.task.await.unwrap_err().is_cancelled());
    }
}

async fn serve(stream: TcpStream, connection: usize, act: Arc<Act1>) {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    while let Some(words) = words(&mut read).await {
        let said = match words[0].as_str() {
            "CLIENT" => Act::from("+OK\r\n"),
            "HELLO" => match act(Asked { connection, words }).await {
                Act::Say(text) if text.is_empty() => "%1\r\n+proto\r\n:3\r\n".into(),
                other => other,
            },
            _ => act(Asked { connection, words }).await,
        };
        let sent = match said {
            Act::Say(text) => write.write_all(text.as_bytes()).await,
            Act::Wait => Ok(()),
            Act::SayAndHangUp(text) => {
                let _ = write.write_all(text.as_bytes()).await;
                return;
            }
        };
        if sent.is_err() {
            return;
        }
    }
}

/// Reads an array of strings.
async fn words(read: &mut (impl AsyncBufReadExt + Unpin)) -> Option<Vec<String>> {
    let count = number(read).await?;
    let mut words = Vec::new();
    for _ in 0..count {
        let mut word = vec![0; number(read).await? + 2];
        read.read_exact(&mut word).await.ok()?;
        word.truncate(word.len() - 2);
        words.push(String::from_utf8(word).ok()?);
    }
    Some(words)
}

/// Reads `*3` or `$3`.
async fn number(read: &mut (impl AsyncBufReadExt + Unpin)) -> Option<usize> {
    let mut line = String::new();
    read.read_line(&mut line).await.ok()?;
    line.trim_end().get(1..)?.parse().ok()
}
