//! What a workspace says about findings: `rules` levels and `ignore` entries.

use findings::{Finding, Location, Severity};
use release::{Date, Ignore, Level, Workspace, nearest};
use source::SourceMap;

use crate::place::Place;
use crate::rules::RULES;

/// A finding before and after its places were resolved.
pub struct Reported {
    pub symbolic: Finding<Place>,
    pub resolved: Finding<Location>,
}

/// What [`accept`] needs to know beside the workspace.
#[derive(Clone, Copy)]
pub struct Acceptance<'a> {
    pub workspace: &'a Workspace,
    pub sources: &'a SourceMap,
    /// For `until`; without it nothing expires.
    pub today: Option<Date>,
    /// Whether everything was checked: only then is an entry that matches nothing idle.
    pub complete: bool,
}

impl Acceptance<'_> {
    /// Whether the workspace accepts a finding: an `ignore` entry does, or its rule is off.
    pub(crate) fn accepts(&self, finding: &Reported) -> bool {
        let holds = |entry: &&Ignore| !is_expired(entry, self.today) && matches(entry, finding, self.sources);
        self.workspace.level(finding.symbolic.rule) == Some(Level::Off)
            || self.workspace.ignore.iter().any(|entry| holds(&entry))
    }
}

/// Rules that say that something could not be looked at.
const DAMAGE: [&str; 3] = ["compose-invalid", "helm-render", "release-schema"];

/// The rule that holds a workspace file against a protected one.
const POLICY: &str = "policy-weakened";

/// Whether a finding of this rule hides others: what did not load or render was not looked at.
#[must_use]
pub fn hides_others(rule: &str) -> bool {
    DAMAGE.contains(&rule)
}

/// Applies levels and `ignore` entries; adds what `ignore-unused` and `ignore-expired` find. An entry past its last day
/// accepts nothing.
#[must_use]
pub fn accept(reported: Vec<Reported>, acceptance: Acceptance<'_>) -> Vec<Finding<Location>> {
    let workspace = acceptance.workspace;
    // What did not load or render hides what its `ignore` entries are for.
    let damaged = |finding: &Reported| hides_others(finding.symbolic.rule);
    let complete = acceptance.complete && !reported.iter().any(damaged);
    let mut used = vec![false; workspace.ignore.len()];
    let mut out: Vec<Finding<Location>> = Vec::new();
    for finding in reported {
        let mut accepted = false;
        for (entry, used) in workspace.ignore.iter().zip(&mut used) {
            if matches(entry, &finding, acceptance.sources) {
                *used = true;
                accepted |= !is_expired(entry, acceptance.today);
            }
        }
        if !accepted {
            out.push(finding.resolved);
        }
    }
    for (entry, used) in workspace.ignore.iter().zip(used) {
        let rule = &entry.rule.value;
        if let Some(until) = entry.until.as_ref().filter(|_| is_expired(entry, acceptance.today)) {
            out.push(
                Finding::new(
                    "ignore-expired",
                    Severity::Warning,
                    Location::Span(until.span),
                    format!("the `ignore` entry for `{rule}` ended on {}", until.value),
                )
                .label(entry.reason.value.clone())
                .help("mend what it was for, or decide again and write a new day"),
            );
        } else if !used && complete {
            let known = RULES.iter().map(|known| known.id());
            let is_known = known.clone().any(|known| known == rule);
            let near = if is_known { None } else { nearest(rule, known) };
            let help = match near {
                Some(near) => format!("did you mean rule `{near}`?"),
                None => "remove it: what it was for is mended".to_owned(),
            };
            out.push(
                Finding::new(
                    "ignore-unused",
                    Severity::Warning,
                    Location::Span(entry.span),
                    format!("the `ignore` entry for `{rule}` matches no finding"),
                )
                .help(help),
            );
        }
    }
    out.retain_mut(|finding| match workspace.level(finding.rule) {
        None => true,
        Some(Level::Off) => false,
        Some(Level::Note) => set(finding, Severity::Note),
        Some(Level::Warning) => set(finding, Severity::Warning),
        Some(Level::Error) => set(finding, Severity::Error),
    });
    out
}

fn set(finding: &mut Finding<Location>, severity: Severity) -> bool {
    finding.severity = severity;
    true
}

fn is_expired(entry: &Ignore, today: Option<Date>) -> bool {
    entry.until.as_ref().zip(today).is_some_and(|(until, today)| until.value < today)
}

/// An entry names a rule, and where: a profile, a file, or the very text that a finding points at, such as a component's name in
/// a manifest; nothing means everywhere.
fn matches(entry: &Ignore, finding: &Reported, sources: &SourceMap) -> bool {
    if entry.rule.value != finding.symbolic.rule {
        return false;
    }
    let Some(at) = &entry.at else { return true };
    let profiles = std::iter::once(&finding.symbolic.place)
        .chain(finding.symbolic.related.iter().map(|related| &related.place))
        .filter_map(|place| place.profile.as_deref());
    profiles.into_iter().any(|profile| profile == at.value)
        || finding.resolved.place.path(sources).is_some_and(|path| *path == at.value)
        || matches!(finding.resolved.place, Location::Span(span) if written(sources, span) == Some(&at.value))
}

fn written(sources: &SourceMap, span: source::Span) -> Option<&str> {
    sources.file(span.file)?.text().get(span.range())
}

/// Rule names in the workspace that are no rules: an entry with a slip would silently do nothing. Nor may it speak of the rule that watches over it.
#[must_use]
pub fn unknown_rules(workspace: &Workspace) -> Vec<release::Problem> {
    let settings = workspace.rules.iter().map(|setting| &setting.rule);
    let ignores = workspace.ignore.iter().map(|entry| &entry.rule);
    let problem = |name: &release::Spanned<String>| {
        let problem =
            |message: String, help: String| release::Problem { span: Some(name.span), message, help: Some(help) };
        if name.value == POLICY {
            let message = format!("`{POLICY}` cannot be set or ignored here");
            return Some(problem(
                message,
                "remove it: a file does not decide what holds for its own change".to_owned(),
            ));
        }
        if crate::rules::rule(&name.value).is_some() {
            return None;
        }
        let help = match nearest(&name.value, RULES.iter().map(|rule| rule.id())) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "`docs/rules.md` lists them all".to_owned(),
        };
        Some(problem(format!("there is no rule `{}`", name.value), help))
    };
    settings.chain(ignores).filter_map(problem).collect()
}
