//! One connection: requests in, answers out.
//!
//! HTTP/1.1 is written out here instead of taken from hyper, for two reasons. The buffer that a credential is received in is ours and is
//! overwritten; hyper keeps it in shared buffers and header maps that nobody clears. And a request costs a third less time outside the
//! kernel (measured with nginx in front: 2.2 µs instead of 3.2). What is given up is what the gateway never sends: bodies, trailers,
//! upgrades. The head is parsed by `httparse`, as in hyper.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use zeroize::Zeroize as _;

use crate::desk::{Desk, Reply, Verdict};
use crate::event::{Kind, Level};
use crate::head::{self, Head, Refusal};

#[cfg(test)]
mod tests;

/// The head of a request. nginx takes header lines of up to 8 KiB, of which one may be passed on here.
const BUFFER_BYTES: usize = 16 * 1024;

/// How long a connection may take.
#[derive(Clone, Copy)]
pub(crate) struct Times {
    /// For a head, from its first byte to its last. The gateway sends a head at once.
    pub(crate) head: Duration,
    /// For a credential to be checked. The queue is short; who waits for so long is told to come again.
    pub(crate) wait: Duration,
    /// For an answer to be taken. It is smaller than any socket's buffer.
    pub(crate) write: Duration,
}

impl Default for Times {
    fn default() -> Self {
        let time = Duration::from_secs(10);
        Self { head: time, wait: time, write: time }
    }
}

const WRONG: &[u8] = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n";
const CLOSED: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\nContent-Length: 0\r\n\r\n";
const NOT_FOUND: &[u8] = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";
const NOT_ALLOWED: &[u8] = b"HTTP/1.1 405 Method Not Allowed\r\nAllow: GET, HEAD\r\nContent-Length: 0\r\n\r\n";
const MALFORMED: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";
const BODY: &[u8] = b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 0\r\n\r\n";
const TOO_LARGE: &[u8] = b"HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\n\r\n";

/// What all connections share.
pub(crate) struct Door {
    pub(crate) desk: Arc<Desk>,
    pub(crate) times: Times,
    /// From now on every answer is the last of its connection.
    pub(crate) ending: AtomicBool,
    /// Requests that have been read and not answered.
    pub(crate) running: AtomicUsize,
    /// Requests that have been answered.
    pub(crate) answered: AtomicUsize,
}

/// What to do about a request, with nothing borrowed from the buffer.
enum Step {
    Answer(Answer),
    Wait(tokio::sync::oneshot::Receiver<Verdict>),
}

enum Answer {
    Fixed(&'static [u8]),
    Right(Arc<[u8]>),
    Made(Vec<u8>),
}

impl Answer {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Fixed(bytes) => bytes,
            Self::Right(bytes) => bytes,
            Self::Made(bytes) => bytes,
        }
    }

    fn of(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Right(answer) => Self::Right(answer),
            Verdict::Wrong => Self::Fixed(WRONG),
            Verdict::Busy => Self::Fixed(BUSY),
            Verdict::Closed => Self::Fixed(CLOSED),
        }
    }

    /// The same, and the connection ends.
    fn last(&self) -> Vec<u8> {
        let bytes = self.bytes();
        let status = bytes.iter().position(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        [&bytes[..status], b"Connection: close\r\n", &bytes[status..]].concat()
    }
}

/// The bytes that have come and are not done with. Overwritten as soon as they are, and when the connection ends.
struct Buffer {
    bytes: Vec<u8>,
    filled: usize,
}

impl Buffer {
    fn new() -> Self {
        Self { bytes: vec![0; BUFFER_BYTES], filled: 0 }
    }

    fn has_room(&self) -> bool {
        self.filled < self.bytes.len()
    }

    async fn fill(&mut self, stream: &mut (impl AsyncRead + Unpin)) -> Option<()> {
        let read = stream.read(&mut self.bytes[self.filled..]).await.ok().filter(|read| *read > 0)?;
        self.filled += read;
        Some(())
    }

    fn consume(&mut self, length: usize) {
        self.bytes.copy_within(length..self.filled, 0);
        let left = self.filled - length;
        self.bytes[left..self.filled].zeroize();
        self.filled = left;
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        self.bytes[..self.filled].zeroize();
    }
}

impl Door {
    /// Serves a connection to its end.
    pub(crate) async fn serve(&self, mut stream: impl AsyncRead + AsyncWrite + Unpin) {
        let mut buffer = Buffer::new();
        // Whatever goes wrong with a connection, nobody is at its other end who could be told.
        while self.next(&mut stream, &mut buffer).await.is_some() {}
    }

