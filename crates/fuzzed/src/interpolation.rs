//! A text with variables in it, at a place where Compose takes any string.

use camino::Utf8PathBuf;
use source::MemoryFiles;

const ENV: &str = "A=one\nB=\nC=${A}two$B\nD='$A'\n";

pub(crate) fn check(bytes: &[u8]) {
    let text = crate::text_of(bytes);
    // A JSON string is a YAML scalar, whatever it holds.
    let value = serde_json::Value::String(text);
    let compose = format!("services:\n  a:\n    image: x\n    hostname: {value}\n    labels: [{value}]\n");
    let files = MemoryFiles::new([("compose.yaml", compose.as_str()), (".env", ENV)]);
    let paths = [Utf8PathBuf::from("compose.yaml")];
    let plain = crate::compose::loaded(&files, &paths, false);
    assert_eq!(crate::compose::loaded(&files, &paths, true), plain, "a trace changes the project");
}
