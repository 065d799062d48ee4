//! The program run under a watch: how much memory it took at most, how long it worked, and whether the kernel had to end it.

use std::process::Command;
use std::sync::OnceLock;

use camino::{Utf8Path, Utf8PathBuf};
use testkit::{Cli, Sandbox};

use crate::tree::{RELEASE, Tree};

/// Megabytes that one run may take. Design §8; a debug build takes as much as any.
const MOST_MEGABYTES: u64 = 200;

/// Milliseconds of processor time: one second for a built program, which `COLLIMATE_HOSTILE_PROGRAM` names, unless `COLLIMATE_HOSTILE_MILLISECONDS` says
/// otherwise; unoptimised code takes many times that, and must end all the same.
fn most_milliseconds() -> u64 {
    let told = std::env::var("COLLIMATE_HOSTILE_MILLISECONDS").ok().and_then(|told| told.parse().ok());
    told.unwrap_or(if std::env::var_os(PROGRAM).is_some() { 1_000 } else { 30_000 })
}

/// Names another program than the one that this test was built with.
const PROGRAM: &str = "COLLIMATE_HOSTILE_PROGRAM";

pub(crate) fn program() -> Utf8PathBuf {
    std::env::var(PROGRAM).unwrap_or_else(|_| env!("CARGO_BIN_EXE_collimate").to_owned()).into()
}

/// What the kernel lets the program do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Open,
    /// It is ended where it starts a program, makes a socket or writes to a file system.
    Sealed,
}

/// What a run took and said.
pub(crate) struct Watched {
    pub(crate) exit: i32,
    pub(crate) megabytes: u64,
    pub(crate) milliseconds: u64,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Compiled once for all tests; absent where there is no C compiler, which is said.
fn watch() -> Option<&'static Utf8Path> {
    static BUILT: OnceLock<Option<(Sandbox, Utf8PathBuf)>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let compiler = testkit::tool("cc")?;
        let sandbox = Sandbox::new();
        let program = sandbox.path("watch");
        let source = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/hostile/watch.c");
        let built =
            Command::new(compiler).args(["-O1", "-Wall", "-Werror", "-o", program.as_str(), source.as_str()]).output();
        let built = built.unwrap();
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
        Some((sandbox, program))
    });
    built.as_ref().map(|(_, program)| program.as_path())
}

/// Runs the program in a folder; nothing where there is no C compiler. `prepare` may set its environment.
pub(crate) fn watched(tree: &Tree, arguments: &[&str], mode: Mode, prepare: impl Fn(Cli) -> Cli) -> Option<Watched> {
    let watch = watch()?;
    let report = Sandbox::new();
    let report = report.path("report");
    let mode = if mode == Mode::Sealed { "sealed" } else { "open" };
    let mut words = vec![report.as_str(), mode];
    let program = program();
    words.push(program.as_str());
    words.extend(arguments);
    let output = prepare(Cli::new(watch).folder(tree.path("")).args(words)).output();
    let numbers = std::fs::read_to_string(&report).unwrap_or_else(|error| panic!("{error}: {output}"));
    let numbers: Vec<i64> = numbers.split_whitespace().map(|number| number.parse().unwrap()).collect();
    let [exit, kilobytes, milliseconds] = numbers[..] else { panic!("the report says `{numbers:?}`") };
    Some(Watched {
        exit: i32::try_from(exit).unwrap(),
        megabytes: u64::try_from(kilobytes).unwrap() / 1024,
        milliseconds: u64::try_from(milliseconds).unwrap(),
        stdout: output.stdout,
        stderr: output.stderr,
    })
}

/// A tree that was made to do harm, and what is said of it.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) files: Vec<(String, Vec<u8>)>,
    /// Part of the first finding or error.
    pub(crate) says: &'static str,
    /// Its place, as it is printed: file, line and column. Empty: it has none.
    pub(crate) at: &'static str,
}

