//! What a profile deploys of the mirror is not what `mirror.yaml` says.

use std::collections::BTreeMap;

use findings::{Finding, Severity};
use mirror::{Mirror, Standing, environment};
use source::Span;

use crate::mirror::{Container, Deployed, Gateway, deployed};
use crate::place::Place;
use crate::rules::Rule;
use crate::survey::{ProfileSurvey, Survey};

pub(super) struct MirrorDomainsDiffer;

/// Variables of both services that name a domain; what else they have under `MIRROR` is their own business.
const DOMAINS: [&str; 2] = ["CONCELIER__MIRROR__DOMAINS__", "EXCITITOR__MIRROR__DOMAINS__"];

/// What the settings of each begin with, those too that are no matter of the mirror.
const SETTINGS: [&str; 2] = ["CONCELIER__", "EXCITITOR__"];

/// What makes a container one of them.
const ENABLED: [&str; 2] = ["CONCELIER__MIRROR__ENABLED", "EXCITITOR__MIRROR__ENABLED"];

/// How it is mended, nearly always.
const RENDER: &str = "change `mirror.yaml` and run `collimate mirror render`";

/// Files of a gateway that are reported one by one. Who has more mounts another folder.
const MOST_SHOWN: usize = 10;

impl Rule for MirrorDomainsDiffer {
    fn id(&self) -> &'static str {
        "mirror-domains-differ"
    }

    fn summary(&self) -> &'static str {
        "a profile deploys another mirror than `mirror.yaml` describes"
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        let Some(named) = &survey.inputs.workspace.mirror else { return };
        let (file, text) = match survey.inputs.facts.text(&named.value) {
            Ok(read) => read,
            Err(error) => {
                let message = format!("the settings of the mirror cannot be read: {error}");
                out.push(Finding::new(self.id(), Severity::Error, Place::source(named.span), message));
                return;
            }
        };
        let mirror = match Mirror::parse(&text, file) {
            Ok(mirror) => mirror,
            Err(problems) => {
                out.extend(problems.into_iter().map(|problem| {
                    let span = problem.span.unwrap_or(Span::new(file, 0..0));
                    let finding = Finding::new(self.id(), Severity::Error, Place::source(span), problem.message);
                    match problem.help {
                        Some(help) => finding.help(help),
                        None => finding,
                    }
                }));
                return;
            }
        };
        let wanted = Wanted { mirror: &mirror, source: named.value.as_str() };
        for profile in &survey.profiles {
            for variant in 0..profile.profile.variants.len() {
                let Deployed { containers, gateways } = deployed(profile, variant, survey.inputs);
                for container in &containers {
                    self.variables(profile, container, &wanted, out);
                    self.verifier(profile, container, &wanted, out);
                }
                for gateway in &gateways {
                    self.gateway(profile, gateway, &wanted, out);
                    self.counts(profile, gateway, &wanted, out);
                }
            }
        }
    }
}

/// What follows from `mirror.yaml`.
struct Wanted<'m> {
    mirror: &'m Mirror,
    source: &'m str,
}

impl Wanted<'_> {
    /// The variables of the service at this index of [`DOMAINS`].
    fn variables(&self, service: usize) -> BTreeMap<String, String> {
        let text = if service == 0 { environment::concelier(self.mirror) } else { environment::excititor(self.mirror) };
        let lines = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='));
        lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// Where a variable's value is said in `mirror.yaml`.
    fn place_of(&self, name: &str) -> Place {
        let mirror = self.mirror;
        let index = DOMAINS.iter().find_map(|prefix| name.strip_prefix(prefix)).and_then(|rest| rest.split_once("__"));
        let domain = index.and_then(|(index, _)| mirror.domains.get(index.parse::<usize>().ok()?));
        let span = match (name.rsplit("__").next(), domain) {
            (Some("MAXINDEXREQUESTSPERHOUR"), _) => mirror.index_requests_per_hour.span,
            (Some("DISPLAYNAME"), Some(domain)) => domain.display_name.span,
            (Some("REQUIREAUTHENTICATION"), Some(domain)) => domain.require_authentication.span,
            (Some("MAXDOWNLOADREQUESTSPERHOUR"), Some(domain)) => domain.downloads_per_hour.span,
            (_, Some(domain)) => domain.id.span,
            (_, None) => mirror.domains.first().map_or(mirror.span, |domain| domain.id.span),
        };
        Place::source(span)
    }
}

