//! How much stack is left.
//!
//! Go grows its stacks, so deep recursion is an error of the template there; here it would be the end of the process. So
//! everything that recurses over templates or values asks first.

use std::cell::Cell;

use crate::limits::{DEFAULT_STACK, LARGE_STACK, STACK_RESERVE};

thread_local! {
    /// Where the stack of this thread began, and how much of it may be used, if we made the thread.
    static OURS: Cell<Option<Stack>> = const { Cell::new(None) };
}

/// A stretch of stack: where it began and how far it may go. For everything that recurses over values of templates, which
/// may be nested without bound: take [`Stack::here`] at the start, ask [`Stack::has_room`] at every level.
#[derive(Clone, Copy, Debug)]
pub struct Stack {
    base: usize,
    most: usize,
}

impl Stack {
    /// What this thread has, from here on.
    #[must_use]
    pub fn here() -> Self {
        OURS.get().unwrap_or_else(|| Self { base: address(), most: DEFAULT_STACK })
    }

    /// Whether another level of recursion is safe.
    #[must_use]
    pub fn has_room(self) -> bool {
        self.base.abs_diff(address()) < self.most
    }
}

/// About where the stack is now.
#[inline(never)]
fn address() -> usize {
    let marker = 0_u8;
    std::ptr::from_ref(std::hint::black_box(&marker)).addr()
}

/// Says that this thread was started with a stack of [`LARGE_STACK`] bytes, which begins about here: whoever starts threads of their own for renderings
/// calls it first in each.
pub fn stack_is_large() {
    OURS.set(Some(Stack { base: address(), most: LARGE_STACK - STACK_RESERVE }));
}

/// Runs `work` on a new thread with a stack of [`LARGE_STACK`] bytes and waits for it; on this thread if none can be
/// started. Deeply nested templates and recursive `include`s need it; do a whole rendering in one such call.
///
/// # Panics
/// If `work` does.
pub fn on_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    if OURS.get().is_some() {
        return work();
    }
    // Kept outside of the closure: if no thread can be started, it must still be there to be run here.
    let pending = std::sync::Mutex::new(Some(work));
    let take = || pending.lock().ok().and_then(|mut work| work.take());
    let outcome = std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(LARGE_STACK).spawn_scoped(scope, || {
            stack_is_large();
            take().map(|work| work())
        });
        match thread {
            Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            Err(_) => take().map(|work| work()),
        }
    });
    match outcome {
        Some(result) => result,
        // One of the two has taken it, and it is not taken twice.
        None => unreachable!("the work was run by nobody"),
    }
}
