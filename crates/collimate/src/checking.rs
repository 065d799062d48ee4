//! One check from rendered profiles to resolved findings: what `check`, `pin` and `init` share.

use std::collections::BTreeSet;

use alignment::{Acceptance, At, Facts as _, Place, ReleaseInput, Role, Survey, Undeclared};
use camino::Utf8PathBuf;
use findings::{Finding, Location, ProfileVerdict};
use release::ImageRef;
use source::SourceMap;

use crate::baseline::{Baseline, Split};
use crate::context::Ctx;
use crate::facts::DiskFacts;
use crate::parallel;
use crate::rendering;
use crate::report;
use crate::session::Session;

/// The rules that find an image which `pin` may have to write.
const PIN_RULES: &[&str] = &["digest-mismatch", "tag-digest-conflict", "image-unpinned", "platform-digest"];

/// Rules that take longest, some of them because they look up what others ask for too: they are begun first, so that nobody waits for them.
const LONG: [&str; 7] = [
    "collector-config-differs",
    "private-key-committed",
    "object-invalid",
    "secret-value-committed",
    "dangling-reference",
    "mirror-domains-differ",
    "port-unknown",
];

/// The most findings of one rule that are kept: two hundred profiles of sixty services that pin nothing have 12,000. Each is
/// resolved, sorted and printed, and a workspace can be made to have millions.
const MOST_FINDINGS: usize = 20_000;
/// Rules that ask for more than that a deployment works as it is written. Who was never held to them meets them step by step.
const POLICIES: [&str; 1] = ["collector-tls-missing"];

/// What a check found.
pub(crate) struct Checked {
    pub(crate) findings: Vec<Finding<Location>>,
    /// What the baseline knows, sorted as the findings are.
    pub(crate) known: Vec<Finding<Location>>,
    /// Whether everything was looked at: only then is what is not found mended.
    pub(crate) complete: bool,
    pub(crate) verdicts: Vec<ProfileVerdict>,
    pub(crate) sources: SourceMap,
    /// The workspace's own file.
    pub(crate) workspace: Utf8PathBuf,
}

/// What to check.
#[derive(Default)]
pub(crate) struct Scope<'a> {
    /// Profiles whose findings count. All are rendered: some rules compare profiles with each other.
    pub(crate) profiles: Vec<&'a release::Profile>,
    /// The operator's env files, for the only profile of `profiles`; later ones win.
    pub(crate) env_files: Option<&'a [Utf8PathBuf]>,
    /// Only findings of these rules count; all if empty.
    pub(crate) rules: &'a [&'a str],
    /// Findings that do not count.
    pub(crate) baseline: Option<&'a Baseline>,
    /// The archived manifests that are looked at; all if `None`.
    pub(crate) archive: Option<&'a BTreeSet<Utf8PathBuf>>,
    /// Whether the process ends with this check: what it was made from is not taken apart then.
    pub(crate) is_last: bool,
}