impl MirrorDomainsDiffer {
    fn variables(
        &self,
        profile: &ProfileSurvey<'_>,
        container: &Container,
        wanted: &Wanted<'_>,
        out: &mut Vec<Finding<Place>>,
    ) {
        for (service, prefix) in DOMAINS.into_iter().enumerate() {
            let value = |name: &str| container.variables.iter().find(|variable| variable.name == name);
            let enabled = ENABLED.get(service).and_then(|name| value(name));
            let is_on = enabled.is_some_and(|variable| variable.value.eq_ignore_ascii_case("true"));
            // A service that mirrors nothing has these variables switched off, or none. One that is told where to export, but not whether, lost a file.
            let has = |prefix: &str| container.variables.iter().any(|variable| variable.name.starts_with(prefix));
            let lost = enabled.is_none() && has(prefix.trim_end_matches("DOMAINS__")) && !DOMAINS.into_iter().any(has);
            if !is_on && !has(prefix) && !lost {
                continue;
            }
            let expected = wanted.variables(service);
            let has_own = |service: usize, rendered: &BTreeMap<String, String>| {
                let own = |name: &str| SETTINGS.get(service).is_some_and(|prefix| name.starts_with(prefix));
                container.variables.iter().any(|known| own(&known.name) && !rendered.contains_key(&known.name))
            };
            // Both know their own variables only.
            if !has_own(service, &expected) && has_own(1 - service, &wanted.variables(1 - service)) {
                out.push(
                    Finding::new(
                        self.id(),
                        Severity::Error,
                        container.place.clone(),
                        format!("profile `{}` gives {} the domains of another service", profile.name(), container.title),
                    )
                    .label(format!("has `{prefix}…`"))
                    .help("give it the env file that `collimate mirror render` writes for it"),
                );
                continue;
            }
            let mut missing = Vec::new();
            for (name, expected) in &expected {
                match value(name) {
                    None => missing.push(name),
                    Some(variable) if variable.value == *expected => {}
                    Some(variable) => out.push(
                        Finding::new(
                            self.id(),
                            Severity::Error,
                            variable.place.clone(),
                            format!("profile `{}` sets `{name}` of {} to another value", profile.name(), container.title),
                        )
                        .label(format!("must be `{expected}`"))
                        .related(wanted.place_of(name), "`mirror.yaml` says this")
                        .help(RENDER),
                    ),
                }
            }
            // All of a kind are one mistake: the env file is not there.
            if let Some(first) = missing.first() {
                let all: Vec<String> = missing.iter().map(|name| format!("`{name}`")).collect();
                let more = all.len().saturating_sub(3);
                let shown = all.iter().take(3).cloned().collect::<Vec<_>>().join(", ");
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                let mut finding = Finding::new(
                    self.id(),
                    Severity::Error,
                    container.place.clone(),
                    format!("profile `{}` does not tell {} of {shown}{more}", profile.name(), container.title),
                )
                .label("lacks them")
                .related(wanted.place_of(first), "`mirror.yaml` says this")
                .help("give it the env file that `collimate mirror render` writes");
                // What makes it one of a mirror may be what is wrong.
                if let Some(variable) = container.variables.first() {
                    finding = finding.related(variable.named.clone(), "this it is told");
                }
                out.push(finding);
            }
            for variable in &container.variables {
                if variable.name.starts_with(prefix) && !expected.contains_key(&variable.name) {
                    let last = wanted.mirror.domains.last().map_or(wanted.mirror.span, |domain| domain.id.span);
                    out.push(
                        Finding::new(
                            self.id(),
                            Severity::Error,
                            variable.named.clone(),
                            format!("profile `{}` gives {} a domain that is not there", profile.name(), container.title),
                        )
                        .label(format!("`{}` belongs to no domain", variable.name))
                        .related(Place::source(last), "the last domain of `mirror.yaml`")
                        .help(format!("remove it, or {RENDER}")),
                    );
                }
            }
        }
    }

