//! The tables of `docs/mutations.md`.

use std::collections::BTreeMap;

use crate::mutant::Mutant;
use crate::operator::Operator;
use crate::subject::Subject;
use crate::survivors;
use crate::verdict::Verdict;

const COLUMNS: [Verdict; 6] =
    [Verdict::At, Verdict::Around, Verdict::Counterpart, Verdict::Silent, Verdict::Told, Verdict::Survived];

/// What went wrong: verdicts that must not be, and survivors that matter.
pub fn wrong<'m>(subjects: &[Subject], judged: &'m [(Mutant, Verdict)]) -> Vec<&'m (Mutant, Verdict)> {
    let matters = |(mutant, verdict): &(Mutant, Verdict)| match verdict {
        Verdict::Elsewhere | Verdict::FalseAlarm => true,
        Verdict::Survived => reason(subjects, mutant).is_none(),
        _ => false,
    };
    judged.iter().filter(|judged| matters(judged)).collect()
}

fn reason(subjects: &[Subject], mutant: &Mutant) -> Option<&'static str> {
    subjects
        .iter()
        .find(|subject| subject.name == mutant.subject)
        .and_then(|subject| survivors::reason(subject, mutant))
}

/// All tables, as Markdown.
pub fn tables(subjects: &[Subject], judged: &[(Mutant, Verdict)], most: usize) -> String {
    let mut text = format!(
        "{} mutants, at most {most} of one kind in one file.\n\n| workspace | operator | mutants |",
        judged.len()
    );
    COLUMNS.iter().for_each(|verdict| text.push_str(&format!(" {} |", verdict.name())));
    text.push_str("\n|---|---|---|---|---|---|---|---|---|\n");
    for subject in subjects {
        let own: Vec<_> = judged.iter().filter(|(mutant, _)| mutant.subject == subject.name).collect();
        for operator in Operator::ALL {
            let rows: Vec<_> = own.iter().filter(|(mutant, _)| mutant.operator == operator).map(|(_, v)| *v).collect();
            text.push_str(&row(&subject.name, operator.name(), &rows));
        }
        let all: Vec<_> = own.iter().map(|(_, verdict)| *verdict).collect();
        text.push_str(&row(&format!("**{}**", subject.name), "all", &all));
    }
    let all: Vec<_> = judged.iter().map(|(_, verdict)| *verdict).collect();
    text.push_str(&row("**all**", "all", &all));
    text.push_str(&survivors_table(subjects, judged));
    text
}

/// A line of the table; none if there is nothing to count.
fn row(subject: &str, operator: &str, verdicts: &[Verdict]) -> String {
    if verdicts.is_empty() {
        return String::new();
    }
    let counts = COLUMNS.iter().map(|column| verdicts.iter().filter(|verdict| *verdict == column).count());
    let counts: Vec<String> = counts.map(|count| count.to_string()).collect();
    format!("| {subject} | {operator} | {} | {} |\n", verdicts.len(), counts.join(" | "))
}

/// Survivors by what was changed and how, with the reason.
fn survivors_table(subjects: &[Subject], judged: &[(Mutant, Verdict)]) -> String {
    let mut classes: BTreeMap<(&str, &str), BTreeMap<&str, usize>> = BTreeMap::new();
    for (mutant, _) in judged.iter().filter(|(_, verdict)| *verdict == Verdict::Survived) {
        let reason = reason(subjects, mutant).unwrap_or("**none: this matters**");
        *classes.entry((reason, mutant.what().name())).or_default().entry(mutant.operator.name()).or_default() += 1;
    }
    let mut text = String::from("\n| survivors | of | by | why |\n|---|---|---|---|\n");
    for ((reason, what), operators) in classes {
        let count: usize = operators.values().sum();
        let operators: Vec<String> = operators.iter().map(|(operator, count)| format!("{operator} {count}")).collect();
        text.push_str(&format!("| {count} | {what} | {} | {reason} |\n", operators.join(", ")));
    }
    text
}
