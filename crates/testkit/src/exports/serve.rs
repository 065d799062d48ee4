use std::io::{self, BufRead, BufReader, Write as _};
use std::net::TcpStream;
use std::ops::Range;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use super::generation::Document;
use super::{Asked, Misbehaviour, Shared, State};

/// How many bytes a chunk has.
const CHUNK: usize = 16 << 10;

/// How many pieces a slow answer has in a second.
const PIECES: u32 = 20;

/// One request's head.
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    query: String,
    headers: Vec<(String, String)>,
}

/// What will be sent.
struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Arc<[u8]>,
    /// The part of `body` that is sent.
    part: Range<usize>,
}

impl Shared {
    /// All requests of one connection. A client that goes away in the middle is its own business.
    pub(super) fn serve(&self, stream: &TcpStream) {
        let _ = stream.set_nodelay(true);
        let Ok(other) = stream.try_clone() else { return };
        let number = {
            let mut state = self.state();
            if !state.up {
                return;
            }
            state.next += 1;
            let number = state.next;
            state.open.insert(number, other);
            number
        };
        let mut reader = BufReader::new(stream);
        while let Some(request) = Request::read(&mut reader) {
            if !matches!(self.answer(&request, stream), Ok(true)) {
                break;
            }
        }
        // A second handle is still open elsewhere; without this the other side would wait for ever.
        let _ = stream.shutdown(std::net::Shutdown::Both);
        self.state().open.remove(&number);
    }

    /// Whether the connection is good for another request.
    fn answer(&self, request: &Request, stream: &TcpStream) -> io::Result<bool> {
        let (mut reply, how, number) = {
            let mut state = self.state();
            let how = state.misbehaviour(&request.path);
            let reply = match how {
                Some(Misbehaviour::Status(status)) => {
                    let mut reply = Reply::text(status, "asked to fail\n");
                    reply.headers.extend(state.headers.iter().cloned());
                    reply
                }
                _ => state.reply(request),
            };
            state.asked.push(Asked { status: reply.status, ..request.asked() });
            (reply, how, state.asked.len() - 1)
        };
        if request.method == "HEAD" {
            // The length is said, the body is not sent.
            let length = reply.part.len();
            reply.headers.push(("content-length".to_owned(), length.to_string()));
            reply.part = 0..0;
            return reply.head().and_then(|head| (&mut &*stream).write_all(&head)).map(|()| !request.closes());
        }
        let sent = self.send(&mut reply, how.as_ref(), stream);
        let (bytes, alive) = match sent {
            Ok(alive) => (reply.part.len(), alive),
            Err(_) => (0, false),
        };
        let mut state = self.state();
        if let Some(asked) = state.asked.get_mut(number).filter(|asked| asked.path == request.path) {
            asked.bytes = bytes;
        }
        if how == Some(Misbehaviour::Switch) {
            state.recipe.advance();
            state.make();
        }
        Ok(alive && !request.closes())
    }

    fn send(&self, reply: &mut Reply, how: Option<&Misbehaviour>, mut stream: &TcpStream) -> io::Result<bool> {
        let chunked = matches!(how, Some(Misbehaviour::Chunked | Misbehaviour::ChunkedCut(_)));
        let length = match how {
            Some(Misbehaviour::Announce(length)) => *length,
            _ => reply.part.len() as u64,
        };
        reply.headers.push(match chunked {
            true => ("transfer-encoding".to_owned(), "chunked".to_owned()),
            false => ("content-length".to_owned(), length.to_string()),
        });
        match how {
            Some(Misbehaviour::Hold) => self.wait_for_release(),
            Some(Misbehaviour::HangUp) => return Ok(false),
            // Flipped as often as it is asked for: the tree itself stays as it is.
            Some(Misbehaviour::Flip(bit)) => {
                let mut body = reply.body.to_vec();
                if let Some(byte) = body.get_mut(bit / 8) {
                    *byte ^= 1 << (bit % 8);
                }
                reply.body = Arc::from(body);
            }
            _ => {}
        }
        let cut = match how {
            Some(Misbehaviour::Cut(after) | Misbehaviour::ChunkedCut(after)) => Some(*after),
            _ => None,
        };
        let whole = reply.part.len();
        reply.part.end = reply.part.start + cut.map_or(whole, |after| after.min(whole));
        let head = reply.head()?;
        let body = &reply.body[reply.part.clone()];
        match how {
            Some(Misbehaviour::Slow(rate)) => {
                stream.write_all(&head)?;
                for piece in body.chunks((rate / PIECES as usize).max(1)) {
                    stream.write_all(piece)?;
                    std::thread::park_timeout(Duration::from_secs(1) / PIECES);
                }
            }
            _ if chunked => {
                stream.write_all(&head)?;
                for piece in body.chunks(CHUNK) {
                    stream.write_all(format!("{:x}\r\n", piece.len()).as_bytes())?;
                    stream.write_all(piece)?;
                    stream.write_all(b"\r\n")?;
                }
                if cut.is_none() {
                    stream.write_all(b"0\r\n\r\n")?;
                }
            }
            // In one packet if it fits.
            _ if body.len() <= CHUNK => stream.write_all(&[&head, body].concat())?,
            _ => {
                stream.write_all(&head)?;
                stream.write_all(body)?;
            }
        }
        Ok(cut.is_none() && length == whole as u64)
    }

