//! Who may read what, whatever the umask and whoever runs it.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::process::Command;

use camino::Utf8Path;
use testkit::{Cli, Sandbox};

use super::program;

/// The user and group of the collector in its image.
const COLLECTOR: &str = "10001:10001";

/// Whether root runs this test: the owner of a file that it makes.
fn is_root() -> bool {
    let sandbox = Sandbox::new();
    sandbox.write("file", "");
    sandbox.path("file").metadata().unwrap().uid() == 0
}

/// A command as this user and group, with no capabilities and no way to get any.
fn as_user(setpriv: &Utf8Path, user: &str, group: &str) -> Cli {
    Cli::new(setpriv).args([
        "--reuid",
        user,
        "--regid",
        group,
        "--clear-groups",
        "--bounding-set=-all",
        "--inh-caps=-all",
        "--no-new-privs",
    ])
}

/// Lets other users get to a sandbox.
fn opened() -> Sandbox {
    let sandbox = Sandbox::new();
    std::fs::set_permissions(sandbox.root(), std::fs::Permissions::from_mode(0o755)).unwrap();
    sandbox
}

fn mode(sandbox: &Sandbox, path: &str) -> u32 {
    sandbox.path(path).metadata().unwrap().mode() & 0o7777
}

#[test]
fn the_umask_changes_nothing() {
    for umask in ["000", "022", "077", "0777"] {
        let sandbox = Sandbox::new();
        let script = format!("umask {umask}; exec \"$0\" tls generate certs");
        let run = Cli::new("/bin/sh").folder(sandbox.root()).args(["-c", &script, env!("CARGO_BIN_EXE_collimate")]);
        run.any_stdout().run();
        for (path, expected) in [
            ("certs", 0o755),
            ("certs/authority", 0o700),
            ("certs/authority/ca.key", 0o600),
            ("certs/loki", 0o755),
            ("certs/loki/..data", 0o755),
            ("certs/loki/tls.key", 0o600),
            ("certs/loki/tls.crt", 0o644),
            ("certs/loki/ca.crt", 0o644),
        ] {
            assert_eq!(mode(&sandbox, path), expected, "{path} with umask {umask}");
        }
    }
}

#[test]
fn the_collector_reads_its_files_without_capabilities_and_nothing_else() {
    if !is_root() {
        testkit::skip("only root may become another user");
        return;
    }
    let Some(setpriv) = testkit::tool("setpriv") else { return };
    let sandbox = opened();
    let read = |user: &str, group: &str, path: &str| {
        as_user(&setpriv, user, group).folder(sandbox.root()).args(["/bin/cat", path]).output().exit == 0
    };
    let can_read = |user: &str, group: &str| {
        ["collector/tls.key", "collector/tls.crt", "collector/ca.crt", "authority/ca.key", "authority/ca.crt"]
            .map(|path| read(user, group, &format!("certs/{path}")))
    };
    let generate = |arguments: &[&str]| {
        program(&sandbox, &[&["tls", "generate", "certs"], arguments].concat()).any_stdout().run();
    };
    generate(&[]);
    assert_eq!(can_read("10001", "10001"), [false, true, true, false, false], "keys are root's");
    generate(&["--owner", COLLECTOR]);
    assert_eq!(can_read("10001", "10001"), [true, true, true, false, false]);
    assert_eq!(can_read("10002", "10001"), [false, true, true, false, false], "the group is not enough");
    // A renewal by somebody who does not think of the flag must not lock the collector out.
    generate(&["--renew"]);
    assert_eq!(can_read("10001", "10001"), [true, true, true, false, false]);
    for phase in ["trust", "leaf", "retire"] {
        program(&sandbox, &["tls", "rotate", "certs", "--phase", phase]).any_stdout().run();
        assert_eq!(can_read("10001", "10001"), [true, true, true, false, false], "{phase}");
    }
    generate(&["--owner", "0:10001", "--group-readable"]);
    assert_eq!(can_read("10001", "10001"), [true, true, true, false, false], "through the group");
    assert_eq!(can_read("10001", "10002"), [false, true, true, false, false]);
    assert_eq!((mode(&sandbox, "certs/loki/tls.key"), mode(&sandbox, "certs/authority/ca.key")), (0o640, 0o600));
}

#[test]
fn only_root_gives_files_away() {
    let sandbox = opened();
    let arguments = ["tls", "generate", "certs", "--owner", "1:1"];
    let run = if is_root() {
        let Some(setpriv) = testkit::tool("setpriv") else { return };
        std::os::unix::fs::chown(sandbox.root(), Some(12_345), Some(12_345)).unwrap();
        as_user(&setpriv, "12345", "12345").folder(sandbox.root()).arg(env!("CARGO_BIN_EXE_collimate")).args(arguments)
    } else {
        program(&sandbox, &arguments)
    };
    // The folder of the new files has a random name.
    let output = run.any_stderr().exit(4).run();
    let (error, hint) = output.stderr.split_once('\n').unwrap();
    assert!(error.starts_with("error: cannot give `certs/collector/.."), "{error}");
    assert!(error.ends_with("/tls.crt` to 1:1: permission denied"), "{error}");
    assert_eq!(
        hint,
        "hint: only root may give files to another user; run as root, or use `--group-readable` and a group that both are in\n"
    );
    let collector: Vec<_> = std::fs::read_dir(sandbox.path("certs/collector")).unwrap().collect();
    assert!(collector.is_empty(), "nothing half is left behind");
}

#[test]
fn a_key_is_never_readable_by_others_not_even_while_it_is_written() {
    // What the kernel was asked for, call by call.
    let Some(strace) = testkit::tool("strace") else { return };
    let sandbox = Sandbox::new();
    let output = Command::new(strace)
        .args(["-f", "-e", "trace=openat,open,creat,chmod,fchmod,fchmodat", "-o", "trace"])
        .arg(env!("CARGO_BIN_EXE_collimate"))
        .args(["tls", "generate", "certs"])
        .current_dir(sandbox.root())
        .output()
        .unwrap();
    assert!(output.status.success());
    let trace = sandbox.read("trace");
    let made: Vec<&str> = trace.lines().filter(|line| line.contains(".key\"") && line.contains("O_CREAT")).collect();
    assert_eq!(made.len(), 6, "{trace}");
    assert!(made.iter().all(|line| line.contains("O_EXCL") && line.contains(", 0600)")), "{made:?}");
}
