//! Killed at any moment, with SIGKILL: every component has all its old files or all its new ones, and the next run cleans up.

use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use camino::Utf8Path;
use certificates::{Chain, Component, KeyMatch, Question, examine};
use testkit::Sandbox;

use super::program;

/// A run that is ended when the test fails.
struct Run(Child);

impl Drop for Run {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    let child = Command::new(env!("CARGO_BIN_EXE_collimate"))
        .args(arguments)
        .current_dir(sandbox.root())
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Run(child)
}

/// Kills a run after a part of the time that runs take; whether it was still at work.
fn kill(sandbox: &Sandbox, arguments: &[&str], takes: Duration, part: f64) -> bool {
    let started = Instant::now();
    let mut run = start(sandbox, arguments);
    let moment = takes.mul_f64(part);
    // Busy: a thread that sleeps wakes too late to hit moments that are microseconds apart.
    while started.elapsed() < moment {
        std::hint::spin_loop();
    }
    run.0.kill().unwrap();
    run.0.wait().unwrap().signal() == Some(9)
}

/// How long a run takes that is not killed, the program's start included.
fn measure(sandbox: &Sandbox, arguments: &[&str]) -> Duration {
    let started = Instant::now();
    assert!(start(sandbox, arguments).0.wait().unwrap().success());
    started.elapsed()
}

/// Parts of a whole that fill it evenly in whatever number they are taken (multiples of the golden ratio).
fn parts() -> impl Iterator<Item = f64> {
    (1..).map(|index| (f64::from(index) * 0.618_033_988_749_895).fract())
}

/// Components whose files can be read and belong together; panics where files of two sets are mixed.
#[track_caller]
fn whole(sandbox: &Sandbox) -> Vec<Component> {
    let certs = sandbox.path("certs");
    let is_whole = |component: &Component| {
        let folder = certs.join(component.folder());
        let names = ["tls.crt", "tls.key", "ca.crt"];
        let present = names.iter().filter(|name| folder.join(name).exists()).count();
        if present == 0 {
            return false;
        }
        assert_eq!(present, 3, "{component:?} has some of its files");
        let paths = [folder];
        let found = examine(&Question { paths: &paths, trusted: None, warn: 14, now: jiff::Timestamp::now() }).unwrap();
        assert!(found.findings.is_empty(), "{:?}", found.findings);
        let certificate = found.certificates.iter().find(|row| row.file.file_name() == Some("tls.crt")).unwrap();
        assert_eq!(certificate.key, KeyMatch::Matches);
        assert!(matches!(certificate.chain, Chain::Verified(_)), "{:?}", certificate.chain);
        true
    };
    Component::ALL.into_iter().filter(is_whole).collect()
}

/// What only a run at work has: folders of files that are not read.
fn leftovers(folder: &Utf8Path) -> usize {
    let entries = folder.read_dir_utf8().unwrap().map(Result::unwrap);
    let hidden = entries.filter(|entry| entry.file_name().starts_with("..")).count();
    // `..data` and what it points at.
    hidden.saturating_sub(2)
}

fn all_leftovers(sandbox: &Sandbox) -> usize {
    let folders = Component::ALL.into_iter().map(Component::folder).chain(["authority"]);
    folders.map(|name| leftovers(&sandbox.path("certs").join(name))).sum()
}

#[test]
fn a_renewal_killed_at_120_moments() {
    let sandbox = Sandbox::new();
    let renew = ["tls", "generate", "certs", "--renew"];
    let mut takes = Duration::ZERO;
    let (mut killed, mut left) = (0, 0);
    for (round, part) in parts().take(600).enumerate() {
        if round % 30 == 0 {
            takes = measure(&sandbox, &renew);
        }
        killed += usize::from(kill(&sandbox, &renew, takes, part));
        left += usize::from(all_leftovers(&sandbox) > 0);
        assert_eq!(whole(&sandbox).len(), 5);
        if killed >= 120 && left > 0 {
            break;
        }
    }
    assert!(killed >= 120, "{killed}; runs take {takes:?}");
    assert!(left > 0, "no kill fell into the writing of files; runs take {takes:?}");
    program(&sandbox, &["tls", "generate", "certs"]).any_stdout().run();
    assert_eq!((whole(&sandbox).len(), all_leftovers(&sandbox)), (5, 0));
}

#[test]
fn a_first_run_killed_at_60_moments() {
    let generate = ["tls", "generate", "certs"];
    let mut takes = Duration::ZERO;
    let (mut killed, mut partial) = (0, 0);
    for (round, part) in parts().take(600).enumerate() {
        // Other work on the machine comes and goes, and moments with it.
        if round % 30 == 0 {
            takes = measure(&Sandbox::new(), &generate);
        }
        let sandbox = Sandbox::new();
        killed += usize::from(kill(&sandbox, &generate, takes, part));
        partial += usize::from((1..5).contains(&whole(&sandbox).len()));
        program(&sandbox, &generate).any_stdout().run();
        assert_eq!((whole(&sandbox).len(), all_leftovers(&sandbox)), (5, 0));
        if killed >= 60 && partial > 0 {
            break;
        }
    }
    assert!(killed >= 60, "{killed}; runs take {takes:?}");
    assert!(partial > 0, "no kill fell between two components; runs take {takes:?}");
}

