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
    if !has_cores() {
        return items.iter().map(work).collect();
    }
    let slots: Vec<OnceLock<R>> = items.iter().map(|_| OnceLock::new()).collect();
    // Items differ much in how long they take: none waits behind another while a core is free.
    let work = &work;
    rayon::scope_fifo(|scope| {
        for (item, slot) in items.iter().zip(&slots) {
            scope.spawn_fifo(move |_| {
                slot.get_or_init(|| work(item));
            });
        }
    });
    done(slots)
}

/// `work` on every item, and `then` on what it gave, as soon as a core is free for that; the first items are begun first.
pub(crate) fn map_then<'i, T: Sync, R: Send + Sync>(
    items: &'i [T],
    work: impl Fn(&'i T) -> R + Sync,
    then: impl Fn(&R) + Sync,
) -> Vec<R> {
    let slots: Vec<OnceLock<R>> = items.iter().map(|_| OnceLock::new()).collect();
    if has_cores() {
        let (work, then) = (&work, &then);
        rayon::scope_fifo(|scope| {
            for (item, slot) in items.iter().zip(&slots) {
                scope.spawn_fifo(move |scope| {
                    let result = slot.get_or_init(|| work(item));
                    scope.spawn_fifo(move |_| then(result));
                });
            }
        });
    } else {
        for (item, slot) in items.iter().zip(&slots) {
            then(slot.get_or_init(|| work(item)));
        }
    }
    done(slots)
}

/// What all have given: a panic of one of them has gone on from the scope.
fn done<R>(slots: Vec<OnceLock<R>>) -> Vec<R> {
    slots.into_iter().filter_map(OnceLock::into_inner).collect()
}

fn has_cores() -> bool {
    rayon::current_thread_index().is_some()
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn what_follows_sees_every_result_whoever_does_the_work() {
        let seen = || {
            let seen = Mutex::new(Vec::new());
            let made = map_then(&[3, 1, 2], |item| item * 10, |result| seen.lock().unwrap().push(*result));
            let mut seen = seen.into_inner().unwrap();
            seen.sort_unstable();
            (made, seen)
        };
        let expected = (vec![30, 10, 20], vec![10, 20, 30]);
        assert_eq!(seen(), expected);
        assert_eq!(with_cores(seen), expected);
    }
}
