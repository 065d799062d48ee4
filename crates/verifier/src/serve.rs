//! The server as a whole: threads, signals, the socket, and the end of it all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use camino::Utf8PathBuf;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use source::system;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{Semaphore, mpsc};

use crate::desk::Desk;
use crate::door::{Door, Times};
use crate::error::{Error, ErrorKind};
use crate::event::{Event, Kind, Level, Log};
use crate::files::{Domain, Secrets};
use crate::place::{Listener, Place, Taking};
use crate::work;

/// How often files are looked at: a removed tenant is out after this time and one bcrypt check.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// How often we look whether our socket is still there.
const PLACE_EVERY: Duration = Duration::from_secs(1);

/// File descriptors that are not connections: files, the socket, what the runtime needs.
const OTHER_DESCRIPTORS: u64 = 64;

/// Each connection has a buffer of 16 KiB; the gateway keeps a few hundred.
const MOST_CONNECTIONS: u64 = 16 * 1024;

/// Requests under way when a signal comes have this long to be answered.
const ENDING_TIME: Duration = Duration::from_secs(10);

/// So long nothing may have come before we end: what the gateway sent before it saw the socket vanish is answered too.
const ENDING_QUIET: Duration = Duration::from_millis(100);

/// Takes the system's refusal to give a connection a moment later instead of at once again.
const AFTER_REFUSAL: Duration = Duration::from_millis(100);

/// How the server runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The folder that holds `mirror-<domain>.htpasswd`.
    pub secrets: Utf8PathBuf,
    /// Empty: those that have a file.
    pub domains: Vec<Domain>,
    pub place: Place,
    /// How long a right header is remembered, and the longest time that anything is answered from a file that cannot be looked at.
    pub remember: Duration,
    /// Threads that run bcrypt.
    pub workers: usize,
}

/// Keeps passwords out of core dumps, and other processes of this user out of our memory.
///
/// # Errors
/// If the system refuses.
pub fn harden() -> Result<(), Error> {
    let failed = |error: nix::errno::Errno| Error::system("switch core dumps off", &error.into());
    setrlimit(Resource::RLIMIT_CORE, 0, 0).map_err(failed)?;
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_dumpable(false).map_err(failed)?;
    Ok(())
}

/// Serves until a signal (SIGTERM, SIGINT) asks to end; then what runs is answered. Events are given to `log` on a thread of its own.
///
/// # Errors
/// If it cannot start, or can be reached no longer.
pub fn serve(settings: &Settings, log: &(dyn Fn(&Event) + Sync)) -> Result<(), Error> {
    let (lines, reader) = Log::new();
    let desk = Arc::new(Desk::new(settings.remember, settings.workers, lines)?);
    std::thread::scope(|scope| {
        scope.spawn(move || reader.iter().for_each(|event: Event| log(&event)));
        let served = run(settings, &desk);
        // Threads that hang, be it on a disk, are left behind; the log's thread is not, so that the last line is written.
        desk.end();
        desk.log.close();
        served
    })
}

fn run(settings: &Settings, desk: &Arc<Desk>) -> Result<(), Error> {
    let secrets = Secrets { folder: settings.secrets.clone(), domains: settings.domains.clone() };
    if secrets.domains()?.is_empty() {
        return Err(Error::new(ErrorKind::NoDomain { folder: settings.secrets.clone() }));
    }
    // Before anybody can ask.
    desk.look(&secrets);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Error::system("start the runtime", &error))?;
    let (ended, mut endings) = mpsc::unbounded_channel();
    for _ in 0..settings.workers {
        let desk = Arc::clone(desk);
        spawn("bcrypt", &ended, move || work::run(&desk))?;
    }
    let (wake, woken) = channel();
    let (watched, every) = (Arc::clone(desk), LOOK_EVERY.min(settings.remember / 4));
    spawn("files", &ended, move || watch(&watched, &secrets, &woken, every))?;
    runtime.block_on(listen(settings, desk, &wake, &mut endings))
}

/// Starts a thread that must not end before the server does.
fn spawn(
    name: &'static str,
    ended: &mpsc::UnboundedSender<&'static str>,
    work: impl FnOnce() + Send + 'static,
) -> Result<(), Error> {
    let ending = Ending { name, ended: ended.clone() };
    let spawned = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
        let _ending = ending;
        work();
    });
    spawned.map(drop).map_err(|error| Error::system("start a thread", &error))
}

/// Says that a thread ended, also where it panicked.
struct Ending {
    name: &'static str,
    ended: mpsc::UnboundedSender<&'static str>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        // When the server itself is at its end, nobody listens.
        let _ = self.ended.send(self.name);
    }
}

