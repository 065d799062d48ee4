//! What a release must meet before it moves into a channel or on to a ring.

use std::collections::BTreeSet;

use yamlspan::NodeRef;
use yamlspan::strict::{Fields, Reader};

use super::read::listed;
use crate::release::read_date;
use crate::{Date, Spanned};

/// The longest time that a gate's command may be given: a day.
const MOST_MINUTES: u32 = 24 * 60;
/// What a command is given that says nothing: the longest test suites take about that.
const USUAL_MINUTES: u32 = 60;
/// More people than this sign nothing together.
const MOST_APPROVALS: u32 = 20;

/// Conditions beside those that hold for every move.
#[derive(Clone, Debug, Default)]
pub struct Gates {
    /// The role whose key must have signed the release's manifest.
    pub signed_by: Option<Spanned<String>>,
    pub approvals: Vec<Approvals>,
    /// Run in this order, only where the command line allows it.
    pub commands: Vec<CommandGate>,
    pub freezes: Vec<Freeze>,
}

/// How many of a role must have approved a plan.
#[derive(Clone, Debug)]
pub struct Approvals {
    pub role: Spanned<String>,
    /// At least 1.
    pub count: u32,
}

/// A command that must end with 0.
#[derive(Clone, Debug)]
pub struct CommandGate {
    pub name: Spanned<String>,
    /// The program and its arguments; no shell reads them.
    pub run: Vec<Spanned<String>>,
    /// The time limit.
    pub minutes: u32,
}

/// Days on which nothing moves.
#[derive(Clone, Debug)]
pub struct Freeze {
    pub from: Spanned<Date>,
    /// The last day, in UTC.
    pub until: Spanned<Date>,
    pub reason: Spanned<String>,
}

pub(crate) const GATES_KEYS: &[&str] = &["signed_by", "approvals", "commands", "freezes"];
pub(crate) const APPROVALS_KEYS: &[&str] = &["role", "count"];
pub(crate) const COMMAND_KEYS: &[&str] = &["name", "run", "minutes"];
pub(crate) const FREEZE_KEYS: &[&str] = &["from", "until", "reason"];

/// The gates of a channel or ring; none where it names none.
pub(super) fn read(reader: &mut Reader, outer: &Fields<'_>) -> Gates {
    let Some(node) = outer.get("gates") else { return Gates::default() };
    let Some(fields) = reader.fields(node, &outer.path_of("gates"), GATES_KEYS) else { return Gates::default() };
    let commands = listed(reader, &fields, "commands", read_command);
    let mut known: BTreeSet<&str> = BTreeSet::new();
    for command in &commands {
        if !known.insert(&command.name.value) {
            let message = format!("`{}` has `{}` twice", fields.path_of("commands"), command.name.value);
            reader.problem(command.name.span, message, Some("give one of them another name".to_owned()));
        }
    }
    Gates {
        signed_by: reader.optional_text(&fields, "signed_by"),
        approvals: listed(reader, &fields, "approvals", read_approvals),
        commands,
        freezes: listed(reader, &fields, "freezes", read_freeze),
    }
}

fn read_approvals(reader: &mut Reader, path: &str, node: NodeRef<'_>) -> Option<Approvals> {
    let fields = reader.fields(node, path, APPROVALS_KEYS)?;
    let role = reader.required_text(&fields, "role");
    let count = number(reader, &fields, "count", 1, MOST_APPROVALS);
    Some(Approvals { role: role?, count })
}

fn read_command(reader: &mut Reader, path: &str, node: NodeRef<'_>) -> Option<CommandGate> {
    let fields = reader.fields(node, path, COMMAND_KEYS)?;
    let name = reader.required_text(&fields, "name");
    let before = reader.problems.len();
    let run = reader.required(&fields, "run").map(|_| reader.texts(&fields, "run")).unwrap_or_default();
    let is_read = reader.problems.len() == before;
    let minutes = number(reader, &fields, "minutes", USUAL_MINUTES, MOST_MINUTES);
    if let (Some(node), true) = (fields.get("run"), run.is_empty() && is_read) {
        let help = "write the program and its arguments: `[make, test]`".to_owned();
        reader.problem(node.span(), format!("`{}` names no program", fields.path_of("run")), Some(help));
    }
    if run.is_empty() {
        return None;
    }
    Some(CommandGate { name: name?, run, minutes })
}

fn read_freeze(reader: &mut Reader, path: &str, node: NodeRef<'_>) -> Option<Freeze> {
    let fields = reader.fields(node, path, FREEZE_KEYS)?;
    let mut day = |key: &'static str| {
        let text = reader.required_text(&fields, key)?;
        read_date(reader, text, &fields.path_of(key))
    };
    let (from, until) = (day("from"), day("until"));
    let reason = reader.required_text(&fields, "reason");
    let freeze = Freeze { from: from?, until: until?, reason: reason? };
    if freeze.until.value < freeze.from.value {
        let message = format!("`{path}` ends before it begins");
        reader.problem(freeze.until.span, message, Some("`until` is the last day of the freeze".to_owned()));
        return None;
    }
    Some(freeze)
}

/// A number from 1 to `most`.
fn number(reader: &mut Reader, fields: &Fields<'_>, key: &'static str, usual: u32, most: u32) -> u32 {
    let Some(node) = fields.get(key) else { return usual };
    let path = fields.path_of(key);
    let Some(text) = reader.any_text(node, &path) else { return usual };
    match text.value.parse() {
        Ok(number) if (1..=most).contains(&number) => number,
        _ => {
            let message = format!("`{path}` cannot be `{}`", text.value);
            reader.problem(text.span, message, Some(format!("write a whole number from 1 to {most}")));
            usual
        }
    }
}
