//! The gateway of the mirror: the shipped configuration in the real nginx. What issue and manual promise about it, one sentence each, is
//! a function here that judges a running gateway; `removed.rs` takes directives away and shows which of them notices.

mod access;
mod certificates;
mod content;
mod door;
mod drift;
mod hostile;
mod names;
pub(crate) mod real;
mod refused;
mod removed;
mod render;
pub(crate) mod request;
mod running;
mod shipped;
pub(crate) mod stage;

use std::time::{Duration, Instant};

/// Whether a promise is kept; else how it was broken.
type Verdict = Result<(), String>;

/// Ends a check with a reason unless a condition holds.
macro_rules! ensure {
    ($condition:expr, $($reason:tt)+) => {
        if !$condition {
            return Err(format!($($reason)+));
        }
    };
}
pub(crate) use ensure;

/// A check: a gateway is started as a plan says, then judged. The test of its name expects that it holds for the shipped configuration.
macro_rules! check {
    ($(#[$about:meta])* $name:ident($stage:ident) with $plan:expr => $body:block) => {
        $(#[$about])*
        pub(super) fn $name(plan: crate::mirror_gateway::stage::Plan) -> Option<crate::mirror_gateway::Verdict> {
            let change: fn(crate::mirror_gateway::stage::Plan) -> crate::mirror_gateway::stage::Plan = $plan;
            let $stage = change(plan).start()?;
            let judge = move || -> crate::mirror_gateway::Verdict { $body };
            Some(judge())
        }
        mod $name {
            #[test]
            fn holds() {
                crate::mirror_gateway::holds(super::$name(crate::mirror_gateway::stage::Plan::new()));
            }
        }
    };
}
pub(crate) use check;

/// What a test expects of a check. Without the tools there is no verdict, and that was said already.
#[track_caller]
fn holds(verdict: Option<Verdict>) {
    if let Some(Err(reason)) = verdict {
        panic!("{reason}");
    }
}

/// Waits until something is so, for as long as a busy machine may take.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut ready: impl FnMut() -> bool) {
    let start = Instant::now();
    while !ready() {
        assert!(start.elapsed() < Duration::from_secs(60), "{what}: not within a minute");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}
