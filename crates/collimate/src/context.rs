//! The only door to the environment, the clock, the terminal and the current folder.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal as _, Write as _};

use bundle::MOST_SOURCE_DATE;
use camino::{Utf8Path, Utf8PathBuf};
use mirror::htpasswd::Zeroizing;
use source::{octets, system};

use crate::exit::{Failure, Result};
use crate::terminal;

/// When colour is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Color {
    /// If the output is a terminal and `NO_COLOR` is not set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The variable by which build systems fix the time in what they build (reproducible-builds.org).
const SOURCE_DATE: &str = "SOURCE_DATE_EPOCH";

/// What a command knows of the world around it.
pub(crate) struct Ctx {
    cwd: Utf8PathBuf,
    environment: BTreeMap<String, String>,
    color: bool,
    /// `--workspace`, as given.
    workspace: Option<Utf8PathBuf>,
}

impl Ctx {
    /// The context of this process.
    pub(crate) fn of_process(color: Color, workspace: Option<Utf8PathBuf>) -> Result<Self> {
        let cwd = std::env::current_dir()
            .map_err(|error| Failure::outside("cannot tell the current folder").because(system::reason(&error)))?;
        let cwd = Utf8PathBuf::from_path_buf(cwd).map_err(|path| {
            Failure::outside(format!("the current folder's path is not UTF-8: `{}`", path.display()))
        })?;
        // Names or values that are not UTF-8 cannot be used in a Compose file either.
        let environment: BTreeMap<String, String> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect();
        let color = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => {
                io::stdout().is_terminal()
                    && environment.get("NO_COLOR").is_none_or(String::is_empty)
                    && environment.get("TERM").is_none_or(|term| term != "dumb")
            }
        };
        Ok(Self { cwd, environment, color, workspace })
    }

    pub(crate) fn cwd(&self) -> &Utf8Path {
        &self.cwd
    }

    pub(crate) fn environment(&self) -> &BTreeMap<String, String> {
        &self.environment
    }

    pub(crate) fn color(&self) -> bool {
        self.color
    }

    pub(crate) fn workspace_file(&self) -> Option<&Utf8Path> {
        self.workspace.as_deref()
    }

    /// Today in UTC, `YYYY-MM-DD`: what `until:` of an ignore is compared with.
    pub(crate) fn today(&self) -> String {
        jiff::Timestamp::now().strftime("%Y-%m-%d").to_string()
    }

    /// This moment.
    pub(crate) fn now(&self) -> jiff::Timestamp {
        jiff::Timestamp::now()
    }

    /// The moment that outputs are of, in seconds since 1970, where `SOURCE_DATE_EPOCH` says it: the same input gives the same bytes then.
    pub(crate) fn source_date(&self) -> Result<Option<u64>> {
        let Some(text) = self.environment.get(SOURCE_DATE) else { return Ok(None) };
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let seconds = text.parse().ok().filter(|seconds| digits && *seconds <= MOST_SOURCE_DATE);
        seconds.map(Some).ok_or_else(|| {
            Failure::usage(format!("`{SOURCE_DATE}` is no time")).because(format!("it is `{text}`")).hint(format!(
                "it counts seconds since 1970, in digits, to {MOST_SOURCE_DATE} at most, such as `git log -1 --format=%ct` prints"
            ))
        })
    }

    /// Writes data to stdout.
    pub(crate) fn print(&self, text: &str) -> Result<()> {
        written(io::stdout().lock().write_all(text.as_bytes()), "stdout")
    }

    /// Writes data to stdout, as the bytes that it stands for (see [`octets`]).
    pub(crate) fn print_bytes(&self, text: &str) -> Result<()> {
        written(io::stdout().lock().write_all(&octets::unmarked(text)), "stdout")
    }

    /// Writes what is said once and exists nowhere else to stdout: that nobody reads it is a failure too.
    pub(crate) fn print_once(&self, text: &str) -> Result<()> {
        let failed = |error: io::Error| Failure::outside("cannot write to stdout").because(system::reason(&error));
        io::stdout().lock().write_all(text.as_bytes()).map_err(failed)
    }

    /// Asks for a secret on the terminal, which does not show it. `None` if that was cancelled.
    pub(crate) fn ask_unseen(&self, question: &str) -> io::Result<Option<Zeroizing<String>>> {
        terminal::ask_unseen(question)
    }

    /// Writes talk to stderr. Nothing in it is meant for the runner of a pipeline.
    pub(crate) fn say(&self, text: &str) {
        // If stderr is gone there is nobody to tell.
        let _ = io::stderr().lock().write_all(findings::disarmed(text).as_bytes());
    }
}

/// A reader that closed the pipe has what it wanted (`collimate show | head -1`); a full disk is a failure.
fn written(result: io::Result<()>, name: &str) -> Result<()> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::outside(format!("cannot write to {name}")).because(system::reason(&error)))
        }
        _ => Ok(()),
    }
}
