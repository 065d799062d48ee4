//! The stream: what it is, and the events in its window, newest first, page by page.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Instant, timeout_at};

use super::Request;
use super::clock::StreamId;
use super::envelope::Envelope;
use super::fault::Kind;
use super::redis::{Group, Redis, StreamFacts};
use super::resp::{Resp, Stop, Value};
use crate::report::{Finding, shown};

/// Entries of one page. One entry is in memory at a time, so this only decides how often is asked.
const PAGE: usize = 1000;

/// An event with a scan's whole result has a few megabytes. Longer values are passed over, and entries whose values are longer together.
const LONGEST_VALUE: usize = 32 * 1024 * 1024;

/// Fields of one entry; ours have three.
const MOST_FIELDS: usize = 256;

/// After so much, or so long, the window is given up: a check must end.
const MOST_ENTRIES: u64 = 2_000_000;
const LONGEST_READ: Duration = Duration::from_secs(60);

/// Events of one kind that deliveries are looked for; the newest ones. Older ones are counted only.
const MOST_EVENTS: usize = 10_000;

/// Names of other kinds and tenants that are kept to be mentioned.
const MOST_NAMES: usize = 20;

/// What is looked at, in milliseconds of Redis's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    pub(crate) start: i64,
    /// Events that are older do not count, but tell that there were some.
    pub(crate) since: Option<i64>,
}

impl Window {
    pub(crate) fn new(now: i64, lookback: Duration, since: Option<i64>) -> Self {
        let lookback = i64::try_from(lookback.as_millis()).unwrap_or(i64::MAX);
        Self { start: now.saturating_sub(lookback), since }
    }

    fn reaches(self, at: StreamId) -> bool {
        at.millis >= self.start
    }

    fn counts(self, at: StreamId) -> bool {
        self.reaches(at) && self.since.is_none_or(|since| at.millis >= since)
    }

    /// Since when an event counts.
    pub(crate) fn counts_from(self) -> i64 {
        self.since.unwrap_or(self.start).max(self.start)
    }
}

/// An event that must become a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) at: StreamId,
    pub(crate) id: Option<String>,
    /// Its place among the expected kinds.
    pub(crate) kind: usize,
}

/// What the window has of one expected kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OfKind {
    /// Of the tenant, and new enough.
    pub(crate) events: u64,
    pub(crate) newest: Option<StreamId>,
    /// Of the tenant, in the window, but from before the deployment.
    pub(crate) older: u64,
    pub(crate) other_tenants: u64,
    pub(crate) without_tenant: u64,
}

/// What was seen in the window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) entries: u64,
    pub(crate) unreadable: u64,
    pub(crate) too_long: u64,
    /// The newest first within each look.
    pub(crate) events: Vec<Event>,
    /// In the order of the expected kinds.
    pub(crate) kinds: Vec<OfKind>,
    /// Kinds that nobody asked for, with their number, of the tenant.
    pub(crate) other_kinds: BTreeMap<String, u64>,
    /// Other tenants with an expected kind.
    pub(crate) other_tenants: BTreeSet<String>,
    pub(crate) newest: Option<StreamId>,
    /// A limit ended the look before the window's start.
    pub(crate) cut: bool,
}

/// An entry as it stands in the stream. `None` for a value that is too long.
type Fields = Option<Vec<(Vec<u8>, Vec<u8>)>>;

impl Seen {
    pub(crate) fn new(kinds: usize) -> Self {
        Self { kinds: vec![OfKind::default(); kinds], ..Self::default() }
    }