    /// One request. `None` ends the connection.
    async fn next(&self, stream: &mut (impl AsyncRead + AsyncWrite + Unpin), buffer: &mut Buffer) -> Option<()> {
        let mut end = None;
        let (step, closes, length) = loop {
            match head::read(&buffer.bytes[..buffer.filled]) {
                Head::Whole(request, length) => break (self.step(&request), request.closes, length),
                Head::Refused(refusal) => break (self.refuse(refusal), true, buffer.filled),
                Head::Partial if !buffer.has_room() => {
                    break (self.refuse(Refusal::TooManyHeaders), true, buffer.filled);
                }
                // A connection that waits for its next request costs nothing, and the gateway decides how long it keeps it.
                Head::Partial if buffer.filled == 0 => buffer.fill(stream).await?,
                // One byte at a time is no way to keep it open either.
                Head::Partial => {
                    let end = *end.get_or_insert_with(|| tokio::time::Instant::now() + self.times.head);
                    tokio::time::timeout_at(end, buffer.fill(stream)).await.ok()??;
                }
            }
        };
        let _running = Running::of(self);
        buffer.consume(length);
        let answer = match step {
            Step::Answer(answer) => answer,
            Step::Wait(receiver) => Answer::of(wait(receiver, self.times.wait, stream, buffer).await?),
        };
        if closes || self.ending.load(Ordering::Relaxed) {
            let _ = tokio::time::timeout(self.times.write, stream.write_all(&answer.last())).await;
            let _ = stream.shutdown().await;
            return None;
        }
        // The timer is set only where the socket does not take the answer at once.
        tokio::time::timeout(self.times.write, stream.write_all(answer.bytes())).await.ok()?.ok()
    }

    fn step(&self, request: &head::Request<'_>) -> Step {
        if !request.is_read {
            return Step::Answer(Answer::Fixed(NOT_ALLOWED));
        }
        match request.target {
            "/verify" => match self.desk.ask(request.domain, request.authorization, Instant::now()) {
                Reply::Now(verdict) => Step::Answer(Answer::of(verdict)),
                Reply::Later(receiver) => Step::Wait(receiver),
            },
            "/health" => Step::Answer(Answer::Made(self.health(request.is_head))),
            _ => Step::Answer(Answer::Fixed(NOT_FOUND)),
        }
    }

    fn refuse(&self, refusal: Refusal) -> Step {
        let (bytes, message) = match refusal {
            Refusal::Malformed => (MALFORMED, "a request is not HTTP/1.1"),
            Refusal::Body => (BODY, "a request has a body; the gateway must not pass it on"),
            Refusal::TooManyHeaders => (TOO_LARGE, "the head of a request is too large"),
        };
        self.desk.log.tell_seldom(Level::Warning, Kind::BadRequest, None, message);
        Step::Answer(Answer::Fixed(bytes))
    }

    /// Whether every domain can be judged. Domains are plain words and need no escaping.
    fn health(&self, is_head: bool) -> Vec<u8> {
        let domains = self.desk.health(Instant::now());
        let is_open = domains.iter().all(|(_, tenants)| tenants.is_some());
        let domains: Vec<String> = domains
            .iter()
            .map(|(domain, tenants)| match tenants {
                Some(tenants) => format!(r#""{domain}":{{"status":"open","tenants":{tenants}}}"#),
                None => format!(r#""{domain}":{{"status":"closed"}}"#),
            })
            .collect();
        let (code, status) = if is_open { ("200 OK", "ok") } else { ("503 Service Unavailable", "failing") };
        let body = format!("{{\"status\":\"{status}\",\"domains\":{{{}}}}}\n", domains.join(","));
        let length = body.len();
        let body = if is_head { "" } else { &body };
        let head = "Content-Type: application/json\r\nCache-Control: no-store";
        format!("HTTP/1.1 {code}\r\n{head}\r\nContent-Length: {length}\r\n\r\n{body}").into_bytes()
    }
}

/// Waits for a verdict, or for the other side to hang up. What it sends in the meantime is its next request.
async fn wait(
    mut receiver: tokio::sync::oneshot::Receiver<Verdict>,
    time: Duration,
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut Buffer,
) -> Option<Verdict> {
    let end = tokio::time::sleep(time);
    let mut end = std::pin::pin!(end);
    loop {
        let has_room = buffer.has_room();
        tokio::select! {
            verdict = &mut receiver => return Some(verdict.unwrap_or(Verdict::Busy)),
            filled = buffer.fill(stream), if has_room => filled?,
            () = &mut end => return Some(Verdict::Busy),
        }
    }
}

/// Counts a request while it lives.
struct Running<'a>(&'a Door);

impl<'a> Running<'a> {
    fn of(door: &'a Door) -> Self {
        door.running.fetch_add(1, Ordering::Relaxed);
        Self(door)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.answered.fetch_add(1, Ordering::Relaxed);
        self.0.running.fetch_sub(1, Ordering::Relaxed);
    }
}
