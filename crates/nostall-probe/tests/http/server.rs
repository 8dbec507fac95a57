//! A server that does what a script says.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What the server does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    Send(String),
    Pause(Duration),
    /// Waits until the client is gone.
    Stall,
    /// Ends the connection in order.
    Close,
    /// Ends it with a reset.
    Reset,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    seen: Mutex<Vec<Seen>>,
    connections: AtomicUsize,
    open: AtomicUsize,
    busy: AtomicUsize,
    most_busy: AtomicUsize,
}

impl Server {
    /// Starts a server; the script is told how many requests came before.
    pub(crate) async fn start<S>(script: S) -> Self
    where
        S: Fn(usize, &Seen) -> Vec<Act> + Send + Sync + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let (script, ours) = (Arc::new(script), Arc::clone(&shared));
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                stream.set_nodelay(true).unwrap();
                tokio::spawn(serve(stream, Arc::clone(&ours), Arc::clone(&script)));
            }
        });
        Self {
            address,
            shared,
            task,
        }
    }

    /// Starts a server that does `first` with the first request and answers "fine" to the others.
    pub(crate) async fn at_first(first: Vec<Act>) -> Self {
        Self::start(move |before, _| {
            if before == 0 {
                first.clone()
            } else {
                ok("fine")
            }
        })
        .await
    }

    /// Starts a server that does the same with each request.
    pub(crate) async fn always(acts: Vec<Act>) -> Self {
        Self::start(move |_, _| acts.clone()).await
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    pub(crate) fn requests(&self) -> usize {
        self.shared.seen.lock().unwrap().len()
    }

    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    pub(crate) fn open(&self) -> usize {
        self.shared.open.load(Ordering::SeqCst)
    }

    /// How many requests were worked on at once, at the most. The work is what comes before the last act.
    pub(crate) fn most_busy(&self) -> usize {
        self.shared.most_busy.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A whole answer.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> Vec<Act> {
    let length = body.len();
    let text = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n{body}");
    vec![Act::Send(text)]
}

pub(crate) fn ok(body: &str) -> Vec<Act> {
    answer("200 OK", "", body)
}

async fn serve<S>(mut stream: TcpStream, shared: Arc<Shared>, script: Arc<S>)
where
    S: Fn(usize, &Seen) -> Vec<Act>,
{
    shared.connections.fetch_add(1, Ordering::SeqCst);
    shared.open.fetch_add(1, Ordering::SeqCst);
    let mut unread = Vec::new();
    while let Some(request) = request(&mut stream, &mut unread).await {
        let before = {
            let mut seen = shared.seen.lock().unwrap();
            seen.push(request.clone());
            seen.len() - 1
        };
        let busy = shared.busy.fetch_add(1, Ordering::SeqCst) + 1;
        shared.most_busy.fetch_max(busy, Ordering::SeqCst);
        let mut acts = script(before, &request);
        let last = acts.split_off(acts.len() - 1);
        let stays = perform(&mut stream, acts).await;
        shared.busy.fetch_sub(1, Ordering::SeqCst);
        if !stays || !perform(&mut stream, last).await {
            break;
        }
    }
    shared.open.fetch_sub(1, Ordering::SeqCst);
}

/// Answers whether the connection stays.
async fn perform(stream: &mut TcpStream, acts: Vec<Act>) -> bool {
    for act in acts {
        match act {
            Act::Send(text) => {
                if stream.write_all(text.as_bytes()).await.is_err() {
                    return false;
                }
            }
            Act::Pause(time) => tokio::time::sleep(time).await,
            Act::Stall => {
                let _ = stream.read(&mut [0]).await;
                return false;
            }
            Act::Close => return false,
            Act::Reset => {
                stream.set_zero_linger().unwrap();
                return false;
            }
        }
    }
    true
}

async fn request(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<Seen> {
    let end = loop {
        if let Some(at) = unread.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        more(stream, unread).await?;
    };
    let head: Vec<u8> = unread.drain(..end).collect();
    let mut seen = Seen {
        head: String::from_utf8(head).unwrap(),
        body: String::new(),
    };
    let length = seen.header("content-length").unwrap_or("0");
    let length: usize = length.parse().unwrap();
    while unread.len() < length {
        more(stream, unread).await?;
    }
    seen.body = String::from_utf8(unread.drain(..length).collect()).unwrap();
    Some(seen)
}

async fn more(stream: &mut TcpStream, unread: &mut Vec<u8>) -> Option<()> {
    match stream.read_buf(unread).await {
        Ok(read) if read > 0 => Some(()),
        _ => None,
    }
}
