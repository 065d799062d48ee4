use std::collections::BTreeMap;
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;

mod front;
mod generation;
mod serve;
mod signer;
#[cfg(test)]
mod tests;

pub use front::{FrontAnswer, FrontDomain, MirrorFront};
pub use generation::{DomainRecipe, Recipe, Signature};

use generation::{Document, Edit, Generation};
use signer::Signer;

/// How long a port that was given up may stay taken.
const COMING_UP: Duration = Duration::from_secs(30);

/// A stand-in for the exports of Concelier and Excititor: an HTTP/1.1 server of 127.0.0.1 over an export tree that it makes itself.
///
/// The tree is the same in every run but for ES256 signatures: advisories, sizes, digests and moments follow from the [`Recipe`]. It
/// serves what is behind the gateway, so that it asks for no credentials. A file has an `ETag` and a `Last-Modified`; conditional and
/// range requests are answered as HTTP says. What was asked for is counted; on demand it stalls, cuts, fails, switches its generation
/// between two answers, goes down and comes up again on the same port.
///
/// ```text
/// let exports = Exports::start();
/// exports.publish(|recipe| recipe.domain("primary").bundle_size = Some(50 << 20));
/// exports.misbehave("/concelier/exports/mirror/primary/bundle.json", Misbehaviour::Cut(1000));
/// assert_eq!(exports.count("/concelier/exports/index.json"), 0);
/// ```
#[derive(Debug)]
pub struct Exports {
    port: u16,
    shared: Arc<Shared>,
    listening: Mutex<Option<Listening>>,
}

/// What a path does instead of answering as it should.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Misbehaviour {
    /// This status with a small body.
    Status(u16),
    /// Headers of the right answer, this many bytes of its body, and the connection is cut.
    Cut(usize),
    /// The right answer behind a head that says that it has this many bytes; then the connection is cut.
    Announce(u64),
    /// The right answer with this bit of its body flipped, counted from the first byte's lowest.
    Flip(usize),
    /// The right answer at this many bytes a second.
    Slow(usize),
    /// No answer before [`Exports::release`].
    Hold,
    /// Hangs up without a word.
    HangUp,
    /// The right answer, its body in chunks and without a `Content-Length`.
    Chunked,
    /// In chunks, cut after this many bytes: without a length, only the last chunk says that an answer is whole.
    ChunkedCut(usize),
    /// The right answer, and the next generation is there before the client can ask again.
    Switch,
}

/// One request that it got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub method: String,
    /// Without the query.
    pub path: String,
    /// The query, empty without one.
    pub query: String,
    /// Names in lower case, in the order of the request.
    pub headers: Vec<(String, String)>,
    /// Of the answer.
    pub status: u16,
    /// How many bytes of a body were sent; counted when all are.
    pub bytes: usize,
}

impl Asked {
    /// The first header of that name, given in lower case.
    #[must_use]
    pub fn header(&self, wanted: &str) -> Option<&str> {
        self.headers.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str())
    }
}

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Told when something that is held may go on.
    released: Condvar,
}

#[derive(Debug)]
struct State {
    recipe: Recipe,
    edits: Vec<(String, Edit)>,
    signer: Signer,
    generation: Arc<Generation>,
    /// Path → what is served instead of the generation's file; nothing is a 404.
    replaced: BTreeMap<String, Option<Document>>,
    /// Path → what it does, and how often yet; nothing is for ever.
    misbehaviours: BTreeMap<String, (Misbehaviour, Option<usize>)>,
    headers: Vec<(String, String)>,
    asked: Vec<Asked>,
    released: bool,
    up: bool,
    /// Connections that are open, so that going down ends them.
    open: BTreeMap<u64, TcpStream>,
    next: u64,
}

#[derive(Debug)]
struct Listening {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Exports {
    /// Domains `primary` and `community` as the default [`Recipe`] says, on a port of its own.
    #[must_use]
    #[track_caller]
    pub fn start() -> Self {
        Self::start_with(Recipe::default())
    }

    /// Serves what `recipe` makes.
    #[must_use]
    #[track_caller]
    pub fn start_with(recipe: Recipe) -> Self {
        let signer = Signer::new();
        let generation = Arc::new(Generation::make(&recipe, &[], &signer));
        let state = State {
            recipe,
            edits: Vec::new(),
            signer,
            generation,
            replaced: BTreeMap::new(),
            misbehaviours: BTreeMap::new(),
            headers: Vec::new(),
            asked: Vec::new(),
            released: false,
            up: true,
            open: BTreeMap::new(),
            next: 0,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), released: Condvar::new() });
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
        let port = listener.local_addr().expect("a listener has an address").port();
        let exports = Self { port, shared, listening: Mutex::new(None) };
        exports.listen(listener);
        exports
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// `127.0.0.1:<port>`, as an upstream is named.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }

    /// The key for what the recipe signs with, as an SPKI PEM text.
    #[must_use]
    pub fn public_key(&self) -> String {
        let state = self.state();
        state.signer.public_key(state.recipe.signature.is_eddsa())
    }