#[test]
fn a_rotation_killed_at_120_moments() {
    let sandbox = Sandbox::new();
    program(&sandbox, &["tls", "generate", "certs"]).any_stdout().run();
    let phases = ["trust", "leaf", "retire"].map(|phase| ["tls", "rotate", "certs", "--phase", phase]);
    let takes = phases.map(|phase| measure(&sandbox, &phase));
    let mut killed = 0;
    for part in parts().take(300) {
        for (phase, takes) in phases.iter().zip(takes) {
            killed += usize::from(kill(&sandbox, phase, takes, part));
            assert_eq!(whole(&sandbox).len(), 5);
            // Whatever it had done, everyone still trusts everyone.
            everyone_trusts_everyone(&sandbox);
            // Run again, it finishes; one that had been finished has nothing to do, and a rotation that was finished is refused.
            let again = program(&sandbox, phase).output();
            let is_over =
                phase.contains(&"retire") && again.exit == 2 && again.stderr.contains("no rotation is under way");
            assert!(again.exit == 0 || is_over, "{again}");
        }
        if killed >= 120 {
            break;
        }
    }
    assert!(killed >= 120, "{killed}; runs take {takes:?}");
    program(&sandbox, &["tls", "generate", "certs"]).stdout_has("nothing had to be done\n").run();
    assert_eq!(all_leftovers(&sandbox), 0);
}

#[test]
fn killed_before_every_single_change_that_it_makes() {
    let Some(strace) = testkit::tool("strace") else { return };
    let base = Sandbox::new();
    program(&base, &["tls", "generate", "certs"]).any_stdout().run();
    let renew: &[&str] = &["tls", "generate", "certs", "--renew"];
    let trust: &[&str] = &["tls", "rotate", "certs", "--phase", "trust"];
    let leaf: &[&str] = &["tls", "rotate", "certs", "--phase", "leaf"];
    let retire: &[&str] = &["tls", "rotate", "certs", "--phase", "retire"];
    for command in [renew, trust, leaf, retire] {
        let kills = |call: &&str| (1..).take_while(|count| kill_before(&strace, &base, command, call, *count)).count();
        let steps: usize = CHANGES.iter().map(kills).sum();
        // Five components, each with three files, four changes of names and the removal of what was before.
        assert!((50..400).contains(&steps), "{command:?} was killed {steps} times");
        program(&base, command).any_stdout().run();
    }
}

/// System calls that change what a reader finds. Opening is not one of them: what it makes is empty until the next of these.
/// The mark is for machines that have not all of them.
const CHANGES: &[&str] = &[
    "?mkdir",
    "?mkdirat",
    "?write",
    "?rename",
    "?renameat",
    "?renameat2",
    "?symlink",
    "?symlinkat",
    "?unlink",
    "?unlinkat",
    "?rmdir",
];

/// Runs a command on a copy and kills it before it makes this call for the so manyth time; false if it makes fewer.
fn kill_before(strace: &Utf8Path, base: &Sandbox, command: &[&str], call: &str, count: u32) -> bool {
    let sandbox = Sandbox::of(base.root());
    let status = Command::new(strace)
        .args(["-f", "-qq", "-o", "/dev/null", "-e", &format!("trace={call}")])
        .args(["-e", &format!("inject={call}:signal=SIGKILL:when={count}")])
        .arg(env!("CARGO_BIN_EXE_collimate"))
        .args(command)
        .current_dir(sandbox.root())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    if status.success() {
        return false;
    }
    assert_eq!(status.signal(), Some(9), "strace ends as what it runs does");
    assert_eq!(whole(&sandbox).len(), 5, "{command:?} killed before {call} {count}");
    everyone_trusts_everyone(&sandbox);
    let again = program(&sandbox, command).output();
    // The very last changes of a rotation come when it is over: printing what was done.
    let is_over = command.contains(&"retire") && again.exit == 2 && again.stderr.contains("no rotation is under way");
    assert!(again.exit == 0 || is_over, "{again}");
    assert_eq!((whole(&sandbox).len(), all_leftovers(&sandbox)), (5, 0));
    true
}

/// Holds every certificate against what every component trusts.
#[track_caller]
fn everyone_trusts_everyone(sandbox: &Sandbox) {
    let file = |component: Component, name: &str| sandbox.path("certs").join(component.folder()).join(name);
    let paths = Component::ALL.map(|component| file(component, "tls.crt"));
    for trusting in Component::ALL {
        let trusted = file(trusting, "ca.crt");
        let question = Question { paths: &paths, trusted: Some(&trusted), warn: 14, now: jiff::Timestamp::now() };
        let found = examine(&question).unwrap();
        assert_eq!(found.certificates.len(), 5);
        for shown in found.certificates {
            assert!(matches!(shown.chain, Chain::Verified(_)), "{trusting:?} does not trust {}", shown.file);
        }
    }
}
