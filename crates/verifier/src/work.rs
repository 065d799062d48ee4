//! The threads that run bcrypt.
//!
//! They are apart from the thread that answers, and fewer than the machine has cores: however many wrong passwords come, the gateway keeps
//! cores of its own.

use std::time::Instant;

use mirror::htpasswd::Hash;

use crate::desk::{Desk, Job};

/// How often a check is made anew because the file changed while it ran. Then whoever waits is told to come again.
const MOST_ATTEMPTS: usize = 5;

/// Works until the desk says that no work is left.
pub(crate) fn run(desk: &Desk) {
    while let Some(job) = desk.next() {
        finish(desk, job, Job::check);
    }
}

/// Answers whoever waits for this job; `check` is the work.
pub(crate) fn finish(desk: &Desk, mut job: Job, mut check: impl FnMut(&Job) -> Option<(String, Hash)>) {
    for _ in 0..MOST_ATTEMPTS {
        let right = check(&job);
        match desk.settle(job, right, Instant::now()) {
            Some(again) => job = again,
            None => return,
        }
    }
    desk.give_up(&job);
}