    /// The compact JWS over other bytes, by the same key and in the form that the recipe says.
    #[must_use]
    #[track_caller]
    pub fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        let state = self.state();
        state.signer.sign(&state.recipe.signature, bytes).expect("the recipe signs")
    }

    /// Changes the recipe and switches to what it makes now, all at once. What was replaced or edited before stays so.
    pub fn publish(&self, change: impl FnOnce(&mut Recipe)) {
        let mut state = self.state();
        change(&mut state.recipe);
        state.make();
    }

    /// Switches to the next generation: an hour younger, with one advisory more in every domain.
    pub fn next_generation(&self) {
        self.publish(Recipe::advance);
    }

    /// Changes a JSON file of Concelier's tree before whatever depends on it is made: the signature and digests still fit. It holds for later
    /// generations too. The path is one of HTTP.
    pub fn edit(&self, path: &str, change: impl Fn(&mut Value) + Send + Sync + 'static) {
        let mut state = self.state();
        state.edits.push((path.to_owned(), Edit::new(change)));
        state.make();
    }

    /// Serves these bytes at a path, whatever the generation has there; nothing else follows.
    pub fn replace(&self, path: &str, bytes: impl Into<Vec<u8>>) {
        self.state().replaced.insert(path.to_owned(), Some(Document::new(bytes.into())));
    }

    /// A path is no longer there.
    pub fn remove(&self, path: &str) {
        self.state().replaced.insert(path.to_owned(), None);
    }

    /// From now on a path does this.
    pub fn misbehave(&self, path: &str, how: Misbehaviour) {
        self.state().misbehaviours.insert(path.to_owned(), (how, None));
    }

    /// The next `times` answers of a path do this.
    pub fn misbehave_next(&self, path: &str, times: usize, how: Misbehaviour) {
        self.state().misbehaviours.insert(path.to_owned(), (how, Some(times)));
    }

    /// Every answer gets this header too.
    pub fn header(&self, name: &str, value: &str) {
        self.state().headers.push((name.to_owned(), value.to_owned()));
    }

    /// Answers as it should again: nothing replaced or edited, no misbehaviour, no header of ours; what is held goes on.
    pub fn heal(&self) {
        let mut state = self.state();
        state.replaced.clear();
        state.misbehaviours.clear();
        state.headers.clear();
        if !state.edits.is_empty() {
            state.edits.clear();
            state.make();
        }
        drop(state);
        self.release();
    }

    /// Lets all that [`Misbehaviour::Hold`] holds go on, now and later.
    pub fn release(&self) {
        self.state().released = true;
        self.shared.released.notify_all();
    }

    /// Goes down: nothing listens any longer, and every connection is cut.
    pub fn down(&self) {
        let listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(Listening { stop, thread }) = listening {
            stop.store(true, Ordering::SeqCst);
            // Wakes the listener up, so that it sees that it is over.
            let _ = TcpStream::connect(("127.0.0.1", self.port));
            // It does not panic: a connection has a thread of its own.
            let _ = thread.join();
        }
        let open = {
            let mut state = self.state();
            // A connection that was taken just now, but is not noted yet, ends itself.
            state.up = false;
            std::mem::take(&mut state.open)
        };
        for stream in open.values() {
            // The other side may have gone already.
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
        self.shared.released.notify_all();
    }

    /// Comes up again, on the same port.
    #[track_caller]
    pub fn up(&self) {
        let start = Instant::now();
        loop {
            match TcpListener::bind(("127.0.0.1", self.port)) {
                Ok(listener) => return self.listen(listener),
                Err(error) if start.elapsed() > COMING_UP => panic!("port {} is still taken: {error}", self.port),
                Err(_) => std::thread::park_timeout(Duration::from_millis(20)),
            }
        }
    }

    /// What it serves at a path now.
    #[must_use]
    #[track_caller]
    pub fn file(&self, path: &str) -> Arc<[u8]> {
        let state = self.state();
        let found = state.found(path);
        found.unwrap_or_else(|| panic!("there is no `{path}`; there are {}", state.generation.paths().join(", "))).bytes
    }

    /// Every path of the generation, sorted.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        self.state().generation.paths()
    }

    /// `sha256:<hex>` of a file.
    #[must_use]
    #[track_caller]
    pub fn digest(&self, path: &str) -> String {
        generation::digest(&self.file(path))
    }

    /// How many requests a path got, of every method and whatever the answer.
    #[must_use]
    pub fn count(&self, path: &str) -> usize {
        self.state().asked.iter().filter(|asked| asked.path == path).count()
    }

    /// How many bytes of bodies a path sent.
    #[must_use]
    pub fn bytes(&self, path: &str) -> usize {
        self.state().asked.iter().filter(|asked| asked.path == path).map(|asked| asked.bytes).sum()
    }

    /// Every request up to now, in the order of arrival.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.state().asked.clone()
    }

    /// Forgets all requests.
    pub fn forget(&self) {
        self.state().asked.clear();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state()
    }

    fn listen(&self, listener: TcpListener) {
        self.state().up = true;
        let stop = Arc::new(AtomicBool::new(false));
        let (shared, over) = (Arc::clone(&self.shared), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if over.load(Ordering::SeqCst) {
                    break;
                }
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || shared.serve(&stream));
            }
        });
        *self.listening.lock().unwrap_or_else(PoisonError::into_inner) = Some(Listening { stop, thread });
    }
}

impl Drop for Exports {
    fn drop(&mut self) {
        self.release();
        self.down();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn make(&mut self) {
        self.generation = Arc::new(Generation::make(&self.recipe, &self.edits, &self.signer));
    }

    fn found(&self, path: &str) -> Option<Document> {
        match self.replaced.get(path) {
            Some(replaced) => replaced.clone(),
            None => self.generation.file(path),
        }
    }

    /// What the next answer of a path does.
    fn misbehaviour(&mut self, path: &str) -> Option<Misbehaviour> {
        let (how, times) = self.misbehaviours.get_mut(path)?;
        let how = how.clone();
        if let Some(times) = times {
            *times = times.saturating_sub(1);
            if *times == 0 {
                self.misbehaviours.remove(path);
            }
        }
        Some(how)
    }
}