/// Renders all profiles and holds them against their releases.
pub(crate) fn check(ctx: &Ctx, session: &Session, scope: &Scope<'_>) -> Checked {
    let all: Vec<&release::Profile> = session.workspace.profiles.iter().collect();
    let in_scope: BTreeSet<&str> = scope.profiles.iter().map(|profile| profile.name.value.as_str()).collect();
    let env_files =
        |profile: &release::Profile| scope.env_files.filter(|_| in_scope.contains(profile.name.value.as_str()));
    let profiles = rendering::render_and_lint_all(session, &all, &env_files);
    let facts = DiskFacts::of(ctx, session);
    let sources = session.files.sources();
    let releases = looked_at(session, scope);
    let inputs = session.inputs(&releases, &profiles, &sources, &facts);
    let survey = Survey::by(&inputs, |profiles, survey| parallel::map(profiles, survey));
    let found = |rule: &dyn alignment::Rule| {
        let mut found = Vec::new();
        release::guessing(|| rule.check(&survey, &mut found));
        limited(rule, found)
    };
    let mut rules = alignment::RULES.to_vec();
    rules.sort_by_key(|rule| LONG.iter().position(|id| *id == rule.id()).unwrap_or(LONG.len()));
    let mut raw = parallel::map(&rules, |rule| found(*rule)).concat();
    // Rules have read files that no engine asks for.
    let read = session.files.sources();
    raw.retain(|finding| {
        (scope.rules.is_empty() || scope.rules.contains(&finding.rule))
            && counts(session, &in_scope, judged_by(session, finding, &read), &read)
    });
    // A second, traced rendering for the profiles in which something must be shown; of all where an image is wrong, because
    // the place that is wrong may serve other profiles too.
    let wrong_image = raw.iter().any(|finding| PIN_RULES.contains(&finding.rule));
    let traceable: BTreeSet<&str> = raw
        .iter()
        .flat_map(|finding| std::iter::once(&finding.place).chain(finding.related.iter().map(|related| &related.place)))
        .filter(|place| matches!(place.at, At::Rendered(_)))
        .filter_map(|place| place.profile.as_deref())
        .collect();
    let again: Vec<&release::Profile> =
        all.iter().copied().filter(|profile| wrong_image || traceable.contains(profile.name.value.as_str())).collect();
    let traced = rendering::render_all(session, &again, true, &env_files);
    let traced_profile = |name: &str| traced.iter().find(|profile| profile.name() == name);
    let sources = session.files.sources();
    if wrong_image {
        raw.extend(alignment::check_pins(&alignment::pins(&survey, &traced_profile)));
    }
    let reported = alignment::reported(raw, &traced_profile, &sources);
    let acceptance = Acceptance {
        workspace: &session.workspace,
        sources: &sources,
        today: facts.today(),
        complete: scope.rules.is_empty() && scope.profiles.len() == all.len(),
    };
    let mut findings = alignment::accept(reported, acceptance);
    findings::sort(&mut findings, &sources);
    let complete = acceptance.complete && !findings.iter().any(|finding| alignment::hides_others(finding.rule));
    let Split { known, new: findings } = match scope.baseline {
        Some(baseline) => baseline.split(findings, &sources),
        None => Split { known: Vec::new(), new: findings },
    };
    let verdicts = report::verdicts(&survey, &findings)
        .into_iter()
        .filter(|verdict| in_scope.contains(verdict.name.as_str()))
        .collect();
    if scope.is_last {
        std::mem::forget(survey);
        std::mem::forget((releases, profiles));
    }
    Checked { findings, known, complete, verdicts, sources, workspace: session.workspace_path() }
}

/// The manifests that the rules look at. Archived ones come last, so that the place of every other one stays.
fn looked_at(session: &Session, scope: &Scope<'_>) -> Vec<ReleaseInput> {
    let is_wanted = |input: &&ReleaseInput| {
        input.role != Role::Archive || scope.archive.is_none_or(|archive| archive.contains(&input.path))
    };
    let releases: Vec<ReleaseInput> = session.releases.iter().filter(is_wanted).cloned().collect();
    // Taken apart now, by all cores: rules ask one after the other.
    parallel::map(&releases, |input| input.release().is_some());
    releases
}

/// Findings of one rule, up to [`MOST_FINDINGS`]; what is left out is counted by one more.
fn limited(rule: &dyn alignment::Rule, mut found: Vec<Finding<Place>>) -> Vec<Finding<Place>> {
    let Some(severity) = found.iter().skip(MOST_FINDINGS).map(|finding| finding.severity).max() else { return found };
    let message = format!("{} more findings of this rule are not shown", found.len() - MOST_FINDINGS);
    found.truncate(MOST_FINDINGS);
    found.push(Finding::new(rule.id(), severity, Place::maybe(None), message));
    found
}

/// What profiles use that a new workspace must name.
pub(crate) struct Needs {
    /// Every image.
    pub(crate) images: Vec<ImageRef>,
    /// The names of those that they build themselves.
    pub(crate) built: BTreeSet<String>,
    /// What they need of others: it is not there and nothing declares it.
    pub(crate) undeclared: BTreeSet<Undeclared>,
    /// Rules of policy that they do not keep.
    pub(crate) policies: Vec<&'static str>,
}

