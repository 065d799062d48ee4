//! What is known of every domain, and what follows for one header: the heart of the verifier, without sockets and files.
//!
//! Each domain has a [`Room`] of its own, with its own memory: a header that is right in one says nothing in another. All of it lies behind
//! one lock that is held for less than a microsecond; bcrypt runs outside (see [`crate::work`]).

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mirror::htpasswd::{File, Hash};
use tokio::sync::oneshot;

use crate::basic::{self, Credential};
use crate::error::Error;
use crate::event::{Event, Kind, Level, Log};
use crate::files::{self, Domain, Fault, Secrets};
use crate::head::Sent;
use crate::refused::Refused;
use crate::tag::{Tag, TagKey};

/// Credentials that wait for one bcrypt thread. At cost 12 the last of them waits four seconds, which a gateway can.
const QUEUE_PER_WORKER: usize = 16;

/// Requests that wait for one credential. A tenant's clients are fewer; a flood of one header takes no more memory than this.
const MOST_WAITING: usize = 2048;

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Let in; the answer as it is sent.
    Right(Arc<[u8]>),
    /// The credential is missing, malformed or wrong.
    Wrong,
    /// Too many wait. Not "no": it may be right.
    Busy,
    /// The domain cannot be judged now.
    Closed,
}

pub(crate) enum Reply {
    Now(Verdict),
    Later(oneshot::Receiver<Verdict>),
}

pub(crate) struct Desk {
    key: TagKey,
    /// How long a header is remembered.
    remember: Duration,
    queue: usize,
    book: Mutex<Book>,
    /// Told when there is work, or none will come any more.
    work: Condvar,
    pub(crate) log: Log,
}

#[derive(Default)]
struct Book {
    rooms: BTreeMap<Domain, Room>,
    /// Headers that were right before.
    urgent: VecDeque<(Domain, Tag)>,
    usual: VecDeque<(Domain, Tag)>,
    ending: bool,
}

struct Room {
    state: State,
    /// When the last look at the file began.
    looked: Instant,
    /// Counts the contents that the file has had.
    generation: u64,
    /// At most one for each tenant, because one password is right.
    remembered: HashMap<Tag, Remembered>,
    refused: Refused,
    asked: HashMap<Tag, Asked>,
}

enum State {
    Open { file: Arc<File>, bytes: Vec<u8> },
    Closed(Fault),
}

/// A header that was right.
struct Remembered {
    tenant: String,
    /// With which it was right: another hash is another password.
    hash: Hash,
    answer: Arc<[u8]>,
    /// After this it is checked anew, before others.
    until: Instant,
}

/// A header that is being checked, or waits to be.
struct Asked {
    /// Until a thread takes it.
    credential: Option<Credential>,
    waiting: Vec<oneshot::Sender<Verdict>>,
    /// Checked although nobody waits, so that nobody will have to.
    is_renewal: bool,
}

/// One bcrypt check.
pub(crate) struct Job {
    domain: Domain,
    tag: Tag,
    credential: Credential,
    file: Arc<File>,
    generation: u64,
}

impl Job {
    /// The work. Takes as long as the most expensive hash of the file, unless the answer is yes.
    pub(crate) fn check(&self) -> Option<(String, Hash)> {
        let entry = self.file.verify(self.credential.name(), self.credential.password())?;
        Some((entry.name().to_owned(), entry.hash().clone()))
    }
}

