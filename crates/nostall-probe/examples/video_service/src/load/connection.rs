//! One connection that is kept for many requests.

use std::net::SocketAddr;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::HOST;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;

/// A connection, closed when it is dropped.
pub(crate) struct Connection {
    sender: SendRequest<Empty<Bytes>>,
    driver: JoinHandle<()>,
}

/// What went wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Problem {
    /// No connection.
    Connect,
    /// The connection ended before the answer did.
    Broken,
    /// An answer with another status than 200.
    Status(StatusCode),
    /// An answer to another question.
    WrongAnswer,
    /// No whole answer in time.
    TimedOut,
}

impl Problem {
    /// The name under which it is counted.
    pub(crate) fn name(self) -> String {
        match self {
            Self::Connect => "connect".to_owned(),
            Self::Broken => "broken".to_owned(),
            Self::Status(status) => format!("status {}", status.as_u16()),
            Self::WrongAnswer => "wrong answer".to_owned(),
            Self::TimedOut => "time-out".to_owned(),
        }
    }
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> Result<Self, Problem> {
        let stream = TcpStream::connect(address)
            .await
            .map_err(|_| Problem::Connect)?;
        stream.set_nodelay(true).map_err(|_| Problem::Connect)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|_| Problem::Connect)?;
        let driver = tokio::spawn(async {
            // How a connection ends is seen by the request that needed it.
            let _ = connection.await;
        });
        Ok(Self { sender, driver })
    }

    /// Asks and takes in the whole answer.
    pub(crate) async fn get(&mut self, path: &str) -> Result<Bytes, Problem> {
        let request = Request::get(path)
            .header(HOST, "localhost")
            .body(Empty::new())
            .expect("the path is made of letters and digits");
        self.sender.ready().await.map_err(|_| Problem::Broken)?;
        let answer = self
            .sender
            .send_request(request)
            .await
            .map_err(|_| Problem::Broken)?;
        let status = answer.status();
        let body = answer
            .into_body()
            .collect()
            .await
            .map_err(|_| Problem::Broken)?;
        if status != StatusCode::OK {
            return Err(Problem::Status(status));
        }
        Ok(body.to_bytes())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}