    /// `collimate mirror auth --domain ID… --remember TIME`, where it says them at all.
    fn verifier(
        &self,
        profile: &ProfileSurvey<'_>,
        container: &Container,
        wanted: &Wanted<'_>,
        out: &mut Vec<Finding<Place>>,
    ) {
        let words = &container.words;
        if words.is_empty() {
            return;
        }
        let domains = options(words, "--domain");
        let known = &wanted.mirror.domains;
        let mut push = |place: &Place, message: String, label: String, related: (Place, &str)| {
            out.push(
                Finding::new(self.id(), Severity::Error, place.clone(), message)
                    .label(label)
                    .related(related.0, related.1)
                    .help("give the verifier what `mirror.yaml` says"),
            );
        };
        for (id, place) in &domains {
            if wanted.mirror.domain(id).is_none() {
                push(
                    place,
                    format!("profile `{}` has {} look after a domain that is not there", profile.name(), container.title),
                    format!("there is no domain `{id}`"),
                    (Place::source(known.last().map_or(wanted.mirror.span, |domain| domain.id.span)), "the last domain of `mirror.yaml`"),
                );
            }
        }
        for domain in known.iter().filter(|domain| domain.require_authentication.value && !domains.is_empty()) {
            if !domains.iter().any(|(id, _)| *id == domain.id.value) {
                push(
                    &container.place,
                    format!("profile `{}` has {} let nobody into a domain", profile.name(), container.title),
                    format!("lacks `--domain={}`", domain.id.value),
                    (Place::source(domain.id.span), "`mirror.yaml` says this"),
                );
            }
        }
        let verified = &wanted.mirror.lifetimes.verified;
        for (time, place) in options(words, "--remember") {
            if time != verified.value.to_string() && time != format!("{}s", verified.value.0) {
                push(
                    &place,
                    format!("profile `{}` has {} remember passwords for another time", profile.name(), container.title),
                    format!("must be `{}`", verified.value),
                    (Place::source(verified.span), "`lifetimes.verified` of `mirror.yaml`"),
                );
            }
        }
    }

