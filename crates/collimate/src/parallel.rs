//! Work on several cores, with results in the order of the input.
//!
//! The threads are started once and have the stacks that renders need. Work that nobody runs in [`with_cores`], as a unit test of one module, is done by
//! the thread that asks for it.

use std::num::NonZero;

use rayon::ThreadPoolBuilder;
use rayon::iter::{IndexedParallelIterator as _, IntoParallelRefIterator as _, ParallelIterator as _};

/// Runs `work` on a large stack; what it maps is done by as many threads as there are cores.
pub(crate) fn with_cores<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let threads = ThreadPoolBuilder::new()
        .num_threads(std::thread::available_parallelism().map_or(1, NonZero::get))
        .stack_size(helmchart::LARGE_STACK)
        .start_handler(|_| helmchart::stack_is_large())
        .build();
    match threads {
        Ok(threads) => threads.install(work),
        // What the system gives no threads to is done by one.
        Err(_) => helmchart::on_large_stack(work),
    }
}

/// `work` on every item, as many at a time as there are cores; the first ones are begun first.
pub(crate) fn map<'i, T: Sync, R: Send>(items: &'i [T], work: impl Fn(&'i T) -> R + Send + Sync) -> Vec<R> {
    if has_cores() {
        // Items differ much in how long they take: none waits behind another while a core is free.
        items.par_iter().with_max_len(1).map(work).collect()
    } else {
        items.iter().map(work).collect()
    }
}

/// Both works, at the same time where there are two cores.
pub(crate) fn both<A: Send, B: Send>(one: impl FnOnce() -> A + Send, other: impl FnOnce() -> B + Send) -> (A, B) {
    if has_cores() { rayon::join(one, other) } else { (one(), other()) }
}

fn has_cores() -> bool {
    rayon::current_thread_index().is_some()
}