    /// Takes one entry in.
    pub(crate) fn take(&mut self, request: &Request, window: Window, at: StreamId, fields: &Fields) {
        self.entries += 1;
        self.newest = self.newest.max(Some(at));
        let Some(fields) = fields else {
            self.too_long += 1;
            return;
        };
        let Some(Envelope { id, kind: Some(kind), tenant }) = Envelope::of_entry(fields, &request.field) else {
            self.unreadable += 1;
            return;
        };
        let is_ours = tenant.as_ref() == Some(&request.tenant);
        let Some(place) = request.kinds.iter().position(|expected| *expected == kind) else {
            if is_ours && (self.other_kinds.len() < MOST_NAMES || self.other_kinds.contains_key(&kind)) {
                *self.other_kinds.entry(kind).or_default() += 1;
            }
            return;
        };
        let Some(of_kind) = self.kinds.get_mut(place) else { return };
        match tenant {
            None => of_kind.without_tenant += 1,
            Some(tenant) if !is_ours => {
                of_kind.other_tenants += 1;
                if self.other_tenants.len() < MOST_NAMES {
                    self.other_tenants.insert(tenant);
                }
            }
            Some(_) if !window.counts(at) => of_kind.older += 1,
            Some(_) => {
                of_kind.events += 1;
                of_kind.newest = of_kind.newest.max(Some(at));
                if of_kind.events <= MOST_EVENTS as u64 {
                    self.events.push(Event { at, id, kind: place });
                }
            }
        }
    }

    /// Whether every kind has an event.
    pub(crate) fn is_complete(&self) -> bool {
        self.kinds.iter().all(|kind| kind.events > 0)
    }
}

/// What is at the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Stream(StreamFacts),
    Missing,
}

/// Looks what is at the key. A wrong type is a finding.
pub(crate) async fn place(redis: &mut Redis, request: &Request) -> Result<Place, Finding> {
    let key = request.stream.as_bytes();
    let kind = redis.short(&[b"TYPE", key]).await?;
    match kind.text() {
        Some(b"none") => Ok(Place::Missing),
        Some(b"stream") => {
            let facts = redis.short(&[b"XINFO", b"STREAM", key]).await?;
            Ok(Place::Stream(StreamFacts::of(&facts)))
        }
        other => {
            let other = shown(&String::from_utf8_lossy(other.unwrap_or_default()));
            let message = format!("the key `{}` holds a {other} and no stream", shown(&request.stream));
            Err(Kind::StreamWrongType.find(about(request), message))
        }
    }
}

/// The stream's consumer groups. A user without the right to see them is told from one where there are none.
pub(crate) async fn groups(redis: &mut Redis, request: &Request) -> Result<Option<Vec<Group>>, Finding> {
    let reply = redis.asked(&[b"XINFO", b"GROUPS", request.stream.as_bytes()]).await?;
    Ok(reply.ok().map(|groups: Value| groups.list().iter().filter_map(Group::of).collect()))
}

/// Reads the window backwards from its end.
pub(crate) async fn read(redis: &mut Redis, request: &Request, window: Window, seen: &mut Seen) -> Result<(), Finding> {
    read_since(Instant::now(), redis, request, window, seen).await
}

async fn read_since(
    start: Instant,
    redis: &mut Redis,
    request: &Request,
    window: Window,
    seen: &mut Seen,
) -> Result<(), Finding> {
    let first = StreamId::first_of(window.start).to_string();
    let mut last = "+".to_owned();
    loop {
        let command = [b"XREVRANGE", last.as_bytes(), first.as_bytes()];
        let page = page(Instant::now(), redis, request, window, seen, command).await?;
        let previous = page.last.and_then(StreamId::previous).filter(|previous| window.reaches(*previous));
        match previous {
            Some(previous) if page.entries >= PAGE => last = previous.to_string(),
            _ => return Ok(()),
        }
        if seen.entries >= MOST_ENTRIES || start.elapsed() > LONGEST_READ {
            seen.cut = true;
            return Ok(());
        }
    }
}

/// Reads what came since the last look.
pub(crate) async fn read_on(
    redis: &mut Redis,
    request: &Request,
    window: Window,
    seen: &mut Seen,
) -> Result<(), Finding> {
    loop {
        let from = seen.newest.map_or(StreamId::first_of(window.start), StreamId::next).to_string();
        let page = page(Instant::now(), redis, request, window, seen, [b"XRANGE", from.as_bytes(), b"+"]).await?;
        if page.entries < PAGE || seen.entries >= MOST_ENTRIES {
            return Ok(());
        }
    }
}

struct Page {
    entries: usize,
    /// The id of the entry that came last.
    last: Option<StreamId>,
}

