//! What a release does to the data that it finds, as far as an operator who goes back must know it.
//!
//! A manifest lists every step that the data has gone through once the release runs: those of the releases before it too, until no
//! supported release lacks them any more. So two lists can be compared, whatever lies between.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;
use yamlspan::strict::{Fields, Reader, Spanned};

use crate::release::MIGRATION_KEYS;

/// Texts are printed whole in a refusal; longer ones belong into a runbook that they name.
const LONGEST_TEXT: usize = 4_000;

/// A step that changes data: a schema, a bucket, a queue.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Migration {
    /// Names the step for ever, such as `0042-split-artifacts`.
    #[schemars(length(min = 1))]
    pub id: String,
    /// Whether `down` takes it back without loss. What is not reversible needs `backup`.
    pub reversible: bool,
    /// What to save before the step, and how to restore it.
    pub backup: Option<String>,
    /// How to take the step back.
    pub down: Option<String>,
}

/// A step with its place.
#[derive(Clone, Debug)]
pub struct PlacedMigration {
    pub id: Spanned<String>,
    pub reversible: Spanned<bool>,
    pub backup: Option<Spanned<String>>,
    pub down: Option<Spanned<String>>,
}

impl PlacedMigration {
    pub(crate) fn plain(&self) -> Migration {
        let text = |text: &Option<Spanned<String>>| text.as_ref().map(|text| text.value.clone());
        Migration {
            id: self.id.value.clone(),
            reversible: self.reversible.value,
            backup: text(&self.backup),
            down: text(&self.down),
        }
    }
}

/// Reads `migrations`. A step with a problem is left out.
pub(crate) fn read(reader: &mut Reader, fields: &Fields<'_>) -> Vec<PlacedMigration> {
    let Some(node) = fields.get("migrations") else { return Vec::new() };
    let mut known: BTreeSet<String> = BTreeSet::new();
    let mut steps = Vec::new();
    for (path, item) in reader.items(node, "migrations") {
        let Some(fields) = reader.fields(item, &path, MIGRATION_KEYS) else { continue };
        let Some(step) = read_step(reader, &fields) else { continue };
        if known.insert(step.id.value.clone()) {
            steps.push(step);
        } else {
            let help = "a step has one name, and a name one step".to_owned();
            reader.problem(step.id.span, format!("the step `{}` stands twice", step.id.value), Some(help));
        }
    }
    steps
}

fn read_step(reader: &mut Reader, fields: &Fields<'_>) -> Option<PlacedMigration> {
    let id = reader.required_text(fields, "id").and_then(|id| {
        let good = !id.is_empty() && id.len() <= 200 && !id.chars().any(|letter| letter.is_control());
        if !good {
            let help = "write one line, such as `0042-split-artifacts`".to_owned();
            reader.problem(id.span, format!("`{}` is no name of a step", fields.path_of("id")), Some(help));
        }
        good.then_some(id)
    });
    let reversible = reader.required(fields, "reversible");
    let reversible = reversible.and_then(|node| reader.boolean(node, &fields.path_of("reversible")));
    let backup = read_text(reader, fields, "backup");
    let down = read_text(reader, fields, "down");
    let (id, reversible) = (id?, reversible?);
    // Whoever must go back reads this text and nothing else.
    let (key, has_it) = if reversible.value { ("down", down.is_some()) } else { ("backup", backup.is_some()) };
    if !has_it && fields.get(key).is_none() && !fields.is_misspelt(key) {
        let help = match key {
            "down" => "say how the step is taken back, or write `reversible: false`",
            _ => "say what is saved before the step and how it is restored",
        };
        let message = format!("`{}` has no `{key}`, and `reversible` is {}", fields.path(), reversible.value);
        reader.problem(reversible.span, message, Some(help.to_owned()));
    }
    has_it.then_some(PlacedMigration { id, reversible, backup, down })
}

