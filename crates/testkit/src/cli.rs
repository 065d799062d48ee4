use std::ffi::OsString;
use std::fmt;
use std::io::Write as _;
use std::process::{Command, Stdio};

use camino::{Utf8Path, Utf8PathBuf};

/// Runs a program and compares what it did with what is expected.
///
/// The expectation is silence and exit code 0 unless the test says otherwise. The environment is empty but for what makes programs
/// start and keeps their output the same everywhere. In the output the folder's path is replaced by `[DIR]`.
///
/// ```text
/// Cli::new(env!("CARGO_BIN_EXE_collimate")).folder(sandbox.root()).args(["check"]).stdout("…").exit(1).run();
/// ```
#[derive(Clone, Debug)]
#[must_use = "nothing happens until `run` or `output`"]
pub struct Cli {
    program: Utf8PathBuf,
    folder: Utf8PathBuf,
    arguments: Vec<OsString>,
    environment: Vec<(String, String)>,
    stdin: Vec<u8>,
    replace: Vec<(String, String)>,
    expected: Expected,
}

#[derive(Clone, Debug, Default)]
struct Expected {
    stdout: Text,
    stderr: Text,
    exit: i32,
}

#[derive(Clone, Debug, Default)]
enum Text {
    #[default]
    Nothing,
    Exactly(String),
    Containing(Vec<String>),
    Anything,
}

/// What a program did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// What it wrote to stdout, paths replaced.
    pub stdout: String,
    /// What it wrote to stderr, paths replaced.
    pub stderr: String,
    /// Its exit code; -1 if a signal ended it.
    pub exit: i32,
}

impl Cli {
    /// A run of `program`, a path, in the current folder.
    pub fn new(program: impl AsRef<Utf8Path>) -> Self {
        Self {
            program: program.as_ref().to_owned(),
            folder: Utf8PathBuf::from("."),
            arguments: Vec::new(),
            environment: Vec::new(),
            stdin: Vec::new(),
            replace: Vec::new(),
            expected: Expected::default(),
        }
    }

    /// Where it runs. Its path is shown as `[DIR]`.
    pub fn folder(mut self, folder: impl AsRef<Utf8Path>) -> Self {
        self.folder = folder.as_ref().to_owned();
        self.replace(folder.as_ref().as_str(), "[DIR]")
    }

    /// One more argument.
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// More arguments.
    pub fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// A variable of its environment; replaces one of ours.
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// What it can read from stdin.
    pub fn stdin(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.stdin = text.into();
        self
    }

    /// Shows `text` as `shown` in the output.
    pub fn replace(mut self, text: impl Into<String>, shown: impl Into<String>) -> Self {
        self.replace.push((text.into(), shown.into()));
        self
    }

    /// Expects exactly this on stdout.
    pub fn stdout(mut self, text: impl Into<String>) -> Self {
        self.expected.stdout = Text::Exactly(text.into());
        self
    }

    /// Expects exactly this on stderr.
    pub fn stderr(mut self, text: impl Into<String>) -> Self {
        self.expected.stderr = Text::Exactly(text.into());
        self
    }

    /// Expects this somewhere on stdout.
    pub fn stdout_has(mut self, text: impl Into<String>) -> Self {
        self.expected.stdout.also(text.into());
        self
    }

    /// Expects this somewhere on stderr.
    pub fn stderr_has(mut self, text: impl Into<String>) -> Self {
        self.expected.stderr.also(text.into());
        self
    }

    /// Expects anything on stdout.
    pub fn any_stdout(mut self) -> Self {
        self.expected.stdout = Text::Anything;
        self
    }

    /// Expects anything on stderr.
    pub fn any_stderr(mut self) -> Self {
        self.expected.stderr = Text::Anything;
        self
    }

    /// Expects this exit code.
    pub fn exit(mut self, code: i32) -> Self {
        self.expected.exit = code;
        self
    }

