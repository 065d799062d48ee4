//! Redis's protocol (RESP2), read piece by piece.
//!
//! Written here because the libraries for it read a whole reply before they hand it over and know no limit: a page of a thousand entries
//! with a few megabytes each would have to fit into memory, and a server that lies about a length could ask for any amount of it. Here
//! the caller walks through a reply, and what is too long is passed over without being kept.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

/// The longest line of the protocol: a number, or an error text.
const LONGEST_LINE: usize = 16 * 1024;

/// How deeply replies nest: `XINFO STREAM` needs four.
const DEEPEST: usize = 8;

/// More parts than any reply has that is read whole.
const MOST_PARTS: usize = 100_000;

/// Texts of a reply that is read whole, together. `XINFO STREAM` shows two entries of the stream, and little else.
const MOST_REPLY_BYTES: usize = 4 * 1024 * 1024;

/// Redis itself takes no longer text. What claims to be longer would never have been passed over.
const LONGEST_TEXT: usize = 512 * 1024 * 1024;

/// Read from the connection at once.
const PIECE: usize = 64 * 1024;

/// Why there is no reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The server says no, in its words.
    Refused(String),
    /// The connection ended or broke.
    Broken,
    /// Nothing came for so long.
    Late(Duration),
    /// What came is not this protocol. With its beginning.
    Nonsense(String),
}

/// A reply, or a part of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Nothing,
    Number(i64),
    Text(Vec<u8>),
    /// A text that was longer than allowed and has been passed over.
    TooLong,
    List(Vec<Self>),
}

impl Value {
    pub(crate) fn text(&self) -> Option<&[u8]> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(text) => std::str::from_utf8(text).ok()?.parse().ok(),
            _ => None,
        }
    }

    pub(crate) fn list(&self) -> &[Self] {
        match self {
            Self::List(list) => list,
            _ => &[],
        }
    }

    /// A value of a list that is a map: name, value, name, value.
    pub(crate) fn member(&self, name: &str) -> Option<&Self> {
        self.list().chunks_exact(2).find(|pair| pair[0].text() == Some(name.as_bytes())).map(|pair| &pair[1])
    }
}

