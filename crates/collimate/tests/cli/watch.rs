//! `check --watch`: what is changed is checked again, whatever way it was changed, until a signal ends it.

use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Duration;

use crate::tree::{RELEASE, Tree};

const WORKSPACE: &str = "\
schema: 1
channels: {edge: {release: edge.yaml}}
profiles:
  compose/dev: {channel: edge, compose: [compose.yaml], env: [env/dev.env]}
";
const COMPOSE: &str = "services: {web: {image: nginx:1.27@sha256:2d715950d83061ff2fbc910d12d3703212538cacf6b3003e3736fa5c7f51a2e1, hostname: \"${HOST}\"}}\n";

/// A machine under load is slow; what hangs is found all the same.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a program has written up to now, and a bell that rings when there is more.
#[derive(Default)]
struct Told {
    written: Mutex<Written>,
    more: Condvar,
}

#[derive(Default)]
struct Written {
    stdout: String,
    stderr: String,
    /// Streams that have ended.
    ended: usize,
}

struct Watching {
    child: Child,
    told: Arc<Told>,
    /// How much of both has been looked at.
    seen: (usize, usize),
}

impl Watching {
    fn start(tree: &Tree, arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_collimate"))
            .args(["check", "--watch"])
            .args(arguments)
            .current_dir(tree.path(""))
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let told = Arc::new(Told::default());
        collect(child.stdout.take().unwrap(), &told, |written| &mut written.stdout);
        collect(child.stderr.take().unwrap(), &told, |written| &mut written.stderr);
        Self { child, told, seen: (0, 0) }
    }

    /// Waits for a text on stdout that was not there at the last wait.
    #[track_caller]
    fn prints(&mut self, text: &str) {
        self.seen.0 = self.await_text(|written| &written.stdout, self.seen.0, text);
    }

    #[track_caller]
    fn says(&mut self, text: &str) {
        self.seen.1 = self.await_text(|written| &written.stderr, self.seen.1, text);
    }

    #[track_caller]
    fn await_text(&self, stream: impl Fn(&Written) -> &str, from: usize, text: &str) -> usize {
        let at = |written: &Written| stream(written)[from..].find(text);
        let written = self.wait_until(&format!("no `{text}`"), |written| at(written).is_some());
        from + at(&written).unwrap() + text.len()
    }

    /// Waits until this is so of what was written.
    #[track_caller]
    fn wait_until(&self, otherwise: &str, is_so: impl Fn(&Written) -> bool) -> MutexGuard<'_, Written> {
        let written = self.told.written.lock().unwrap();
        let (written, _) = self.told.more.wait_timeout_while(written, PATIENCE, |written| !is_so(written)).unwrap();
        let Written { stdout, stderr, .. } = &*written;
        assert!(is_so(&written), "{otherwise} in\n{stdout}\nstderr:\n{stderr}");
        written
    }

    /// Sends a signal; the exit code.
    #[track_caller]
    fn end(mut self, signal: &str) -> Option<i32> {
        let sent = Command::new("/bin/kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        self.ended()
    }

    /// The exit code. Whoever closes both streams is about to end.
    #[track_caller]
    fn ended(&mut self) -> Option<i32> {
        drop(self.wait_until("it does not end", |written| written.ended == 2));
        self.child.wait().unwrap().code()
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // A test that failed leaves nothing running; one that passed has ended it already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect(
    mut pipe: impl std::io::Read + Send + 'static,
    told: &Arc<Told>,
    stream: impl Fn(&mut Written) -> &mut String + Send + 'static,
) {
    let told = Arc::clone(told);
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        loop {
            let read = pipe.read(&mut buffer).unwrap_or(0);
            let mut written = told.written.lock().unwrap();
            stream(&mut written).push_str(&String::from_utf8_lossy(&buffer[..read]));
            written.ended += usize::from(read == 0);
            told.more.notify_all();
            if read == 0 {
                return;
            }
        }
    });
}

fn tree() -> Tree {
    Tree::of(&[
        ("collimate.yaml", WORKSPACE),
        ("compose.yaml", COMPOSE),
        ("edge.yaml", RELEASE),
        ("env/dev.env", "HOST=web\n"),
    ])
}

const GREEN: &str = "1 profile: no findings\n";

