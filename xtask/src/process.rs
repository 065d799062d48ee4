//! Running other programs: watched line by line, or captured under a time limit.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};

/// What a captured program did.
pub(crate) struct Captured {
    /// The exit code; none if a signal ended it.
    pub(crate) code: Option<i32>,
    /// It ran longer than it may and was stopped.
    pub(crate) timed_out: bool,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    /// From before the start to after the end, output read.
    pub(crate) elapsed: Duration,
}

/// Runs a command and passes its output on; `watch` sees every line of both streams. Gives back whether it succeeded.
pub(crate) fn watch(command: &mut Command, watch: impl Fn(&str) + Clone + Send + 'static) -> Result<bool> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("cannot run `{program}`"))?;
    let readers = [
        child.stdout.take().map(|pipe| pass_on(pipe, crate::terminal::print, watch.clone())),
        child.stderr.take().map(|pipe| pass_on(pipe, crate::terminal::talk, watch)),
    ];
    for reader in readers.into_iter().flatten() {
        // A reader that panicked lost its stream; the exit code still stands.
        let _ = reader.join();
    }
    Ok(child.wait().with_context(|| format!("cannot wait for `{program}`"))?.success())
}

fn pass_on(
    pipe: impl Read + Send + 'static,
    to: impl Fn(&str) + Send + 'static,
    watch: impl Fn(&str) + Send + 'static,
) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut reader = BufReader::new(pipe);
        let mut line = Vec::new();
        while reader.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line);
            watch(text.trim_end());
            to(&text);
            line.clear();
        }
    })
}

/// Runs a command for at most `limit` and keeps what it wrote.
pub(crate) fn capture(command: &mut Command, limit: Duration) -> Result<Captured> {
    let program = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let start = Instant::now();
    let mut child = command.spawn().with_context(|| format!("cannot run `{program}`"))?;
    let stdout = child.stdout.take().map(read_all);
    let stderr = child.stderr.take().map(read_all);
    let (code, timed_out) = wait(&mut child, start + limit).with_context(|| format!("cannot wait for `{program}`"))?;
    let collect =
        |reader: Option<JoinHandle<Vec<u8>>>| reader.and_then(|reader| reader.join().ok()).unwrap_or_default();
    // A stopped program may leave children that hold the pipes: their readers are not waited for.
    let (stdout, stderr) = if timed_out { (Vec::new(), Vec::new()) } else { (collect(stdout), collect(stderr)) };
    Ok(Captured { code, timed_out, stdout, stderr, elapsed: start.elapsed() })
}

/// Sleeps until the program has ended: to ask it now and then would take time from what is timed.
fn wait(child: &mut Child, deadline: Instant) -> std::io::Result<(Option<i32>, bool)> {
    let process = pidfd_open(Pid::from_child(child), PidfdFlags::empty())?;
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).map_err(|_| Errno::INVAL)?;
        match poll(&mut [PollFd::new(&process, PollFlags::IN)], Some(&timeout)) {
            Ok(0) => break,
            Ok(_) => return Ok((child.wait()?.code(), false)),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    child.kill()?;
    child.wait()?;
    Ok((None, true))
}

fn read_all(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before a broken pipe is still worth showing.
        let _ = pipe.read_to_end(&mut bytes);
        bytes
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> Captured {
        capture(Command::new("sh").args(["-c", script]), limit).unwrap()
    }

    #[test]
    fn a_program_is_waited_for_as_long_as_it_may_run() {
        let ended = shell("echo out; echo err >&2; exit 3", Duration::from_secs(60));
        assert_eq!((ended.code, ended.timed_out), (Some(3), false));
        assert_eq!((&*ended.stdout, &*ended.stderr), (&b"out\n"[..], &b"err\n"[..]));
        let killed = shell("kill -9 $$", Duration::from_secs(60));
        assert_eq!((killed.code, killed.timed_out), (None, false));
        let stopped = shell("exec sleep 60", Duration::from_millis(50));
        assert_eq!((stopped.code, stopped.timed_out), (None, true));
        assert!(stopped.elapsed < Duration::from_secs(30));
    }
}
