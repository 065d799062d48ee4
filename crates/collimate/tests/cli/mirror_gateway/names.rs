//! Sources whose names come and go, as those of containers do.

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use testkit::Exports;

use super::ensure;
use super::stage::{INDEX, MANIFEST, Plan};

/// A name server for one host, which it knows or not.
struct Names {
    port: u16,
    known: Arc<AtomicBool>,
    stopped: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Names {
    fn start() -> Self {
        let socket = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        let port = socket.local_addr().unwrap().port();
        socket.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let (known, stopped) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (is_known, is_stopped) = (Arc::clone(&known), Arc::clone(&stopped));
        let thread = std::thread::spawn(move || {
            let mut packet = [0; 512];
            while !is_stopped.load(Ordering::SeqCst) {
                let Ok((length, from)) = socket.recv_from(&mut packet) else { continue };
                if let Some(answer) = answer(&packet[..length], is_known.load(Ordering::SeqCst)) {
                    let _ = socket.send_to(&answer, from);
                }
            }
        });
        Self { port, known, stopped, thread: Some(thread) }
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// 127.0.0.1 for whatever is asked, for a second, or that there is no such name.
fn answer(question: &[u8], known: bool) -> Option<Vec<u8>> {
    let end = 12 + question.get(12..)?.iter().position(|byte| *byte == 0)? + 5;
    let kind = u16::from_be_bytes([*question.get(end - 4)?, *question.get(end - 3)?]);
    let has_address = known && kind == 1;
    let mut answer = question.get(..2)?.to_vec();
    answer.extend([0x81, if known { 0x80 } else { 0x83 }, 0, 1, 0, u8::from(has_address), 0, 0, 0, 0]);
    answer.extend(question.get(12..end)?);
    if has_address {
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 127, 0, 0, 1]);
    }
    Some(answer)
}

#[test]
fn a_gateway_starts_without_its_sources_and_finds_them_later() {
    super::holds(names_come_and_go(Plan::new()));
}

/// A gateway whose sources have no address when it starts, get one, and lose it again.
pub(super) fn names_come_and_go(plan: Plan) -> Option<super::Verdict> {
    let names = Names::start();
    let exports = Exports::start();
    let address = format!("concelier:{}", exports.port());
    let plan = plan.short_lives().set("resolver: 127.0.0.11 ", &format!("resolver: 127.0.0.1:{} ", names.port));
    let stage = plan.start_with(exports, &address)?;
    Some((|| {
        let answer = stage.get(INDEX).send();
        ensure!(answer.status == 503 && answer.error() == "upstream", "nobody is there yet: {answer:?}");
        names.known.store(true, Ordering::SeqCst);
        super::wait_until("the source is found", || stage.get(MANIFEST).send().status == 200);
        names.known.store(false, Ordering::SeqCst);
        stage.exports.down();
        let mut last = None;
        super::wait_until("the name is forgotten", || {
            let answer = stage.get(MANIFEST).send();
            let log = stage.nginx.log();
            last = Some(answer.clone());
            // Until the gateway looks the name up again, it is the source that does not answer.
            answer.status != 200 || log.matches("could not be resolved").count() >= 2
        });
        let answer = last.unwrap_or_else(|| stage.get(MANIFEST).send());
        ensure!(answer.status == 200 && answer.cache() == "STALE", "the name is gone: {answer:?}");
        ensure!(stage.get(INDEX).send().status == 503, "what was never there");
        Ok(())
    })())
}