#[test]
fn whatever_is_changed_is_checked_again() {
    let tree = tree();
    let mut watching = Watching::start(&tree, &[]);
    watching.prints(GREEN);

    // Written in place.
    let wrong = COMPOSE.replace("a2e1", "a2e2");
    tree.write("compose.yaml", &wrong);
    watching.says("changed: `compose.yaml`\n");
    watching.prints("error[digest-mismatch]");
    watching.prints("1 profile: 1 error\n");

    // Replaced, as many editors do it.
    tree.write("compose.yaml~", COMPOSE);
    std::fs::rename(tree.path("compose.yaml~"), tree.path("compose.yaml")).unwrap();
    watching.prints(GREEN);

    // A change that changes nothing.
    tree.write("compose.yaml", &format!("# a comment\n{COMPOSE}"));
    watching.says("changed: `compose.yaml`; the report is the same\n");

    // A folder that goes and comes back, with its file.
    std::fs::rename(tree.path("env"), tree.path("elsewhere")).unwrap();
    watching.prints("1 profile: 1 error");
    std::fs::rename(tree.path("elsewhere"), tree.path("env")).unwrap();
    watching.prints(GREEN);
    std::fs::remove_dir_all(tree.path("env")).unwrap();
    watching.prints("1 profile: 1 error");
    tree.write("env/dev.env", "HOST=web\n");
    watching.prints(GREEN);
    // And is still watched.
    tree.write("env/dev.env", "HOST=web\nUNUSED=1\n");
    watching.prints("warning[env-unused]");
    tree.write("env/dev.env", "HOST=web\n");
    watching.prints(GREEN);

    // The workspace's own file, broken meanwhile.
    tree.write("collimate.yaml", "schema: 1\nchannels: [\n");
    watching.says("error: `collimate.yaml` has 1 problem\n");
    tree.write("collimate.yaml", WORKSPACE);
    watching.says("changed: `collimate.yaml`\n");
    watching.prints(GREEN);

    // A file that the workspace names only now, in a folder that is new.
    tree.write("new/deep/more.yaml", "services: {more: {image: redis}}\n");
    tree.write("collimate.yaml", &WORKSPACE.replace("[compose.yaml]", "[compose.yaml, new/deep/more.yaml]"));
    watching.prints("image-unlisted");
    tree.write("new/deep/more.yaml", "services: {}\n");
    watching.prints(GREEN);

    // A link whose file changes where nobody looks.
    tree.write("else/where.env", "HOST=web\n");
    std::fs::remove_file(tree.path("env/dev.env")).unwrap();
    std::os::unix::fs::symlink("../else/where.env", tree.path("env/dev.env")).unwrap();
    tree.write("else/where.env", "HOST=web\nUNUSED=1\n");
    watching.prints("warning[env-unused]");
    tree.write("else/where.env", "HOST=web\n");
    watching.prints(GREEN);

    // Much at once; what counts is how it ends.
    for round in 0..300 {
        tree.write(&format!("env/{round}.env"), "X=1\n");
        tree.write("compose.yaml", if round % 2 == 0 { &wrong } else { COMPOSE });
    }
    tree.write("compose.yaml", &COMPOSE.replace("a2e1", "a2e9"));
    watching.prints("fa5c7f51a2e9");
    watching.prints("1 profile: 1 error\n");
    assert_eq!(watching.end("-TERM"), Some(0));
}

#[test]
fn it_ends_at_once_when_it_is_interrupted() {
    let tree = tree();
    let mut watching = Watching::start(&tree, &["--format", "json", "compose/dev"]);
    watching.prints("\"verdict\": \"aligned\"");
    assert_eq!(watching.end("-INT"), Some(0));
}

#[test]
fn it_ends_with_its_workspace() {
    let tree = tree();
    let mut watching = Watching::start(&tree, &[]);
    watching.prints(GREEN);
    std::fs::remove_dir_all(tree.path("")).unwrap();
    assert_eq!(watching.ended(), Some(4));
    watching.says("is gone\nhint: start again where the workspace is now\n");
}

#[test]
fn what_cannot_be_watched_is_said() {
    let tree = tree();
    let (code, stdout, stderr) = tree.run_text(&["check", "--watch", "--format", "sarif"]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert_eq!(
        stderr,
        "error: `--watch` writes one report after another, as text or JSON\nhint: leave `--format` out, or give `--format json`\n"
    );
    tree.write("collimate.yaml", "schema: [\n");
    let (code, _, stderr) = tree.run_text(&["check", "--watch"]);
    assert_eq!(code, 3, "{stderr}");
    let (code, _, stderr) = tree.run_text(&["check", "--watch", "--peers"]);
    assert_eq!(code, 2, "{stderr}");
}
