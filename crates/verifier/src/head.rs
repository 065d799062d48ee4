//! The head of a request, as far as this server wants to know it.
//!
//! Threats: a request that two readers understand differently. Bodies are refused, so that there is nothing to disagree on; a header that
//! decides and stands twice is no answer to its question. What the bytes mean is `httparse`'s business, which is what hyper uses too.

/// More than the gateway sends, and less than would cost time.
const MOST_HEADERS: usize = 32;

pub(crate) enum Head<'a> {
    /// More must come.
    Partial,
    /// Nothing that follows can be understood: this is answered, and the connection closed.
    Refused(Refusal),
    /// With how many bytes it has.
    Whole(Request<'a>, usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Malformed,
    Body,
    TooManyHeaders,
}

pub(crate) struct Request<'a> {
    pub(crate) is_read: bool,
    pub(crate) is_head: bool,
    pub(crate) target: &'a str,
    /// Whether the other side wants no further answer on this connection.
    pub(crate) closes: bool,
    pub(crate) domain: Sent<'a>,
    pub(crate) authorization: Sent<'a>,
}

/// A header that must not stand twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Sent<'a> {
    #[default]
    Not,
    Once(&'a [u8]),
    Often,
}

impl<'a> Sent<'a> {
    fn add(&mut self, value: &'a [u8]) {
        *self = if *self == Self::Not { Self::Once(value) } else { Self::Often };
    }
}

pub(crate) fn read(bytes: &[u8]) -> Head<'_> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    let length = match parsed.parse(bytes) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Head::Partial,
        Err(httparse::Error::TooManyHeaders) => return Head::Refused(Refusal::TooManyHeaders),
        Err(_) => return Head::Refused(Refusal::Malformed),
    };
    let (Some(method), Some(target), Some(minor)) = (parsed.method, parsed.path, parsed.version) else {
        return Head::Refused(Refusal::Malformed);
    };
    let mut request = Request {
        is_read: matches!(method, "GET" | "HEAD"),
        is_head: method == "HEAD",
        target,
        closes: minor == 0,
        domain: Sent::Not,
        authorization: Sent::Not,
    };
    for header in parsed.headers.iter() {
        // The length of a name decides first: comparing without regard to case costs more.
        match header.name.len() {
            10 if header.name.eq_ignore_ascii_case("connection") => {
                let mut words = header.value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
                request.closes |= words.any(|word| word.eq_ignore_ascii_case(b"close"));
            }
            13 if header.name.eq_ignore_ascii_case("authorization") => request.authorization.add(header.value),
            14 if header.name.eq_ignore_ascii_case("content-length") && header.value.trim_ascii() != b"0" => {
                return Head::Refused(Refusal::Body);
            }
            15 if header.name.eq_ignore_ascii_case("x-mirror-domain") => request.domain.add(header.value),
            17 if header.name.eq_ignore_ascii_case("transfer-encoding") => return Head::Refused(Refusal::Body),
            _ => {}
        }
    }
    Head::Whole(request, length)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const WHOLE: &str =
        "GET /verify HTTP/1.1\r\nHost: v\r\nx-mirror-domain: primary\r\nAUTHORIZATION:  Basic QTpi \r\n\r\n";

    #[test]
    fn a_head_is_read_when_it_is_whole() {
        for length in 0..WHOLE.len() {
            assert!(matches!(read(&WHOLE.as_bytes()[..length]), Head::Partial), "{length}");
        }
        let Head::Whole(request, length) = read(WHOLE.as_bytes()) else { panic!("it is whole") };
        assert_eq!((request.target, length, request.closes), ("/verify", WHOLE.len(), false));
        assert_eq!((request.domain, request.authorization), (Sent::Once(b"primary"), Sent::Once(b"Basic QTpi")));
    }

    #[test]
    fn the_second_request_stays() {
        let twice = format!("{WHOLE}{WHOLE}");
        assert!(matches!(read(twice.as_bytes()), Head::Whole(_, length) if length == WHOLE.len()));
    }

    fn refusal(head: &str) -> Option<Refusal> {
        match read(head.as_bytes()) {
            Head::Refused(refusal) => Some(refusal),
            _ => None,
        }
    }

    #[test]
    fn bodies_and_nonsense_are_refused() {
        let head = |header: &str| format!("GET /verify HTTP/1.1\r\n{header}\r\n\r\n");
        assert_eq!(refusal(&head("Content-Length: 1")), Some(Refusal::Body));
        assert_eq!(refusal(&head("Content-Length: 0, 5")), Some(Refusal::Body));
        assert_eq!(refusal(&head("Transfer-Encoding: chunked")), Some(Refusal::Body));
        assert_eq!(refusal(&head("Content-Length: 0")), None);
        assert_eq!(refusal(&head("Host : v")), Some(Refusal::Malformed));
        assert_eq!(refusal(&head("A: b\r\n folded: c")), Some(Refusal::Malformed));
        assert_eq!(refusal(&head("A: b\rc")), Some(Refusal::Malformed));
        assert_eq!(refusal("\x16\x03\x01\x02\x00\x01\x00\x01\x7c\x03\x03"), Some(Refusal::Malformed));
        assert_eq!(refusal("GET /verify HTTP/2.0\r\n\r\n"), Some(Refusal::Malformed));
        assert_eq!(refusal(&head(&["A: b"; 32].join("\r\n"))), None);
        assert_eq!(refusal(&head(&["A: b"; 33].join("\r\n"))), Some(Refusal::TooManyHeaders));
    }

    #[test]
    fn a_connection_ends_when_it_is_asked_to() {
        let closes = |text: &str| matches!(read(text.as_bytes()), Head::Whole(request, _) if request.closes);
        assert!(closes("GET / HTTP/1.0\r\n\r\n"));
        assert!(closes("GET / HTTP/1.1\r\nConnection: TE, Close\r\n\r\n"));
        assert!(!closes("GET / HTTP/1.1\r\nConnection: keep-alive\r\n\r\n"));
    }

    #[test]
    fn what_stands_twice_is_told_apart() {
        let text = "GET / HTTP/1.1\r\nAuthorization: a\r\nX-Mirror-Domain: a\r\nAuthorization: a\r\nx-mirror-domain: b\r\n\r\n";
        let Head::Whole(request, _) = read(text.as_bytes()) else { panic!("it is whole") };
        assert_eq!((request.domain, request.authorization), (Sent::Often, Sent::Often));
    }

    proptest! {
        #[test]
        fn any_bytes_are_safe(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&bytes);
        }
    }
}