    /// Runs it and panics, showing everything, where something is not as expected.
    #[track_caller]
    pub fn run(&self) -> Output {
        let output = self.output();
        let exit = (output.exit != self.expected.exit)
            .then(|| format!("exit code {} instead of {}", output.exit, self.expected.exit));
        let wrong: Vec<String> = [
            exit,
            self.expected.stdout.complaint("stdout", &output.stdout),
            self.expected.stderr.complaint("stderr", &output.stderr),
        ]
        .into_iter()
        .flatten()
        .collect();
        assert!(wrong.is_empty(), "{}\nof `{}`\n{output}", wrong.join("\n"), self.shown());
        output
    }

    /// Runs it and expects nothing.
    #[must_use]
    #[track_caller]
    pub fn output(&self) -> Output {
        let mut command = Command::new(&self.program);
        command.args(&self.arguments).current_dir(&self.folder).env_clear();
        // `git` is found here; the peers are not, so that no test depends on what a machine has.
        command.env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", "/nonexistent");
        command.env("LC_ALL", "C.UTF-8").env("TZ", "UTC").env("TERM", "dumb").env("NO_COLOR", "1");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("cannot run `{}`: {error}", self.program));
        let stdin = child.stdin.take();
        let text = self.stdin.clone();
        // Written beside: a program may fill its output pipe before it reads.
        let writer = std::thread::spawn(move || {
            if let Some(mut stdin) = stdin {
                // A program that does not read its stdin closes it; that is its right.
                let _ = stdin.write_all(&text);
            }
        });
        let output = child.wait_with_output().unwrap_or_else(|error| panic!("cannot run `{}`: {error}", self.program));
        writer.join().expect("the writer does not panic");
        Output {
            stdout: self.shown_text(&output.stdout),
            stderr: self.shown_text(&output.stderr),
            exit: output.status.code().unwrap_or(-1),
        }
    }

    fn shown_text(&self, bytes: &[u8]) -> String {
        let text = String::from_utf8_lossy(bytes).into_owned();
        self.replace.iter().fold(text, |text, (from, to)| text.replace(from.as_str(), to))
    }

    fn shown(&self) -> String {
        let name = self.program.file_name().unwrap_or(self.program.as_str());
        let arguments = self.arguments.iter().map(|argument| argument.to_string_lossy());
        std::iter::once(name.into()).chain(arguments).collect::<Vec<_>>().join(" ")
    }
}

impl Text {
    fn also(&mut self, text: String) {
        match self {
            Self::Containing(texts) => texts.push(text),
            _ => *self = Self::Containing(vec![text]),
        }
    }

    fn complaint(&self, name: &str, actual: &str) -> Option<String> {
        match self {
            Self::Anything => None,
            Self::Nothing => (!actual.is_empty()).then(|| format!("{name} is not empty")),
            Self::Exactly(expected) => {
                (expected != actual).then(|| format!("{name} differs; expected:\n{}", indented(expected)))
            }
            Self::Containing(texts) => {
                let missing = texts.iter().find(|text| !actual.contains(text.as_str()))?;
                Some(format!("{name} does not have:\n{}", indented(missing)))
            }
        }
    }
}

/// All of it, as one text for snapshots and messages.
impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "exit: {}\nstdout:\n{}stderr:\n{}", self.exit, indented(&self.stdout), indented(&self.stderr))
    }
}

fn indented(text: &str) -> String {
    text.lines().map(|line| if line.is_empty() { "\n".to_owned() } else { format!("  {line}\n") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Sandbox;

    fn shell(script: &str) -> Cli {
        Cli::new("/bin/sh").args(["-c", script])
    }

    #[test]
    fn silence_is_the_default() {
        shell("exit 0").run();
    }

    #[test]
    #[should_panic(expected = "stderr is not empty")]
    fn talk_that_nobody_expects_fails() {
        shell("echo hello >&2").run();
    }

    #[test]
    #[should_panic(expected = "exit code 3 instead of 0")]
    fn a_code_that_nobody_expects_fails() {
        shell("exit 3").run();
    }

    #[test]
    fn paths_are_replaced_and_the_environment_is_empty() {
        let sandbox = Sandbox::new();
        shell("pwd; echo ${CARGO_MANIFEST_DIR-unset} $X; cat")
            .folder(sandbox.root())
            .env("X", "set")
            .stdin("in\n")
            .stdout("[DIR]\nunset set\nin\n")
            .run();
    }
}