async fn page(
    start: Instant,
    redis: &mut Redis,
    request: &Request,
    window: Window,
    seen: &mut Seen,
    [name, from, to]: [&[u8]; 3],
) -> Result<Page, Finding> {
    let count = PAGE.to_string();
    let command: [&[u8]; 6] = [name, request.stream.as_bytes(), from, to, b"COUNT", count.as_bytes()];
    let stopped = |redis: &Redis, stop| redis.finding(&command, stop);
    if let Err(stop) = redis.resp.send(&command).await {
        return Err(stopped(redis, stop));
    }
    let entries = match redis.resp.list().await {
        Ok(entries) => entries.unwrap_or(0),
        Err(stop) => return Err(stopped(redis, stop)),
    };
    if entries > PAGE {
        return Err(stopped(redis, Stop::Nonsense("more entries than were asked for".to_owned())));
    }
    let mut last = None;
    // A page that comes byte by byte, or an entry without end, is never late for a single wait.
    let end = start + LONGEST_READ;
    for _ in 0..entries {
        match timeout_at(end, entry(&mut redis.resp)).await.unwrap_or(Err(Stop::Late(LONGEST_READ))) {
            Ok((at, fields)) => {
                seen.take(request, window, at, &fields);
                last = Some(at);
            }
            Err(stop) => return Err(stopped(redis, stop)),
        }
    }
    Ok(Page { entries, last })
}

/// `[id, [name, value, …]]`.
async fn entry<S: AsyncRead + AsyncWrite + Unpin>(resp: &mut Resp<S>) -> Result<(StreamId, Fields), Stop> {
    let nonsense = || Stop::Nonsense("an entry that is none".to_owned());
    if resp.list().await? != Some(2) {
        return Err(nonsense());
    }
    let at = resp.text(64).await?.and_then(|id| StreamId::parse(&id)).ok_or_else(nonsense)?;
    // An entry that was deleted between two looks has no fields.
    let parts = resp.list().await?.unwrap_or(0);
    let mut fields = Vec::new();
    let (mut whole, mut room) = (true, LONGEST_VALUE);
    for part in 0..parts / 2 {
        let name = resp.text(room).await?;
        let value = resp.text(room).await?;
        let length = name.as_ref().map_or(0, Vec::len) + value.as_ref().map_or(0, Vec::len);
        match (name, value, room.checked_sub(length)) {
            (Some(name), Some(value), Some(left)) if part < MOST_FIELDS => {
                room = left;
                fields.push((name, value));
            }
            (Some(_), Some(_), Some(_)) => {}
            _ => whole = false,
        }
    }
    Ok((at, whole.then_some(fields)))
}