/// Renders all profiles and looks at what they use.
pub(crate) fn needs(ctx: &Ctx, session: &Session) -> Needs {
    let all: Vec<&release::Profile> = session.workspace.profiles.iter().collect();
    let profiles = rendering::render_all(session, &all, false, &|_| None);
    let facts = DiskFacts::of(ctx, session);
    let sources = session.files.sources();
    let inputs = session.inputs(&session.releases, &profiles, &sources, &facts);
    let survey = Survey::new(&inputs);
    let built = built(&survey);
    let used = survey.profiles.iter().flat_map(|profile| &profile.images);
    let images = used.filter_map(|used| used.image.reference.as_ref().ok().cloned()).collect();
    let policies = POLICIES.iter().copied().filter(|id| {
        let mut found = Vec::new();
        alignment::rule(id).into_iter().for_each(|rule| rule.check(&survey, &mut found));
        !found.is_empty()
    });
    Needs { images, built, undeclared: alignment::undeclared(&survey), policies: policies.collect() }
}

/// Images that every profile builds itself that uses them. What another one runs has to come from a registry.
fn built(survey: &Survey<'_>) -> BTreeSet<String> {
    let (mut built, mut fetched) = (BTreeSet::new(), BTreeSet::new());
    for profile in &survey.profiles {
        let names = |wanted: bool| -> BTreeSet<String> {
            let of_kind =
                profile.images.iter().filter(|used| alignment::is_built(profile.profile, &used.image) == wanted);
            of_kind.filter_map(|used| Some(used.image.reference.as_ref().ok()?.name())).collect()
        };
        let own = names(true);
        fetched.extend(names(false).difference(&own).cloned());
        built.extend(own);
    }
    built.difference(&fetched).cloned().collect()
}

/// The place that says whom a finding is about: its own, but in a document that of the release which the block belies.
fn judged_by<'f>(session: &Session, finding: &'f Finding<Place>, sources: &SourceMap) -> &'f Place {
    let is_document = match &finding.place.at {
        At::Source(span) => {
            let path = sources.path(span.file);
            session.workspace.docs.iter().any(|document| document.value == path)
        }
        At::File(_) | At::Rendered(_) | At::Nowhere => false,
    };
    finding.related.first().filter(|_| is_document).map_or(&finding.place, |related| &related.place)
}

/// Whether a finding is about the profiles in scope: one of theirs, or one of no profile, unless it stands in the manifest
/// of a channel that none of them follows.
fn counts(session: &Session, in_scope: &BTreeSet<&str>, place: &Place, sources: &SourceMap) -> bool {
    if let Some(profile) = place.profile.as_deref() {
        return in_scope.contains(profile);
    }
    let path = match &place.at {
        At::Source(span) => sources.path(span.file),
        At::File(path) => path,
        At::Rendered(_) | At::Nowhere => return true,
    };
    let Some(release) = session.releases.iter().find(|release| release.path == path) else { return true };
    match &release.role {
        Role::Archive | Role::Named => true,
        Role::Current { channel } | Role::Ring { channel, .. } => session
            .workspace
            .profiles
            .iter()
            .any(|profile| profile.channel.value == *channel && in_scope.contains(profile.name.value.as_str())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_named_as_they_are_called() {
        for id in PIN_RULES.iter().chain(&POLICIES).chain(&LONG) {
            assert!(alignment::rule(id).is_some(), "{id}");
        }
    }

    #[test]
    fn what_is_left_out_is_counted() {
        let rule = alignment::RULES[0];
        let found = |count: usize| {
            let finding = || Finding::new(rule.id(), findings::Severity::Warning, Place::maybe(None), "x".to_owned());
            limited(rule, std::iter::repeat_with(finding).take(count).collect())
        };
        assert_eq!(found(MOST_FINDINGS).len(), MOST_FINDINGS);
        let found = found(MOST_FINDINGS + 3);
        assert_eq!(found.len(), MOST_FINDINGS + 1);
        let last = found.last().unwrap();
        assert_eq!(last.message, "3 more findings of this rule are not shown");
        assert_eq!(last.severity, findings::Severity::Warning);
    }
}
