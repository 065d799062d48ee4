//! The sending end of an HTTP connection, which is gone when the connection is.
//!
//! The HTTP library puts a call into a channel, from which the connection's task takes it; a call that is thrown out of the channel with a
//! task that ends tells its caller so. But a call that is put in at the very moment at which the task ends is thrown out by nobody: the
//! channel has taken it, the task has looked for the last time, and there it stays as long as anybody may still put in more
//! (<https://github.com/hyperium/hyper/issues/4122>, <https://github.com/tokio-rs/tokio/issues/7714>). Its caller would wait for an answer
//! over a connection that has long been closed. So there is one sending end, it is used under a lock, and it is dropped once the connection
//! is over: then the channel drops what it has. A call that was taken out in time does not need it, so no answer is lost.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Shared by all who call over one connection. The connection ends when the last of them is dropped.
pub(crate) struct Sender<S>(Arc<Mutex<Option<S>>>);

impl<S: Send + 'static> Sender<S> {
    /// Runs the connection until it ends. How it ended is in its [`Watch`](super::Watch).
    pub(crate) fn new(sender: S, connection: impl Future<Output: Send> + Send + 'static) -> Self {
        let shared = Arc::new(Mutex::new(Some(sender)));
        // Weakly, because a connection that nobody uses any more has to end.
        let weak = Arc::downgrade(&shared);
        tokio::spawn(async move {
            connection.await;
            let ended = weak.upgrade().and_then(|shared| lock(&shared).take());
            drop(ended);
        });
        Self(shared)
    }

    /// `None` once the connection is over. A clone of what is lent here would keep calls that are lost.
    pub(crate) fn with<R>(&self, act: impl FnOnce(&mut S) -> R) -> Option<R> {
        lock(&self.0).as_mut().map(act)
    }
}

impl<S> Clone for Sender<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

fn lock<S>(shared: &Mutex<Option<S>>) -> MutexGuard<'_, Option<S>> {
    // A panic elsewhere leaves it as it was.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::{mpsc, oneshot};
    use tokio::time::timeout;

    use super::*;

    /// Where a caller hears of its call.
    type Call = oneshot::Sender<&'static str>;

    /// Nothing waits so long unless it waits for ever.
    const PATIENCE: Duration = Duration::from_secs(30);

    fn check(test: impl Future<Output = ()>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async { timeout(PATIENCE, test).await }).unwrap();
    }

    #[test]
    fn a_call_that_comes_in_while_the_connection_ends_ends_too() {
        check(async {
            let (calls, mut taken) = mpsc::channel::<Call>(2);
            let (end, ended) = oneshot::channel();
            let (gone, is_gone) = oneshot::channel();
            let sender = Sender::new(calls, async move {
                let in_time: Call = taken.recv().await.unwrap();
                ended.await.unwrap();
                drop(taken);
                gone.send(in_time).unwrap();
            });
            let (call, in_time) = oneshot::channel();
            sender.with(|calls| calls.try_send(call).unwrap()).unwrap();
            // The channel promises a place, its reader goes away, and only then the call is there.
            let place = sender.with(|calls| calls.clone().try_reserve_owned().unwrap()).unwrap();
            end.send(()).unwrap();
            let answers = is_gone.await.unwrap();
            let (call, too_late) = oneshot::channel();
            drop(place.send(call));
            assert!(too_late.await.is_err());
            assert!(sender.with(|_| ()).is_none());
            // Answers come from tasks that may outlive the connection's.
            answers.send("answer").unwrap();
            assert_eq!(in_time.await, Ok("answer"));
        });
    }

    #[test]
    fn a_connection_ends_with_its_last_caller() {
        check(async {
            let (calls, mut taken) = mpsc::channel::<Call>(1);
            let (end, ended) = oneshot::channel();
            let sender = Sender::new(calls, async move { end.send(taken.recv().await.is_none()) });
            let other = sender.clone();
            drop(sender);
            assert!(other.with(|_| ()).is_some());
            drop(other);
            assert_eq!(ended.await, Ok(true));
        });
    }
}