    fn wait_for_release(&self) {
        let state = self.state();
        // A thread that is left over when the test ends must not wait for ever.
        let limit = Duration::from_secs(120);
        let held = self.released.wait_timeout_while(state, limit, |state| !state.released);
        drop(held.unwrap_or_else(PoisonError::into_inner));
    }
}

impl Request {
    pub(super) fn read(reader: &mut impl BufRead) -> Option<Self> {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let mut words = line.trim_end().split(' ');
        let (method, target, version) = (words.next()?.to_owned(), words.next()?.to_owned(), words.next()?);
        if !version.starts_with("HTTP/1.") {
            return None;
        }
        let mut headers = Vec::new();
        if version == "HTTP/1.0" {
            headers.push(("connection".to_owned(), "close".to_owned()));
        }
        loop {
            line.clear();
            reader.read_line(&mut line).ok()?;
            match line.trim_end() {
                "" => break,
                header => {
                    let (name, value) = header.split_once(':')?;
                    headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
                }
            }
        }
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        Some(Self { method, path: path.to_owned(), query: query.to_owned(), headers })
    }

    pub(super) fn header(&self, wanted: &str) -> Option<&str> {
        self.headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
    }

    /// As it is noted, without an answer.
    pub(super) fn asked(&self) -> Asked {
        Asked {
            method: self.method.clone(),
            path: self.path.clone(),
            query: self.query.clone(),
            headers: self.headers.clone(),
            status: 0,
            bytes: 0,
        }
    }

    /// Whether nothing more can be asked here. A body that is not read would be taken for a request.
    pub(super) fn closes(&self) -> bool {
        let body = self.header("transfer-encoding").is_some()
            || self.header("content-length").is_some_and(|length| length != "0");
        body || self.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"))
    }
}

impl Reply {
    fn new(status: u16, body: Arc<[u8]>) -> Self {
        let part = 0..body.len();
        Self { status, headers: Vec::new(), body, part }
    }

    fn text(status: u16, text: &str) -> Self {
        Self::new(status, Arc::from(text.as_bytes())).with("content-type", "text/plain")
    }

    fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    fn head(&self) -> io::Result<Vec<u8>> {
        let mut head = Vec::with_capacity(512);
        write!(head, "HTTP/1.1 {} {}\r\n", self.status, reason(self.status))?;
        for (name, value) in &self.headers {
            // A 304 has no body, and a length there would be the body's that it stands for.
            if self.status != 304 || name != "content-length" {
                write!(head, "{name}: {value}\r\n")?;
            }
        }
        head.extend_from_slice(b"\r\n");
        Ok(head)
    }
}

impl State {
    fn reply(&self, request: &Request) -> Reply {
        let mut reply = self.plain(request);
        reply.headers.extend(self.headers.iter().cloned());
        reply
    }

    fn plain(&self, request: &Request) -> Reply {
        if !matches!(request.method.as_str(), "GET" | "HEAD") {
            return Reply::text(405, "only GET and HEAD\n").with("allow", "GET, HEAD");
        }
        let Some(Document { bytes: body, etag }) = self.found(&request.path) else {
            return Reply::text(404, "no such export\n");
        };
        let modified = self.generation.modified().to_owned();
        let described = |reply: Reply| {
            let kind = if request.path.ends_with(".jws") { "application/jose" } else { "application/json" };
            let reply = reply.with("content-type", kind).with("accept-ranges", "bytes");
            reply.with("etag", etag.clone()).with("last-modified", modified.clone())
        };
        let unchanged = match request.header("if-none-match") {
            Some(known) => known == "*" || known.split(',').any(|known| known.trim().trim_start_matches("W/") == etag),
            None => request.header("if-modified-since") == Some(modified.as_str()),
        };
        if unchanged {
            return described(Reply::new(304, Arc::from([])));
        }
        let fits = request.header("if-range").is_none_or(|known| known == etag || known == modified);
        let length = body.len();
        match request.header("range").filter(|_| fits).and_then(|range| requested(range, length)) {
            None => described(Reply::new(200, body)),
            Some(Err(())) => Reply::text(416, "no such range\n").with("content-range", format!("bytes */{length}")),
            Some(Ok(part)) => {
                let shown = format!("bytes {}-{}/{length}", part.start, part.end - 1);
                let mut reply = described(Reply::new(206, body)).with("content-range", shown);
                reply.part = part;
                reply
            }
        }
    }
}

/// The one part that a `Range` names. Several parts, or another unit, are answered with the whole, as HTTP allows.
fn requested(range: &str, length: usize) -> Option<Result<Range<usize>, ()>> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let (start, end) = match (first.trim(), last.trim()) {
        ("", suffix) => (length.saturating_sub(suffix.parse().ok()?), length),
        (first, "") => (first.parse().ok()?, length),
        (first, last) => (first.parse().ok()?, last.parse::<usize>().ok()?.saturating_add(1).min(length)),
    };
    Some(if start < end { Ok(start..end) } else { Err(()) })
}

pub(super) fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        401 => "Unauthorized",
        206 => "Partial Content",
        304 => "Not Modified",
        404 => "Not Found",
        405 => "Method Not Allowed",
        416 => "Range Not Satisfiable",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "Answer",
    }
}