/// A connection that speaks the protocol.
#[derive(Debug)]
pub(crate) struct Resp<S> {
    stream: S,
    /// What was read and not yet used begins at `at`.
    buffer: Vec<u8>,
    at: usize,
    /// For each wait; a reply may take longer as long as it keeps coming.
    limit: Duration,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Resp<S> {
    pub(crate) fn new(stream: S, limit: Duration) -> Self {
        Self { stream, buffer: Vec::new(), at: 0, limit }
    }

    pub(crate) async fn send(&mut self, command: &[&[u8]]) -> Result<(), Stop> {
        let mut out = format!("*{}\r\n", command.len()).into_bytes();
        for part in command {
            out.extend_from_slice(format!("${}\r\n", part.len()).as_bytes());
            out.extend_from_slice(part);
            out.extend_from_slice(b"\r\n");
        }
        let write = async {
            self.stream.write_all(&out).await?;
            self.stream.flush().await
        };
        match timeout(self.limit, write).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Stop::Broken),
            Err(_) => Err(Stop::Late(self.limit)),
        }
    }

    /// A whole reply. Texts longer than `longest` are passed over.
    pub(crate) async fn value(&mut self, longest: usize) -> Result<Value, Stop> {
        // By hand and not by recursion: what waits for its parts stands on a stack of known height.
        let mut open: Vec<(usize, Vec<Value>)> = Vec::new();
        let (mut parts, mut room) = (0_usize, MOST_REPLY_BYTES);
        loop {
            parts += 1;
            if parts > MOST_PARTS {
                return Err(Stop::Nonsense("a reply with more parts than it can have".to_owned()));
            }
            let mut value = match self.head().await? {
                Head::Nothing => Value::Nothing,
                Head::Number(number) => Value::Number(number),
                Head::Line(line) => Value::Text(line),
                Head::Text(length) => self.content(length, longest).await?.map_or(Value::TooLong, Value::Text),
                Head::List(0) => Value::List(Vec::new()),
                Head::List(_) if open.len() >= DEEPEST => {
                    return Err(Stop::Nonsense("a reply nested too deeply".to_owned()));
                }
                Head::List(count) => {
                    open.push((count, Vec::new()));
                    continue;
                }
            };
            room = room
                .checked_sub(value.text().map_or(0, <[u8]>::len))
                .ok_or_else(|| Stop::Nonsense("a reply with more bytes than it can have".to_owned()))?;
            loop {
                let Some((count, list)) = open.last_mut() else { return Ok(value) };
                list.push(value);
                if list.len() < *count {
                    break;
                }
                value = Value::List(open.pop().map(|(_, list)| list).unwrap_or_default());
            }
        }
    }

    /// How many parts follow. `None` for a list that is not there.
    pub(crate) async fn list(&mut self) -> Result<Option<usize>, Stop> {
        match self.head().await? {
            Head::List(count) => Ok(Some(count)),
            Head::Nothing => Ok(None),
            _ => Err(Stop::Nonsense("something else where a list was due".to_owned())),
        }
    }

    /// A text. `None` if it is longer than `longest`; it is passed over.
    pub(crate) async fn text(&mut self, longest: usize) -> Result<Option<Vec<u8>>, Stop> {
        match self.head().await? {
            Head::Text(length) => self.content(length, longest).await,
            Head::Line(line) => Ok(Some(line)),
            _ => Err(Stop::Nonsense("something else where a text was due".to_owned())),
        }
    }

    async fn head(&mut self) -> Result<Head, Stop> {
        let line = self.line().await?;
        let nonsense = || Stop::Nonsense(String::from_utf8_lossy(&line).into_owned());
        let (sign, rest) = line.split_first().ok_or_else(nonsense)?;
        let number = || std::str::from_utf8(rest).ok().and_then(|text| text.parse::<i64>().ok()).ok_or_else(nonsense);
        Ok(match sign {
            b'+' => Head::Line(rest.to_vec()),
            b'-' => return Err(Stop::Refused(String::from_utf8_lossy(rest).into_owned())),
            b':' => Head::Number(number()?),
            b'$' | b'*' => match (number()?, sign) {
                (-1, _) => Head::Nothing,
                (length, sign) => {
                    let length = usize::try_from(length).map_err(|_| nonsense())?;
                    if *sign == b'$' { Head::Text(length) } else { Head::List(length) }
                }
            },
            _ => return Err(nonsense()),
        })
    }

    async fn content(&mut self, length: usize, longest: usize) -> Result<Option<Vec<u8>>, Stop> {
        if length > LONGEST_TEXT {
            return Err(Stop::Nonsense("a text that is longer than Redis can hold".to_owned()));
        }
        let mut content = Vec::new();
        let mut left = length;
        while left > 0 {
            if self.rest().is_empty() {
                self.fill().await?;
            }
            let take = left.min(self.rest().len());
            if length <= longest {
                content.extend_from_slice(&self.rest()[..take]);
            }
            self.at += take;
            left -= take;
        }
        if !self.line().await?.is_empty() {
            return Err(Stop::Nonsense("a text longer than it said".to_owned()));
        }
        Ok((length <= longest).then_some(content))
    }

    /// Up to the line's end, without it.
    async fn line(&mut self) -> Result<Vec<u8>, Stop> {
        loop {
            let rest = self.rest();
            if let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") {
                let line = rest[..end].to_vec();
                self.at += end + 2;
                return Ok(line);
            }
            if rest.len() > LONGEST_LINE {
                let start = String::from_utf8_lossy(&rest[..64.min(rest.len())]).into_owned();
                return Err(Stop::Nonsense(start));
            }
            self.fill().await?;
        }
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.at..).unwrap_or_default()
    }

    async fn fill(&mut self) -> Result<(), Stop> {
        self.buffer.drain(..self.at);
        self.at = 0;
        let had = self.buffer.len();
        self.buffer.resize(had + PIECE, 0);
        let read = timeout(self.limit, self.stream.read(&mut self.buffer[had..])).await;
        let count = match &read {
            Ok(Ok(count)) => *count,
            _ => 0,
        };
        self.buffer.truncate(had + count);
        match read {
            Err(_) => Err(Stop::Late(self.limit)),
            // It said something in another language and hung up.
            Ok(Ok(0)) if self.buffer.first().is_some_and(|first| !b"+-:$*\r".contains(first)) => {
                Err(Stop::Nonsense(String::from_utf8_lossy(&self.buffer[..64.min(had)]).into_owned()))
            }
            Ok(Ok(0) | Err(_)) => Err(Stop::Broken),
            Ok(Ok(_)) => Ok(()),
        }
    }
}