/// A text of one or several lines that can be shown in a terminal.
fn read_text(reader: &mut Reader, fields: &Fields<'_>, key: &'static str) -> Option<Spanned<String>> {
    let text = reader.optional_text(fields, key)?;
    let is_shown = |letter: char| letter == '\n' || letter == '\t' || !letter.is_control();
    let good = !text.trim().is_empty() && text.len() <= LONGEST_TEXT && text.chars().all(is_shown);
    if !good {
        let message =
            format!("`{}` must have 1 to {LONGEST_TEXT} bytes and no control characters", fields.path_of(key));
        reader.problem(text.span, message, Some("name a runbook if there is more to say".to_owned()));
    }
    good.then_some(text)
}

#[cfg(test)]
mod tests {
    use source::FileId;

    use super::*;
    use crate::Release;

    const START: &str = "schema: 1\nversion: \"1\"\nchannel: a\ndigests: resolved\n";

    fn read(steps: &str) -> (Vec<Migration>, Vec<String>) {
        let text = format!("{START}migrations: {steps}\ncomponents: {{}}\n");
        let (release, problems) = Release::parse(&text, FileId(0));
        let steps = release.unwrap().manifest().migrations;
        (steps, problems.into_iter().map(|problem| problem.message).collect())
    }

    #[test]
    fn steps_are_part_of_the_release() {
        let steps = "\n  - {id: split, reversible: true, down: \"psql -f down.sql\\nthen restart\"}\n  \
                     - {id: drop, reversible: false, backup: pg_dump}";
        let (found, problems) = read(steps);
        assert_eq!(problems, Vec::<String>::new());
        assert_eq!(
            found.iter().map(|step| (step.id.as_str(), step.reversible)).collect::<Vec<_>>(),
            [("split", true), ("drop", false)]
        );
        let text = format!("{START}migrations: {steps}\ncomponents: {{}}\n");
        let with = Release::parse(&text, FileId(0)).0.unwrap();
        let again = Release::parse(&with.manifest().to_yaml(), FileId(0));
        assert_eq!(again.1, []);
        assert_eq!(again.0.unwrap().manifest(), with.manifest());
        let without = Release::parse(&format!("{START}components: {{}}\n"), FileId(0)).0.unwrap();
        assert_ne!(with.identity(), without.identity());
    }

    #[test]
    fn names_and_texts_of_a_step_have_a_longest_length() {
        let problems = |id: usize, down: usize| {
            read(&format!("[{{id: {}, reversible: true, down: {}}}]", "i".repeat(id), "d".repeat(down))).1
        };
        assert_eq!(problems(200, 4_000), [""; 0]);
        assert_eq!(problems(201, 1), ["`migrations[0].id` is no name of a step"]);
        let expected = "`migrations[0].down` must have 1 to 4000 bytes and no control characters";
        assert_eq!(problems(1, 4_001), [expected]);
    }

    #[test]
    fn what_an_operator_would_miss_is_a_problem() {
        for (steps, expected) in [
            ("[{id: a, reversible: true}]", "`migrations[0]` has no `down`, and `reversible` is true"),
            ("[{id: a, reversible: false, down: x}]", "`migrations[0]` has no `backup`, and `reversible` is false"),
            ("[{reversible: true, down: x}]", "`migrations[0]` has no `id`"),
            ("[{id: a, down: x}]", "`migrations[0]` has no `reversible`"),
            ("[{id: a, reversible: yes, down: x}]", "`migrations[0].reversible` cannot be `yes`"),
            ("[{id: \"\", reversible: true, down: x}]", "`migrations[0].id` is no name of a step"),
            (
                "[{id: a, reversible: true, down: \"\\e[2J\"}]",
                "`migrations[0].down` holds a character that must not be printed",
            ),
            ("[{id: a, reversible: true, down: x}, {id: a, reversible: true, down: y}]", "the step `a` stands twice"),
            ("[{id: a, reversible: true, down: x, up: y}]", "unknown key `migrations[0].up`"),
            ("{id: a}", "`migrations` must be a list, not a mapping"),
        ] {
            assert_eq!(read(steps).1, [expected], "{steps}");
        }
    }
}