impl Desk {
    pub(crate) fn new(remember: Duration, workers: usize, log: Log) -> Result<Self, Error> {
        let queue = QUEUE_PER_WORKER * workers;
        Ok(Self { key: TagKey::random()?, remember, queue, book: Mutex::default(), work: Condvar::new(), log })
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        // A thread that panicked ends the process; what it left is whole all the same, because nothing in here panics half-way.
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What to answer to one request.
    pub(crate) fn ask(&self, domain: Sent<'_>, authorization: Sent<'_>, now: Instant) -> Reply {
        // Outside the lock.
        let token = match authorization {
            Sent::Once(header) => basic::token(header).map(|token| (token, self.key.tag(token))),
            Sent::Not | Sent::Often => None,
        };
        let name = match domain {
            Sent::Once(name) => std::str::from_utf8(name).unwrap_or_default(),
            Sent::Not | Sent::Often => "",
        };
        let mut book = self.book();
        let Book { rooms, urgent, usual, .. } = &mut *book;
        let Some(room) = rooms.get_mut(name) else {
            drop(book);
            self.log.tell_seldom(
                Level::Error,
                Kind::UnknownDomain,
                None,
                "the gateway asks for a domain that has no file here",
            );
            return Reply::Now(Verdict::Closed);
        };
        if !room.is_open(now, self.remember) {
            if let State::Open { .. } = room.state {
                let domain = name.parse().ok();
                drop(book);
                let message =
                    "its file could not be looked at for longer than headers are remembered; nobody is let in";
                self.log.tell_seldom(Level::Error, Kind::Stale, domain.as_ref(), message);
            }
            return Reply::Now(Verdict::Closed);
        }
        let Some((token, tag)) = token else { return Reply::Now(Verdict::Wrong) };
        let known = room.remembered.get(&tag).map(|known| (known.until, Arc::clone(&known.answer)));
        let was_right = known.is_some();
        if let Some((until, answer)) = known
            && now < until
        {
            if now + self.remember / 4 > until && !room.asked.contains_key(&tag) {
                room.renew(name, tag, token, urgent);
                self.work.notify_one();
            }
            return Reply::Now(Verdict::Right(answer));
        }
        if room.refused.has(&tag, now) {
            return Reply::Now(Verdict::Wrong);
        }
        let (sender, receiver) = oneshot::channel();
        if let Some(asked) = room.asked.get_mut(&tag) {
            if asked.waiting.len() >= MOST_WAITING {
                return Reply::Now(Verdict::Busy);
            }
            asked.waiting.push(sender);
            return Reply::Later(receiver);
        }
        if !was_right && usual.len() >= self.queue {
            book.forget_who_hung_up();
            if book.usual.len() >= self.queue {
                let domain = name.parse().ok();
                drop(book);
                let message = "too many new credentials wait to be checked";
                self.log.tell_seldom(Level::Warning, Kind::Busy, domain.as_ref(), message);
                return Reply::Now(Verdict::Busy);
            }
        }
        let Book { rooms, urgent, usual, .. } = &mut *book;
        let Some(room) = rooms.get_mut(name) else { return Reply::Now(Verdict::Closed) };
        let (Some(credential), Ok(domain)) = (basic::decode(token), name.parse()) else {
            return Reply::Now(Verdict::Wrong);
        };
        let asked = Asked { credential: Some(credential), waiting: vec![sender], is_renewal: false };
        room.asked.insert(tag, asked);
        if was_right { urgent } else { usual }.push_back((domain, tag));
        drop(book);
        self.work.notify_one();
        Reply::Later(receiver)
    }

    /// The next check to make; waits for one. `None` when there will be none.
    pub(crate) fn next(&self) -> Option<Job> {
        let mut book = self.book();
        loop {
            let Some((domain, tag)) = book.urgent.pop_front().or_else(|| book.usual.pop_front()) else {
                if book.ending {
                    return None;
                }
                book = self.work.wait(book).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let Some(room) = book.rooms.get_mut(&domain) else { continue };
            let Some(asked) = room.asked.get_mut(&tag) else { continue };
            if !asked.is_waited_for() {
                room.asked.remove(&tag);
                continue;
            }
            match (&room.state, asked.credential.take()) {
                (State::Open { file, .. }, Some(credential)) => {
                    let (file, generation) = (Arc::clone(file), room.generation);
                    return Some(Job { domain, tag, credential, file, generation });
                }
                _ => room.answer(&tag, &Verdict::Closed),
            }
        }
    }

    /// Takes the result of a check. Gives the job back where the file has changed in the meantime: the result is of the old one.
    pub(crate) fn settle(&self, mut job: Job, right: Option<(String, Hash)>, now: Instant) -> Option<Job> {
        let mut book = self.book();
        let room = book.rooms.get_mut(&job.domain)?;
        if room.generation != job.generation
            && let State::Open { file, .. } = &room.state
        {
            (job.file, job.generation) = (Arc::clone(file), room.generation);
            return Some(job);
        }
        let verdict = match (&room.state, right) {
            (State::Closed(_), _) => Verdict::Closed,
            (State::Open { .. }, Some((tenant, hash))) => {
                let answer = answer(&tenant);
                let until = now + self.remember;
                room.remembered.insert(job.tag, Remembered { tenant, hash, answer: Arc::clone(&answer), until });
                Verdict::Right(answer)
            }
            (State::Open { .. }, None) => {
                room.remembered.remove(&job.tag);
                room.refused.add(job.tag, now);
                Verdict::Wrong
            }
        };
        room.answer(&job.tag, &verdict);
        None
    }

    /// A file that changes all the time gives no result.
    pub(crate) fn give_up(&self, job: &Job) {
        if let Some(room) = self.book().rooms.get_mut(&job.domain) {
            room.answer(&job.tag, &Verdict::Busy);
        }
    }

    /// No further work is taken on; what waits is done.
    pub(crate) fn end(&self) {
        self.book().ending = true;
        self.work.notify_all();
    }

    /// Looks at all files, and takes in what has changed. Called from one thread only.
    pub(crate) fn look(&self, secrets: &Secrets) {
        // Where the folder cannot be listed, those that are known are looked at all the same, and say why they cannot be read.
        let mut domains: Vec<Domain> = self.book().rooms.keys().cloned().collect();
        domains.extend(secrets.domains().unwrap_or_default());
        domains.sort();
        domains.dedup();
        for domain in domains {
            let began = Instant::now();
            let known = match self.book().rooms.get(&domain).map(|room| &room.state) {
                Some(State::Open { bytes, .. }) => Some(bytes.clone()),
                _ => None,
            };
            let read = secrets.read(&domain, known.as_deref());
            if known.is_some() && read.as_deref().ok() == known.as_deref() {
                if let Some(room) = self.book().rooms.get_mut(&domain) {
                    room.looked = began;
                }
                continue;
            }
            let state = match read.and_then(|bytes| files::parse(&bytes).map(|file| (Arc::new(file), bytes))) {
                Ok((file, bytes)) => State::Open { file, bytes },
                Err(fault) => State::Closed(fault),
            };
            for event in self.enter(&domain, state, began) {
                self.log.tell(event.of(&domain).at_file(secrets, &domain));
            }
        }
    }

    /// Puts a new state in place, and forgets at once whom it does not let in any more.
    fn enter(&self, domain: &Domain, state: State, looked: Instant) -> Vec<Event> {
        let mut book = self.book();
        let before = book.rooms.remove(domain);
        let mut events = Vec::new();
        match (&state, before.as_ref().map(|room| &room.state)) {
            (State::Closed(fault), Some(State::Closed(known))) if fault == known => {}
            (State::Closed(fault), _) => {
                let mut event = Event::new(Level::Error, Kind::Closed, format!("nobody is let in: {}", fault.reason));
                event.line = fault.line;
                events.push(event);
            }
            (State::Open { file, .. }, known) => {
                let kind = if matches!(known, Some(State::Open { .. })) { Kind::Changed } else { Kind::Opened };
                let count = file.entries().len();
                let tenants = if count == 1 { "tenant" } else { "tenants" };
                events.push(Event::new(Level::Info, kind, format!("{count} {tenants}")));
                for tenant in files::unusable_tenants(file) {
                    let message = format!("tenant `{}` is never let in: the hash is {}", tenant.name, tenant.why);
                    let mut event = Event::new(Level::Warning, Kind::TenantUnusable, message);
                    event.line = Some(tenant.line);
                    events.push(event);
                }
            }
        }
        let room = match before {
            None => Room::new(state, looked),
            Some(room) => room.changed(state, looked),
        };
        book.rooms.insert(domain.clone(), room);
        events
    }

    /// As if the last look had begun at that moment: tests cannot wait for half a minute.
    #[cfg(test)]
    pub(crate) fn pretend_looked(&self, domain: &str, looked: Instant) {
        if let Some(room) = self.book().rooms.get_mut(domain) {
            room.looked = looked;
        }
    }

    /// Which domains are open, and how many tenants they have.
    pub(crate) fn health(&self, now: Instant) -> Vec<(Domain, Option<usize>)> {
        let book = self.book();
        let health = book.rooms.iter().map(|(domain, room)| {
            let tenants = match &room.state {
                State::Open { file, .. } if room.is_open(now, self.remember) => Some(file.entries().len()),
                _ => None,
            };
            (domain.clone(), tenants)
        });
        health.collect()
    }
}

impl Book {
    /// Makes room in the queue: what nobody waits for any more need not be checked.
    fn forget_who_hung_up(&mut self) {
        let Self { rooms, usual, .. } = self;
        usual.retain(|(domain, tag)| {
            let Some(room) = rooms.get_mut(domain) else { return false };
            let is_waited_for = room.asked.get(tag).is_some_and(Asked::is_waited_for);
            if !is_waited_for {
                room.asked.remove(tag);
            }
            is_waited_for
        });
    }
}

impl Asked {
    fn is_waited_for(&self) -> bool {
        self.is_renewal || self.waiting.iter().any(|waiting| !waiting.is_closed())
    }
}

impl Event {
    fn at_file(self, secrets: &Secrets, domain: &Domain) -> Self {
        let line = self.line;
        self.at(secrets.path(domain), line)
    }
}

impl Room {
    fn new(state: State, looked: Instant) -> Self {
        Self {
            state,
            looked,
            generation: 0,
            remembered: HashMap::new(),
            refused: Refused::default(),
            asked: HashMap::new(),
        }
    }

    /// Whether there is a file to answer from, and it was looked at within the lifetime of the memory.
    fn is_open(&self, now: Instant, remember: Duration) -> bool {
        matches!(self.state, State::Open { .. }) && now.saturating_duration_since(self.looked) <= remember
    }

    fn changed(mut self, state: State, looked: Instant) -> Self {
        if let State::Open { file, .. } = &state {
            // Of a name that stands twice the first line counts; such a file does not get here.
            let hashes: BTreeMap<&str, &Hash> =
                file.entries().iter().map(|entry| (entry.name(), entry.hash())).collect();
            self.remembered.retain(|_, known| hashes.get(known.tenant.as_str()) == Some(&&known.hash));
        }
        self.refused.clear();
        self.generation += 1;
        (self.state, self.looked) = (state, looked);
        self
    }

    /// Checks a remembered header before its end, so that its tenant never waits.
    fn renew(&mut self, domain: &str, tag: Tag, token: &[u8], urgent: &mut VecDeque<(Domain, Tag)>) {
        if let (Some(credential), Ok(domain)) = (basic::decode(token), domain.parse()) {
            self.asked.insert(tag, Asked { credential: Some(credential), waiting: vec![], is_renewal: true });
            urgent.push_back((domain, tag));
        }
    }

    fn answer(&mut self, tag: &Tag, verdict: &Verdict) {
        for waiting in self.asked.remove(tag).map(|asked| asked.waiting).unwrap_or_default() {
            // Who hung up needs no answer.
            let _ = waiting.send(verdict.clone());
        }
    }
}

/// Names have neither control characters nor line ends (`check_name`).
fn answer(tenant: &str) -> Arc<[u8]> {
    format!("HTTP/1.1 204 No Content\r\nX-Mirror-Tenant: {tenant}\r\n\r\n").into_bytes().into()
}
