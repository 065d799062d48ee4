//! Work on several cores, with results in the order of the input.
//!
//! The threads are started once and have the stacks that renders need. Work that nobody runs in [`with_cores`], as a unit test of one module, is done by
//! the thread that asks for it.

use std::num::NonZero;
use std::sync::OnceLock;

use rayon::ThreadPoolBuilder;

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
pub(crate) fn map<'i, T: Sync, R: Send + Sync>(items: &'i [T], work: impl Fn(&'i T) -> R + Sync) -> Vec<R> {
    map_then(items, work, |_| {})
}

/// As [`map`], and `then` with every result: of the last ones only when all others are begun, so that what is left at the end is small pieces and the
/// cores end together.
pub(crate) fn map_then<'i, T: Sync, R: Send + Sync>(
    items: &'i [T],
    work: impl Fn(&'i T) -> R + Sync,
    then: impl Fn(&R) + Sync,
) -> Vec<R> {
    if !has_cores() {
        let results: Vec<R> = items.iter().map(work).collect();
        results.iter().for_each(then);
        return results;
    }
    let slots: Vec<OnceLock<R>> = items.iter().map(|_| OnceLock::new()).collect();
    // Items differ much in how long they take: none waits behind another while a core is free.
    let (work, then) = (&work, &then);
    let last = items.len().saturating_sub(2 * rayon::current_num_threads());
    rayon::scope_fifo(|scope| {
        for (index, (item, slot)) in items.iter().zip(&slots).enumerate() {
            scope.spawn_fifo(move |scope| {
                let result = slot.get_or_init(|| work(item));
                if index < last {
                    then(result);
                } else {
                    scope.spawn_fifo(move |_| then(result));
                }
            });
        }
    });
    // A panic of one of them has gone on from the scope.
    slots.into_iter().filter_map(OnceLock::into_inner).collect()
}

/// How many work beside the one that asks.
pub(crate) fn other_cores() -> usize {
    if has_cores() { rayon::current_num_threads().saturating_sub(1) } else { 0 }
}

fn has_cores() -> bool {
    rayon::current_thread_index().is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_come_in_the_order_of_the_items_whoever_does_the_work() {
        let items: Vec<u64> = (0..100).rev().collect();
        let made = || map(&items, |item| item * 10);
        let expected: Vec<u64> = items.iter().map(|item| item * 10).collect();
        assert_eq!(made(), expected);
        assert_eq!(with_cores(made), expected);
    }
}