/// The beginning of a value.
enum Head {
    Nothing,
    Number(i64),
    Line(Vec<u8>),
    /// With its length.
    Text(usize),
    /// With the number of its parts.
    List(usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is made of these bytes, after which the connection ends.
    fn read(bytes: &[u8], longest: usize) -> Result<Value, Stop> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let (here, mut there) = tokio::io::duplex(bytes.len().max(1));
            there.write_all(bytes).await.unwrap();
            drop(there);
            Resp::new(here, Duration::from_secs(5)).value(longest).await
        })
    }

    #[test]
    fn replies_are_read() {
        let text = |text: &str| Value::Text(text.as_bytes().to_vec());
        assert_eq!(read(b"+OK\r\n", 9), Ok(text("OK")));
        assert_eq!(read(b":-3\r\n", 9), Ok(Value::Number(-3)));
        assert_eq!(read(b"$-1\r\n", 9), Ok(Value::Nothing));
        assert_eq!(read(b"$4\r\na\r\nb\r\n", 9), Ok(text("a\r\nb")));
        assert_eq!(read(b"$4\r\nabcd\r\n", 3), Ok(Value::TooLong));
        assert_eq!(read(b"-NOAUTH no\r\n", 9), Err(Stop::Refused("NOAUTH no".to_owned())));
        let nested = read(b"*3\r\n*0\r\n*2\r\n:1\r\n$1\r\nx\r\n+y\r\n", 9).unwrap();
        assert_eq!(
            nested,
            Value::List(vec![Value::List(vec![]), Value::List(vec![Value::Number(1), text("x")]), text("y")])
        );
    }

    #[test]
    fn what_is_no_reply_is_said_to_be_none() {
        assert!(
            matches!(read(b"HTTP/1.1 400 Bad Request\r\n\r\n", 9), Err(Stop::Nonsense(text)) if text.starts_with("HTTP/1.1"))
        );
        assert!(matches!(read(b"half a line", 9), Err(Stop::Nonsense(_))));
        assert_eq!(read(b"", 9), Err(Stop::Broken));
        assert_eq!(read(b"$5\r\nab", 9), Err(Stop::Broken));
        assert!(matches!(read(b"$1\r\nabc\r\n", 9), Err(Stop::Nonsense(_))));
        assert!(matches!(read(b"$-7\r\n", 9), Err(Stop::Nonsense(_))));
        assert!(matches!(read(&b"*1\r\n".repeat(100), 9), Err(Stop::Nonsense(_))));
        assert!(matches!(read(&[b'x'; 100_000], 9), Err(Stop::Nonsense(_))));
        // Claims of lengths cost nothing until they are kept.
        assert_eq!(read(b"$536870912\r\nab", 1 << 30), Err(Stop::Broken));
        assert_eq!(read(b"*9000000000000000000\r\n", 9), Err(Stop::Broken));
    }

    #[test]
    fn every_limit_ends_a_reply() {
        let nonsense = |bytes: &[u8]| match read(bytes, 64 * 1024) {
            Err(Stop::Nonsense(what)) => what,
            other => panic!("{other:?}"),
        };
        let line = |length: usize| [b"+", "x".repeat(length).as_bytes(), b"\r\n"].concat();
        assert!(read(&line(16 * 1024 - 1), 9).is_ok());
        assert_eq!(nonsense(&line(200 * 1024)), format!("+{}", "x".repeat(63)));
        assert_eq!(read(&[b"*1\r\n".repeat(8), b":1\r\n".to_vec()].concat(), 9).map(drop), Ok(()));
        assert_eq!(nonsense(&[b"*1\r\n".repeat(9), b":1\r\n".to_vec()].concat()), "a reply nested too deeply");
        let list = |parts: usize| [format!("*{parts}\r\n").into_bytes(), b":1\r\n".repeat(parts)].concat();
        assert!(read(&list(99_999), 9).is_ok());
        assert_eq!(nonsense(&list(100_000)), "a reply with more parts than it can have");
        let text = [b"$65536\r\n".as_slice(), &[b'x'; 65_536], b"\r\n"].concat();
        let texts = |count: usize| [format!("*{count}\r\n").as_bytes(), &text.repeat(count)].concat();
        assert!(read(&texts(64), 64 * 1024).is_ok());
        assert_eq!(nonsense(&texts(65)), "a reply with more bytes than it can have");
        assert_eq!(nonsense(b"$536870913\r\nab"), "a text that is longer than Redis can hold");
    }
}
