//! How much memory this process uses, to show that a load does not pile up.

use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How often to look. A minute's load gives some hundred samples.
const PAUSE: Duration = Duration::from_millis(250);

/// Memory over time, in KiB.
#[derive(Debug, Default)]
pub(crate) struct Memory(Vec<(Duration, u64)>);

impl Memory {
    /// Looks until `ended` says so.
    pub(crate) async fn watch(start: Instant, ended: tokio::sync::oneshot::Receiver<()>) -> Self {
        let mut memory = Self::default();
        tokio::pin!(ended);
        loop {
            memory.0.extend(resident().map(|kib| (start.elapsed(), kib)));
            tokio::select! {
                _ = &mut ended => return memory,
                () = sleep(PAUSE) => {}
            }
        }
    }

    /// After a tenth of the time, and at most. If the second is not far from the first, nothing piles up.
    pub(crate) fn early_and_most(&self) -> Option<(u64, u64)> {
        let end = self.0.last()?.0;
        let early = self.0.iter().find(|(at, _)| *at >= end / 10)?.1;
        let most = self.0.iter().map(|(_, kib)| *kib).max()?;
        Some((early, most))
    }
}

/// `None` where the system does not say.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn early_is_after_a_tenth_and_most_is_the_peak() {
        let at = |seconds, kib| (Duration::from_secs(seconds), kib);
        let memory = Memory(vec![at(0, 10), at(10, 30), at(50, 45), at(100, 31)]);
        assert_eq!(memory.early_and_most(), Some((30, 45)));
        assert_eq!(Memory::default().early_and_most(), None);
    }

    #[test]
    fn this_process_has_memory() {
        assert!(resident().is_some_and(|kib| kib > 100));
    }
}
