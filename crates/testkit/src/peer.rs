use std::io::Write as _;

use camino::{Utf8Path, Utf8PathBuf};

/// Where a system keeps programs for everybody.
const SYSTEM: [&str; 3] = ["/usr/bin", "/usr/sbin", "/bin"];

/// The real tool that our output is compared with: `helm3`, `helm4`, `compose`, `otelcol`, …, or an oracle of `tools/`.
///
/// Looked for in the folder that `COLLIMATE_PEERS` names, else where `cargo xtask peers` puts them, never on `PATH`: another version
/// is another judge. Where it is absent this says so, past the test harness, and the test returns; where `COLLIMATE_REQUIRE`
/// (names with commas between them) has its name, it panics.
///
/// ```text
/// let Some(helm) = testkit::peer("helm3") else { return };
/// ```
#[must_use]
#[track_caller]
pub fn peer(name: &str) -> Option<Utf8PathBuf> {
    let program = folder().map(|folder| folder.join(name));
    let place = program.as_ref().map_or_else(|| "nowhere".to_owned(), |program| format!("not at `{program}`"));
    let way_out = format!("the peer `{name}` is {place}; `cargo xtask peers {name}` builds it");
    found(name, program.into_iter(), &way_out)
}

/// A judge that comes with the system, such as `openssl`: of any version, for formats that are standards. Where it is absent: as [`peer`].
#[must_use]
#[track_caller]
pub fn tool(name: &str) -> Option<Utf8PathBuf> {
    let places = SYSTEM.iter().map(|folder| Utf8Path::new(folder).join(name));
    let way_out = format!("`{name}` is in none of {}; install it from your distribution", SYSTEM.join(", "));
    found(name, places, &way_out)
}

#[track_caller]
fn found(name: &str, mut places: impl Iterator<Item = Utf8PathBuf>, way_out: &str) -> Option<Utf8PathBuf> {
    if let Some(program) = places.find(|program| program.is_file()) {
        return Some(program);
    }
    let required = std::env::var("COLLIMATE_REQUIRE").is_ok_and(|names| names.split(',').any(|known| known == name));
    assert!(!required, "{way_out}, and it is required here");
    skip(way_out);
    None
}

/// Says, past the test harness, why a test is not run here; the test then returns. `cargo xtask test` counts these lines, so that a
/// test says one at most.
pub fn skip(reason: &str) {
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    // Written to the handle itself: the harness hides what `eprintln!` says in a test that passes.
    let line = format!("skipped: {test}: {reason}\n");
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}

/// Where peers lie.
fn folder() -> Option<Utf8PathBuf> {
    if let Ok(folder) = std::env::var("COLLIMATE_PEERS")
        && !folder.is_empty()
    {
        return Some(Utf8PathBuf::from(folder));
    }
    // A test runs as `<target>/<profile>/deps/<name>`.
    let test = Utf8PathBuf::from_path_buf(std::env::current_exe().ok()?).ok()?;
    test.ancestors().nth(3).map(Utf8Path::to_owned).map(|target| target.join("peers/bin"))
}