/// `stream `stella.events``.
pub(crate) fn about(request: &Request) -> String {
    format!("stream `{}`", shown(&request.stream))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::notify::{EXPECT_KINDS, Request, Settings};

    pub(crate) fn request() -> Request {
        check("a,b", "1").unwrap()
    }

    fn check(kinds: &str, lookback: &str) -> Result<Request, Vec<crate::notify::Problem>> {
        check_at("redis://127.0.0.1", kinds, lookback)
    }

    fn check_at(dsn: &str, kinds: &str, lookback: &str) -> Result<Request, Vec<crate::notify::Problem>> {
        let values = [
            (crate::notify::REDIS_DSN, dsn),
            (crate::notify::BASE_URL, "http://127.0.0.1"),
            (crate::notify::TOKEN, "token"),
            (crate::notify::TENANT, "t"),
            (EXPECT_KINDS, kinds),
            (crate::notify::LOOKBACK, lookback),
        ];
        let values = values.into_iter().map(|(name, value)| (name, value.to_owned())).collect();
        Request::check(&Settings { values, ..Settings::default() })
    }

    #[test]
    fn kinds_and_minutes_have_a_limit() {
        let refused = |kinds: usize, minutes: &str| {
            let kinds: Vec<String> = (0..kinds).map(|number| format!("k.{number}")).collect();
            check(&kinds.join(","), minutes).err().map(|findings| findings[0].message.clone()).unwrap_or_default()
        };
        assert_eq!(refused(64, "10080"), "");
        assert!(refused(65, "1").ends_with("it has more than 64 kinds"), "{}", refused(65, "1"));
        assert!(refused(1, "10081").ends_with("from 1 to 10080 (a week)"), "{}", refused(1, "10081"));
    }

    fn entry(kind: &str, tenant: &str) -> Fields {
        let json = format!(r#"{{"eventId":"e","kind":"{kind}","tenant":"{tenant}"}}"#);
        Some(vec![(b"event".to_vec(), json.into_bytes())])
    }

    /// What is counted of one entry at this millisecond, with a window from 1000 on and a deployment at 2000.
    fn seen(millis: i64, fields: &Fields) -> Seen {
        let mut seen = Seen::new(2);
        let window = Window { start: 1_000, since: Some(2_000) };
        seen.take(&request(), window, StreamId { millis, sequence: 0 }, fields);
        seen
    }

    #[test]
    fn an_event_counts_by_kind_tenant_and_moment() {
        let counts = |millis, fields: &Fields| {
            let seen = seen(millis, fields);
            let sum = |of: fn(&OfKind) -> u64| seen.kinds.iter().map(of).sum::<u64>();
            (
                sum(|kind| kind.events),
                sum(|kind| kind.older),
                sum(|kind| kind.other_tenants),
                sum(|kind| kind.without_tenant),
            )
        };
        assert_eq!(counts(2_000, &entry("a", "t")), (1, 0, 0, 0));
        assert_eq!(counts(1_999, &entry("a", "t")), (0, 1, 0, 0));
        assert_eq!(counts(2_000, &entry("a", "T")), (0, 0, 1, 0));
        assert_eq!(counts(2_000, &entry("a", "")), (0, 0, 0, 1));
        assert_eq!(counts(2_000, &entry("c", "t")), (0, 0, 0, 0));
        assert_eq!(seen(2_000, &entry("b", "t")).events.first().map(|event| event.kind), Some(1));
        assert_eq!(seen(2_000, &entry("c", "t")).other_kinds.get("c"), Some(&1));
        assert_eq!(seen(2_000, &None).too_long, 1);
        assert_eq!(seen(2_000, &Some(vec![(b"event".to_vec(), b"?".to_vec())])).unreadable, 1);
    }

    /// An entry of these fields, as Redis sends it.
    fn sent(fields: &[(&str, usize)]) -> Fields {
        let mut bytes = format!("*2\r\n$3\r\n1-0\r\n*{}\r\n", 2 * fields.len()).into_bytes();
        for (name, length) in fields {
            bytes.extend(format!("${}\r\n{name}\r\n${length}\r\n", name.len()).bytes());
            bytes.resize(bytes.len() + length, b'x');
            bytes.extend(b"\r\n");
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let (here, mut there) = tokio::io::duplex(bytes.len());
            tokio::io::AsyncWriteExt::write_all(&mut there, &bytes).await.unwrap();
            super::entry(&mut Resp::new(here, Duration::from_secs(30))).await.unwrap().1
        })
    }

    #[test]
    fn an_entry_is_kept_up_to_a_limit() {
        const MIB: usize = 1 << 20;
        let lengths = |fields: Fields| fields.map(|fields| fields.iter().map(|(_, value)| value.len()).collect());
        assert_eq!(lengths(sent(&[("a", 16 * MIB), ("b", 16 * MIB - 2)])), Some(vec![16 * MIB, 16 * MIB - 2]));
        assert_eq!(lengths(sent(&[("a", 32 * MIB + 1)])), None);
        assert_eq!(lengths(sent(&[("a", 16 * MIB), ("b", 16 * MIB - 1)])), None, "together they are too long");
        assert_eq!(lengths(sent(&[("a", 1); 300])), Some(vec![1; 256]));
    }

    /// Calls `look` with a connection to a server that gives these answers, one after the other.
    pub(crate) fn before_server<T>(
        answers: Vec<String>,
        look: impl AsyncFnOnce(&mut Redis, &Request, Window) -> T,
    ) -> T {
        use std::io::{Read as _, Write as _};
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut request = check_at(&format!("redis://{}", listener.local_addr().unwrap()), "a", "1").unwrap();
        request.options.timeout = Duration::from_secs(600);
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            for answer in [vec!["+PONG\r\n".to_owned()], answers].concat() {
                // To each question, until nobody asks any more.
                if stream.read(&mut [0; 1024]).is_ok_and(|length| length > 0) {
                    let _ = stream.write_all(answer.as_bytes());
                }
            }
            let _ = stream.read(&mut [0; 1024]);
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let result = runtime.block_on(async {
            let mut redis = Redis::open(&request).await.unwrap();
            look(&mut redis, &request, Window { start: 1_000, since: None }).await
        });
        server.join().unwrap();
        result
    }

    fn sent_page(page: usize, entries: usize) -> String {
        let entry = |id: String| format!("*2\r\n${}\r\n{id}\r\n*0\r\n", id.len());
        let entries = (0..entries).map(|at| entry(format!("{}-0", 9_000 - page * PAGE - at)));
        format!("*{PAGE}\r\n{}", entries.collect::<String>())
    }

    #[test]
    fn a_window_is_given_up_after_so_much_or_so_long() {
        // Of a stream of three thousand entries, if so many were seen before and the look began some seconds ago.
        let looked = |before: u64, seconds: u64| {
            let pages = (0..3).map(|page| sent_page(page, PAGE)).chain(["*0\r\n".to_owned()]);
            before_server(pages.collect(), async |redis, request, window| {
                let mut seen = Seen { entries: before, ..Seen::new(2) };
                let start = Instant::now() - Duration::from_secs(seconds);
                read_since(start, redis, request, window, &mut seen).await.map_err(|finding| finding.message)?;
                Ok::<_, String>((seen.entries - before, seen.cut))
            })
        };
        assert_eq!(looked(2_000_000 - 3_001, 0), Ok((3_000, false)));
        assert_eq!(looked(2_000_000 - 2_000, 0), Ok((2_000, true)));
        assert_eq!(looked(0, 20), Ok((3_000, false)));
        assert_eq!(looked(0, 61), Ok((1_000, true)));
    }

    /// One that comes byte by byte is never late for a single wait.
    #[test]
    fn a_page_is_given_up_after_so_long() {
        let paged = |entries: usize, seconds: u64| {
            before_server(vec![sent_page(0, entries)], async |redis, request, window| {
                let start = Instant::now() - Duration::from_secs(seconds);
                let command: [&[u8]; 3] = [b"XREVRANGE", b"+", b"-"];
                let page = page(start, redis, request, window, &mut Seen::new(2), command).await;
                page.map(|page| page.entries).map_err(|finding| finding.message)
            })
        };
        assert_eq!(paged(PAGE, 20), Ok(PAGE));
        let late = "cannot talk to Redis: no answer to `XREVRANGE` within 60s";
        assert_eq!(paged(1, 61), Err(late.to_owned()));
    }

    #[test]
    fn what_is_remembered_has_a_limit() {
        let mut seen = Seen::new(2);
        let window = Window { start: 1_000, since: None };
        let mut take = |fields: &Fields| seen.take(&request(), window, StreamId { millis: 2_000, sequence: 0 }, fields);
        (0..10_001).for_each(|_| take(&entry("a", "t")));
        for number in 0..21 {
            take(&entry(&format!("other.{number}"), "t"));
            take(&entry("a", &format!("other-{number}")));
        }
        assert_eq!((seen.events.len(), seen.kinds[0].events), (10_000, 10_001), "all are counted");
        assert_eq!((seen.other_kinds.len(), seen.other_tenants.len()), (20, 20));
        assert_eq!(seen.kinds[0].other_tenants, 21);
    }

    #[test]
    fn a_window_has_two_beginnings() {
        let id = |millis| StreamId { millis, sequence: 0 };
        let window = Window::new(61_000, Duration::from_secs(60), None);
        assert!(window.counts(id(1_000)) && !window.counts(id(999)));
        let window = Window::new(61_000, Duration::from_secs(60), Some(500));
        assert!(!window.counts(id(999)) && window.counts_from() == 1_000);
        let window = Window::new(61_000, Duration::from_secs(60), Some(5_000));
        assert!(window.reaches(id(4_999)) && !window.counts(id(4_999)) && window.counts_from() == 5_000);
    }
}
