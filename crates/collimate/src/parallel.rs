//! Work on several cores, with results in the order of the input.

use std::num::NonZero;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// `work` on every item, as many at a time as there are cores.
pub(crate) fn map<'i, T: Sync, R: Send + Sync>(items: &'i [T], work: impl Fn(&'i T) -> R + Sync) -> Vec<R> {
    let workers = std::thread::available_parallelism().map_or(1, NonZero::get).min(items.len());
    let next = AtomicUsize::new(0);
    let slots: Vec<OnceLock<R>> = items.iter().map(|_| OnceLock::new()).collect();
    let run = || {
        while let Some((item, slot)) = {
            let index = next.fetch_add(1, Ordering::Relaxed);
            items.get(index).zip(slots.get(index))
        } {
            // Each index is taken once, so the slot is empty.
            let _ = slot.set(work(item));
        }
    };
    // Renders nest deeper than a usual stack allows, and would each start a thread of their own.
    std::thread::scope(|scope| {
        for _ in 1..workers {
            // Without a second thread the first one does all the work.
            let _ = helmchart::spawn_large(scope, run);
        }
        helmchart::on_large_stack(run);
    });
    // Every one is there, which `collect` cannot know.
    let mut results = Vec::with_capacity(slots.len());
    results.extend(slots.into_iter().filter_map(OnceLock::into_inner));
    results
}
