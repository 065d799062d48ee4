//! Text that a runner's log would take for a command.
//!
//! Threat: what a pipeline prints, its runner reads. GitHub's and Gitea's take a line that begins with `::NAME…::` for a command, and GitHub's
//! `##[NAME]` wherever it stands. A message that quotes a file could so hide later output, or set variables of later steps.

/// The same to a reader, and no command.
#[must_use]
pub fn disarmed(text: &str) -> String {
    if !text.contains("::") && !text.contains(OLD_COMMAND) {
        return text.to_owned();
    }
    let lines: Vec<String> = text.split('\n').map(line).collect();
    lines.join("\n")
}

/// The same for text in which everything foreign stands in JSON's strings.
#[must_use]
pub fn disarmed_json(json: String) -> String {
    if json.contains(OLD_COMMAND) { json.replace(OLD_COMMAND, "#\\u0023[") } else { json }
}

pub(crate) const OLD_COMMAND: &str = "##[";
pub(crate) const OLD_COMMAND_DISARMED: &str = "## [";

fn line(line: &str) -> String {
    let line = line.replace(OLD_COMMAND, OLD_COMMAND_DISARMED);
    let start = line.len() - line.trim_start().len();
    // Three colons are how an excerpt of another file begins.
    match line.get(start..).and_then(|rest| rest.strip_prefix("::")) {
        Some(rest) if !rest.starts_with(':') => format!("{}: :{rest}", &line[..start]),
        _ => line,
    }
}