/// Checks every case: it is refused in time and within the memory, with this message at this place.
#[track_caller]
pub(crate) fn refused(cases: Vec<Case>) {
    let mut wrong = Vec::new();
    for case in cases {
        let Some(watched) = check(&case) else { return };
        let Watched { exit, megabytes, milliseconds, stdout, stderr } = watched;
        let said = format!("{stdout}{stderr}");
        let mut fail = |what: String| wrong.push(format!("{}: {what}", case.name));
        if exit != 1 && exit != 3 {
            fail(format!("exit {exit}"));
        }
        if megabytes > MOST_MEGABYTES {
            fail(format!("{megabytes} MB"));
        }
        if milliseconds > most_milliseconds() {
            fail(format!("{milliseconds} ms"));
        }
        if said.len() > 1_000_000 {
            fail(format!("it prints {} bytes", said.len()));
        }
        let place = format!("--> {}\n", case.at);
        if !said.contains(case.says) || !case.at.is_empty() && !said.contains(&place) {
            let said: String = said.lines().take(3).flat_map(|line| line.chars().take(400).chain(['\n'])).collect();
            fail(format!("it does not say `{}` at `{}` but\n{said}", case.says, case.at));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Those cases only where the program is an optimised one.
pub(crate) fn most_slow_cases(cases: Vec<Case>) -> Vec<Case> {
    if std::env::var_os(PROGRAM).is_some() { cases } else { cases.into_iter().take(1).collect() }
}

fn check(case: &Case) -> Option<Watched> {
    let tree = Tree::of(&[]);
    for (path, content) in &case.files {
        tree.write_bytes(path, content);
    }
    watched(&tree, &["check"], Mode::Sealed, |cli| cli)
}

/// What most services are in here.
pub(crate) const SERVICE: &str = "services: {a: {image: nginx:1.27}}\n";

fn case(
    name: &'static str,
    profile: &str,
    files: impl IntoIterator<Item = (String, Vec<u8>)>,
    (says, at): (&'static str, &'static str),
) -> Case {
    let workspace = format!(
        "schema: 1\nchannels: {{edge: {{release: edge.yaml}}}}\nprofiles:\n  p: {{channel: edge, {profile}}}\n"
    );
    let own = [("collimate.yaml".to_owned(), workspace.into()), ("edge.yaml".to_owned(), RELEASE.into())];
    Case { name, files: own.into_iter().chain(files).collect(), says, at }
}

/// A workspace with one Compose profile, whose file and env file these are.
pub(crate) fn compose(
    name: &'static str,
    text: impl Into<Vec<u8>>,
    env: &str,
    expect: (&'static str, &'static str),
) -> Case {
    let files = [("compose.yaml".to_owned(), text.into()), ("dev.env".to_owned(), env.into())];
    case(name, "compose: [compose.yaml], env: [dev.env]", files, expect)
}

/// A workspace with one chart, of one template and its values.
pub(crate) fn template(
    name: &'static str,
    text: impl Into<Vec<u8>>,
    values: &str,
    expect: (&'static str, &'static str),
) -> Case {
    chart(name, [("c/templates/t.yaml", text.into()), ("c/values.yaml", values.into())], expect)
}

/// A workspace with one chart of these files.
pub(crate) fn chart<P: Into<String>, B: Into<Vec<u8>>>(
    name: &'static str,
    files: impl IntoIterator<Item = (P, B)>,
    expect: (&'static str, &'static str),
) -> Case {
    let own = ("c/Chart.yaml".to_owned(), b"apiVersion: v2\nname: c\nversion: 0.1.0\n".to_vec());
    let files = files.into_iter().map(|(path, content)| (path.into(), content.into()));
    case(name, "chart: c", std::iter::once(own).chain(files), expect)
}

/// A workspace with one packed chart.
pub(crate) fn packed(name: &'static str, archive: Vec<u8>, expect: (&'static str, &'static str)) -> Case {
    case(name, "chart: c.tgz", [("c.tgz".to_owned(), archive)], expect)
}