/// Looks at the files again and again, and at once when it is woken, until nobody can wake it any more.
fn watch(desk: &Desk, secrets: &Secrets, woken: &Receiver<()>, every: Duration) {
    loop {
        match woken.recv_timeout(every) {
            Ok(()) | Err(RecvTimeoutError::Timeout) => desk.look(secrets),
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

async fn listen(
    settings: &Settings,
    desk: &Arc<Desk>,
    wake: &Sender<()>,
    endings: &mut mpsc::UnboundedReceiver<&'static str>,
) -> Result<(), Error> {
    let signals = |error: std::io::Error| Error::system("wait for signals", &error);
    let mut terminate = signal(SignalKind::terminate()).map_err(signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(signals)?;
    let mut hang_up = signal(SignalKind::hangup()).map_err(signals)?;
    let places = Arc::new(Semaphore::new(connections(descriptors())));
    let mut listener = settings.place.listen().await?;
    let door = Arc::new(Door {
        desk: Arc::clone(desk),
        times: Times::default(),
        ending: AtomicBool::new(false),
        running: AtomicUsize::new(0),
        answered: AtomicUsize::new(0),
    });
    desk.log.tell(Event::new(Level::Info, Kind::Listening, format!("on {}", listener.shown())));
    let mut look = tokio::time::interval(PLACE_EVERY);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = take(&listener, &door, &places) => {}
            _ = look.tick() => listener.is_ours()?,
            name = endings.recv() => return Err(Error::new(ErrorKind::Ended { name: name.unwrap_or("files") })),
            // The files are looked at every second anyway; who is used to a signal may send it.
            _ = hang_up.recv() => drop(wake.send(())),
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
        }
    }
    desk.log.tell(Event::new(Level::Info, Kind::Ending, "what runs is answered"));
    door.ending.store(true, Ordering::Relaxed);
    // Whoever connected before the signal came is answered, also where nobody has looked at the connection yet.
    listener.hide();
    let last = Instant::now();
    while last.elapsed() < ENDING_TIME
        && tokio::time::timeout(ENDING_QUIET, take(&listener, &door, &places)).await.is_ok()
    {}
    drop(listener);
    finish(&door).await;
    Ok(())
}

/// Takes one connection.
async fn take(listener: &Listener, door: &Arc<Door>, places: &Arc<Semaphore>) {
    if places.available_permits() == 0 {
        let message = "as many connections as can be; further ones wait";
        door.desk.log.tell_seldom(Level::Error, Kind::ConnectionsExhausted, None, message);
    }
    let Ok(place) = Arc::clone(places).acquire_owned().await else { return };
    let taken = match &listener.taking {
        Taking::Socket(listener) => listener.accept().await.map(|(stream, _)| serve_one(door, place, stream)),
        Taking::Address(listener) => listener.accept().await.map(|(stream, _)| {
            // An answer is one small packet; without this it may wait for the acknowledgement of the one before.
            let _ = stream.set_nodelay(true);
            serve_one(door, place, stream);
        }),
    };
    if let Err(error) = taken {
        let message = format!("no connection can be taken: {}", system::reason(&error));
        door.desk.log.tell_seldom(Level::Error, Kind::ConnectionsExhausted, None, &message);
        tokio::time::sleep(AFTER_REFUSAL).await;
    }
}

fn serve_one(
    door: &Arc<Door>,
    place: tokio::sync::OwnedSemaphorePermit,
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
) {
    let door = Arc::clone(door);
    tokio::spawn(async move {
        door.serve(stream).await;
        drop(place);
    });
}

/// Waits until nothing runs and nothing more comes.
async fn finish(door: &Door) {
    let start = Instant::now();
    let (mut answered, mut quiet) = (door.answered.load(Ordering::Relaxed), 0);
    // Twice: a machine that stood still for a moment may wake us before the connections that have something to read.
    while quiet < 2 && start.elapsed() < ENDING_TIME {
        tokio::time::sleep(ENDING_QUIET).await;
        let before = std::mem::replace(&mut answered, door.answered.load(Ordering::Relaxed));
        let is_quiet = before == answered && door.running.load(Ordering::Relaxed) == 0;
        quiet = if is_quiet { quiet + 1 } else { 0 };
    }
}

/// How many connections there can be with so many file descriptors.
fn connections(descriptors: u64) -> usize {
    descriptors.saturating_sub(OTHER_DESCRIPTORS).clamp(1, MOST_CONNECTIONS) as usize
}

/// How many descriptors the system lets us have. It may let us raise that, as far as we have a use for it.
fn descriptors() -> u64 {
    match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok((soft, hard)) => {
            let wanted = hard.min(MOST_CONNECTIONS + OTHER_DESCRIPTORS);
            let raised = wanted > soft && setrlimit(Resource::RLIMIT_NOFILE, wanted, hard).is_ok();
            if raised { wanted } else { soft }
        }
        Err(_) => 1024,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_connections_as_there_is_room_for() {
        let counts = [0, 64, 66, 1024, 64 + 16 * 1024, u64::MAX].map(connections);
        assert_eq!(counts, [1, 1, 2, 960, 16 * 1024, 16 * 1024]);
    }
}
