//! Many of each signal, over several connections, with every item accounted for.
//!
//! Each connection has one call under way and holds one batch, so memory does not depend on how much is sent. A batch that is refused
//! for the moment is sent again, as every OTLP client does; one whose call broke is not, because nobody knows whether it was taken: it
//! counts as unknown, and the collector's count must lie between the two.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::account::Sent;
use super::call::Link;
use super::memory::Memory;
use super::payload::{Batch, Payload, RunId};
use super::{Request, Signal, Transport};
use crate::wire::{Dialer, Fault, Identity};

/// Items in one call: some hundred kilobytes, far below every receiver's limit.
const BATCH: u64 = 1000;

/// A refused batch waits a little longer every time, up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// How much, how long, how fast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoadRequest {
    /// Items of each signal, over all transports together; without it, as many as the time allows.
    pub items: Option<u64>,
    /// Ends after this time, whatever was sent by then.
    pub time: Option<Duration>,
    /// Items of each signal in a second, over all transports together.
    pub rate: Option<u64>,
    /// Connections for each signal and transport.
    pub connections: usize,
    /// Each connection is opened anew after this time, with certificates read anew: so a rotation is noticed.
    pub reconnect: Option<Duration>,
}

/// What a load came to.
pub(crate) struct Loaded {
    pub(crate) sent: Vec<Sent>,
    pub(crate) facts: Vec<(&'static str, String)>,
}

/// What is sent of one signal over one transport. Its workers take batches from it.
struct Lane {
    signal: Signal,
    transport: Transport,
    run: RunId,
    next: AtomicU64,
    total: u64,
    /// Items in a second.
    rate: Option<f64>,
    start: Instant,
    end: Option<Instant>,
    opened: AtomicU64,
}

pub(crate) async fn load(request: &Request, load: &LoadRequest, run: RunId) -> Loaded {
    let start = Instant::now();
    let request = Arc::new(request.clone());
    let load = *load;
    let mut workers: JoinSet<Sent> = JoinSet::new();
    let mut lanes = Vec::new();
    for (index, transport) in request.transports.iter().copied().enumerate() {
        for signal in Signal::ALL {
            let lane = Arc::new(Lane {
                signal,
                transport,
                run,
                next: AtomicU64::new(0),
                total: load.items.map_or(u64::MAX, |items| share(items, request.transports.len(), index)),
                rate: load.rate.map(|rate| as_f64(rate) / as_f64(request.transports.len() as u64)),
                start,
                end: load.time.map(|time| start + time),
                opened: AtomicU64::new(0),
            });
            for _ in 0..load.connections.max(1) {
                workers.spawn(work(Arc::clone(&request), load, Arc::clone(&lane)));
            }
            lanes.push(lane);
        }
    }
    let (end, ended) = tokio::sync::oneshot::channel();
    let memory = tokio::spawn(Memory::watch(start, ended));
    let mut sent: Vec<Sent> = lanes.iter().map(|lane| Sent::new(lane.signal, lane.transport)).collect();
    while let Some(done) = workers.join_next().await {
        let Ok(done) = done else { continue };
        let own = sent.iter_mut().find(|one| (one.signal, one.transport) == (done.signal, done.transport));
        if let Some(own) = own {
            own.join(done);
        }
    }
    let took = start.elapsed();
    // The watcher ends by this or by what it hears last: both are fine.
    let _ = end.send(());
    let memory = memory.await.ok().and_then(|memory| memory.early_and_most());
    let opened = lanes.iter().map(|lane| lane.opened.load(Ordering::Relaxed)).sum();
    Loaded { facts: facts(&sent, took, opened, memory), sent }
}

/// The first transports take what does not divide.
fn share(items: u64, parts: usize, index: usize) -> u64 {
    let (parts, index) = (parts.max(1) as u64, index as u64);
    items / parts + u64::from(index < items % parts)
}

fn as_f64(count: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "for a rate or a report")]
    let count = count as f64;
    count
}

