//! A program that we run: without a terminal, for a limited time, in a process group that ends with it.
//!
//! Threat: what it leaves behind. A process that goes on keeps the pipes open that it was given, and whoever reads one to its end
//! waits for that process instead of the program. So what is printed goes to files, which end where they end, and whatever is left
//! in the group is killed as soon as the program has ended or its time is over.

use std::fs::File;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;

/// From the first look on, doubled up to the longest: most programs that we run end within some milliseconds, others take minutes.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(20);

/// A running program and what it started.
pub(crate) struct Group(Child);

impl Group {
    /// Starts a program. Its output goes where `command` says, which must be no pipe: a [`file()`].
    pub(crate) fn start(command: &mut Command) -> io::Result<Self> {
        command.stdin(Stdio::null()).process_group(0).spawn().map(Self)
    }

    /// How it ended; `None` if it had to be stopped after `limit`. Nothing that it started goes on, but what made a group of its own.
    pub(crate) fn wait(mut self, limit: Duration) -> io::Result<Option<ExitStatus>> {
        let has_ended = self.ends_within(limit);
        // The program itself may have left its group, and there may be nobody in it any more.
        let _ = self.0.kill();
        let _ = killpg(self.number(), Signal::SIGKILL);
        let status = self.0.wait()?;
        Ok(has_ended?.then_some(status))
    }

    /// Only looks: while nobody has waited for the program its number is not given away, and its group is not somebody else's.
    fn ends_within(&self, limit: Duration) -> io::Result<bool> {
        let look = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
        let start = Instant::now();
        let mut pause = FIRST_PAUSE;
        while waitid(Id::Pid(self.number()), look)? == WaitStatus::StillAlive {
            if start.elapsed() >= limit {
                return Ok(false);
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Ok(true)
    }

    fn number(&self) -> Pid {
        Pid::from_raw(self.0.id().cast_signed())
    }
}

/// A file without a name, and an end of it for a program to write to.
pub(crate) fn file() -> io::Result<(File, Stdio)> {
    let file = tempfile::tempfile()?;
    let writer = file.try_clone()?;
    Ok((file, writer.into()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileExt as _;

    use super::*;

    /// Long against every wait of a test.
    const BACKGROUND: &str = "sleep 100 & echo $!";

    fn start(script: &str) -> (Group, File) {
        let (output, writer) = file().unwrap();
        (Group::start(Command::new("sh").args(["-c", script]).stdout(writer)).unwrap(), output)
    }

    fn until(what: &str, mut is_so: impl FnMut() -> bool) {
        let start = Instant::now();
        while !is_so() {
            assert!(start.elapsed().as_secs() < 30, "{what}");
            std::thread::park_timeout(LONGEST_PAUSE);
        }
    }

    fn printed(output: &File) -> String {
        let mut bytes = [0; 100];
        let length = output.read_at(&mut bytes, 0).unwrap();
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    }

    fn is_over(process: &str) {
        let stat = format!("/proc/{}/stat", process.trim());
        let is_gone = || std::fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") Z "));
        until("what it started goes on", is_gone);
    }

    #[test]
    fn what_a_program_leaves_behind_is_not_waited_for_and_ends() {
        let (group, output) = start(BACKGROUND);
        let start = Instant::now();
        assert!(group.wait(Duration::from_secs(300)).unwrap().is_some_and(|status| status.success()));
        assert!(start.elapsed().as_secs() < 60);
        is_over(&printed(&output));
    }

    #[test]
    fn a_program_is_stopped_with_all_that_it_started() {
        let (group, output) = start(&format!("{BACKGROUND}; sleep 100"));
        until("it prints nothing", || printed(&output).ends_with('\n'));
        assert_eq!(group.wait(Duration::ZERO).unwrap(), None);
        is_over(&printed(&output));
    }
}
