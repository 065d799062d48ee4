//! The threads that run bcrypt.
//!
//! They are apart from the thread that answers, and fewer than the machine has cores: however many wrong passwords come, the gateway keeps
//! cores of its own.

use std::time::Instant;

use crate::desk::Desk;

/// How often a check is made anew because the file changed while it ran. Then whoever waits is told to come again.
const MOST_ATTEMPTS: usize = 5;

/// Works until the desk says that no work is left.
pub(crate) fn run(desk: &Desk) {
    while let Some(job) = desk.next() {
        let mut job = Some(job);
        for _ in 0..MOST_ATTEMPTS {
            let Some(taken) = job.take() else { break };
            let right = taken.check();
            job = desk.settle(taken, right, Instant::now());
        }
        if let Some(job) = job {
            desk.give_up(&job);
        }
    }
}