impl Lane {
    /// Number of the first item of the next batch, and how many there are in it.
    fn take(&self) -> Option<(u64, u64)> {
        if self.end.is_some_and(|end| Instant::now() >= end) {
            return None;
        }
        // A slow load in small steps, so that its rate is kept and its connections stay in use.
        let batch = self.rate.map_or(BATCH, |rate| (rate / 20.0).clamp(1.0, as_f64(BATCH)) as u64);
        let first = self.next.fetch_add(batch, Ordering::Relaxed);
        (first < self.total).then(|| (first, batch.min(self.total - first)))
    }

    /// When an item may be sent.
    fn due(&self, first: u64) -> Instant {
        self.rate.map_or(self.start, |rate| self.start + Duration::from_secs_f64(as_f64(first) / rate.max(0.001)))
    }
}

async fn work(request: Arc<Request>, load: LoadRequest, lane: Arc<Lane>) -> Sent {
    let mut sent = Sent::new(lane.signal, lane.transport);
    let mut link: Option<(Link, Instant)> = None;
    while let Some((first, count)) = lane.take() {
        sleep_until(lane.due(first)).await;
        sent.tried += count;
        deliver(&request, &load, &lane, &mut link, &mut sent, (first, count)).await;
    }
    sent
}

/// Sends one batch until it is taken, refused for good, or the request's wait is over.
async fn deliver(
    request: &Request,
    load: &LoadRequest,
    lane: &Lane,
    link: &mut Option<(Link, Instant)>,
    sent: &mut Sent,
    (first, count): (u64, u64),
) {
    let give_up = Instant::now() + request.wait;
    let mut pause = FIRST_PAUSE;
    loop {
        let old = |opened: Instant| load.reconnect.is_some_and(|every| opened.elapsed() >= every);
        if link.as_ref().is_none_or(|(link, opened)| link.is_closed() || old(*opened)) {
            *link = match open(request, lane.transport).await {
                Ok(opened) => {
                    lane.opened.fetch_add(1, Ordering::Relaxed);
                    Some((opened, Instant::now()))
                }
                Err(fault) => {
                    sent.met(fault);
                    None
                }
            };
        }
        if let Some((open, _)) = link {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let batch = Batch { run: lane.run, transport: lane.transport, first, count, now };
            match open.send(Payload::new(lane.signal, &batch)).await {
                Ok(answer) => {
                    sent.acknowledged += count.saturating_sub(answer.rejected);
                    sent.partly_rejected(answer.rejected, &answer.message);
                    return;
                }
                Err(refusal) if !refusal.answered => {
                    sent.unknown += count;
                    sent.met(refusal.fault);
                    *link = None;
                    return;
                }
                Err(refusal) if refusal.again && Instant::now() < give_up => sent.again += count,
                Err(refusal) => {
                    sent.met(refusal.fault);
                    // A server that did not read to the end of a refused call hangs up after its answer.
                    *link = None;
                    return;
                }
            }
        } else if Instant::now() >= give_up {
            return;
        }
        sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// With certificates as they are now.
async fn open(request: &Request, transport: Transport) -> Result<Link, Fault> {
    let identity = Identity::read(&request.identity)?;
    Link::open(&Dialer::new(&identity, request.timeout)?, request, transport).await
}

fn facts(sent: &[Sent], took: Duration, opened: u64, memory: Option<(u64, u64)>) -> Vec<(&'static str, String)> {
    let sum = |of: fn(&Sent) -> u64| sent.iter().map(of).sum::<u64>();
    let taken = sum(|one| one.acknowledged);
    let seconds = took.as_secs_f64();
    let mut facts = vec![
        ("took", format!("{seconds:.1} s")),
        ("throughput", format!("{:.0} items/s taken", as_f64(taken) / seconds.max(0.001))),
        ("connections", format!("{opened} opened")),
    ];
    let (again, unknown) = (sum(|one| one.again), sum(|one| one.unknown));
    if again > 0 {
        facts.push(("sent again", format!("{again} items that were refused for the moment")));
    }
    if unknown > 0 {
        facts.push(("unknown", format!("{unknown} items in calls that broke")));
    }
    if let Some((early, peak)) = memory {
        let mib = |kib: u64| format!("{:.1} MiB", as_f64(kib) / 1024.0);
        facts.push(("memory", format!("{} early on, {} at most", mib(early), mib(peak))));
    }
    facts
}
