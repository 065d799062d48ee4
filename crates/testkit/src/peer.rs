use std::io::Write as _;

use camino::{Utf8Path, Utf8PathBuf};

/// The real tool that our output is compared with: `helm3`, `helm4`, `compose`, `kubeconform`, or an oracle of `tools/`.
///
/// Looked for in the folder that `COLLIMATE_PEERS` names, else where `cargo xtask peers` puts them, never on `PATH`: another version
/// is another judge. Where it is absent this says so, past the test harness, and the test returns; with `COLLIMATE_REQUIRE_PEERS=1`
/// it panics.
///
/// ```text
/// let Some(helm) = testkit::peer("helm3") else { return };
/// ```
#[must_use]
#[track_caller]
pub fn peer(name: &str) -> Option<Utf8PathBuf> {
    let program = folder().map(|folder| folder.join(name));
    if let Some(program) = program.as_ref().filter(|program| program.is_file()) {
        return Some(program.clone());
    }
    let place = program.map_or_else(|| "nowhere".to_owned(), |program| format!("not at `{program}`"));
    let required = std::env::var("COLLIMATE_REQUIRE_PEERS").is_ok_and(|value| !matches!(value.as_str(), "" | "0"));
    assert!(!required, "the peer `{name}` is {place}, and peers are required; `cargo xtask peers {name}` builds it");
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    // Written to the handle itself: the harness hides what `eprintln!` says in a test that passes.
    let line = format!("skipped: {test}: the peer `{name}` is {place}; `cargo xtask peers {name}` builds it\n");
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
    None
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