    fn gateway(&self, profile: &ProfileSurvey<'_>, gateway: &Gateway, wanted: &Wanted<'_>, out: &mut Vec<Finding<Place>>) {
        let folders = mirror::rendered(wanted.mirror, wanted.source);
        let is_gateways = |folder: &&mirror::Folder| {
            wanted.mirror.deployments.iter().any(|deployment| deployment.gateway.value == folder.path)
        };
        let difference = |folder: &mirror::Folder| -> usize {
            let same = folder.files.iter().filter(|file| {
                let present = file.path.file_name().and_then(|name| gateway.files.get(name));
                present.is_some_and(|present| same(&file.text, &present.text) == Standing::Same)
            });
            folder.files.len() - same.count()
        };
        // A mounted folder is one that is written; what a chart carries is whichever it is most like.
        let folder = match &gateway.folder {
            Some(mounted) => folders.iter().filter(is_gateways).find(|folder| folder.path == *mounted),
            None => folders.iter().filter(is_gateways).min_by_key(|folder| difference(folder)),
        };
        let Some(folder) = folder else {
            out.push(
                Finding::new(
                    self.id(),
                    Severity::Error,
                    gateway.place.clone(),
                    format!("profile `{}` gives {} a configuration that nothing keeps up to date", profile.name(), gateway.title),
                )
                .label("`mirror.yaml` does not name this folder")
                .related(Place::source(wanted.mirror.span), "the folders under `deployments`")
                .help("mount the folder of a deployment, or add one with this folder"),
            );
            return;
        };
        let mut found = Vec::new();
        for file in &folder.files {
            let name = file.path.file_name().unwrap_or_default();
            let present = gateway.files.get(name);
            let message = format!("profile `{}` gives {} another `{name}` than follows from `mirror.yaml`", profile.name(), gateway.title);
            let standing = present.map_or(Standing::Missing, |present| same(&file.text, &present.text));
            match (standing, present) {
                (Standing::Differs { line }, Some(present)) => {
                    let expected = file.text.lines().nth(line - 1).unwrap_or("the end of the file");
                    found.push(
                        Finding::new(self.id(), Severity::Error, present.line(line), message)
                            .label(format!("must be `{}`", expected.trim()))
                            .help(RENDER),
                    );
                }
                (Standing::Missing, _) => found.push(
                    Finding::new(self.id(), Severity::Error, gateway.place.clone(), message)
                        .label(format!("has no `{name}`"))
                        .help(RENDER),
                ),
                _ => {}
            }
        }
        for (name, file) in &gateway.files {
            let is_known = folder.files.iter().any(|known| known.path.file_name() == Some(name));
            if !is_known && file.text.starts_with(mirror::MARK) {
                found.push(
                    Finding::new(
                        self.id(),
                        Severity::Error,
                        file.line(1),
                        format!("profile `{}` gives {} a file of other settings, `{name}`", profile.name(), gateway.title),
                    )
                    .label("left over")
                    .help("`collimate mirror render` removes it"),
                );
            }
        }
        let more = found.len().saturating_sub(MOST_SHOWN);
        out.extend(found.into_iter().take(MOST_SHOWN));
        if more > 0 {
            let message = format!("profile `{}` gives {} {more} more files that differ", profile.name(), gateway.title);
            out.push(Finding::new(self.id(), Severity::Error, gateway.place.clone(), message).help(RENDER));
        }
    }

    /// Every gateway counts for itself: with more of them than the budget is divided by, tenants have a multiple of it.
    fn counts(&self, profile: &ProfileSurvey<'_>, gateway: &Gateway, wanted: &Wanted<'_>, out: &mut Vec<Finding<Place>>) {
        let divided = &wanted.mirror.replicas;
        for count in &gateway.counts {
            let allowed = i64::from(divided.value.get());
            if count.number <= allowed {
                continue;
            }
            let by = if allowed == 1 { "is not divided".to_owned() } else { format!("is divided by {allowed}") };
            out.push(
                Finding::new(
                    self.id(),
                    Severity::Error,
                    count.place.clone(),
                    format!("profile `{}` runs {} gateways, and a tenant's budget {by}", profile.name(), count.number),
                )
                .label(format!("so many of {}", count.title))
                .related(Place::source(divided.span), "`replicas` of `mirror.yaml`")
                .help(format!("write `replicas: {}` into `mirror.yaml` and run `collimate mirror render`, or run fewer", count.number)),
            );
        }
    }
}

/// Compares two files but for line ends at their end, which a document of a chart loses.
fn same(wanted: &str, present: &str) -> Standing {
    mirror::standing(wanted.trim_end_matches('\n'), Some(present.trim_end_matches('\n')))
}

/// The values of an option: `--name value` or `--name=value`.
fn options(words: &[(String, Place)], name: &str) -> Vec<(String, Place)> {
    let mut out = Vec::new();
    let mut rest = words.iter();
    while let Some((word, place)) = rest.next() {
        if word == name {
            out.extend(rest.next().cloned());
        } else if let Some(value) = word.strip_prefix(name).and_then(|value| value.strip_prefix('=')) {
            out.push((value.to_owned(), place.clone()));
        }
    }
    out
}
