//! A Compose project: its file, a second one that it may include, extend or be overlaid with, and its `.env`.

use camino::Utf8PathBuf;
use composefile::{Options, Profiles, load};
use source::MemoryFiles;

pub(crate) fn check(bytes: &[u8]) {
    let text = crate::text_of(bytes);
    let (base, rest) = crate::split(&text);
    let (other, env) = crate::split(rest);
    let files = MemoryFiles::new([("compose.yaml", base), ("other.yaml", other), (".env", env)]);
    let alone: &[&str] = &["compose.yaml"];
    let both: &[&str] = &["compose.yaml", "other.yaml"];
    for names in [alone, both] {
        let paths: Vec<Utf8PathBuf> = names.iter().map(Utf8PathBuf::from).collect();
        assert_eq!(loaded(&files, &paths, true), loaded(&files, &paths, false), "a trace changes the project");
    }
}

/// What Compose would print, or why not. All places of a traced project lie in their files.
pub(crate) fn loaded(files: &MemoryFiles, paths: &[Utf8PathBuf], trace: bool) -> Result<String, String> {
    let options = Options {
        files: paths.to_vec(),
        project_name: Some("fuzzed".to_owned()),
        profiles: Profiles::All,
        trace,
        ..Options::default()
    };
    let project = load(&options, files).map_err(|error| error.to_string())?;
    let entries = project.env_files.iter().flat_map(|file| &file.entries);
    let spans = entries.flat_map(|entry| [entry.name_span, entry.value_span]);
    for span in spans.chain(project.variables.iter().filter_map(|variable| variable.span)) {
        let text = files.sources().file(span.file).map_or("", |file| file.text());
        assert!(text.get(span.range()).is_some(), "{span:?} does not lie in its file");
    }
    Ok(project.to_yaml())
}
