//! A file of the workspace holds the value of a secret.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use camino::{Utf8Path, Utf8PathBuf};
use composefile::{EnvEntry, Node, Project, Value};
use findings::{Finding, Severity};
use source::{FileError, FileId, Span};

use crate::compose::{Service, entries, new_services, string};
use crate::kubernetes::{KubeObject, objects, scalar, text};
use crate::mounts::inside;
use crate::place::{Object, Path, Place, Rendered};
use crate::references::{self, Reference};
use crate::rules::Rule;

use crate::secrets::{
    asks_for_a_value, SecretEntry, is_secret_file, is_secret_pair, is_secret_value_of, is_to_be_filled_in,
    is_password_flag, is_password_word, password_in_url, password_of_flag, may_name_object, secret_entry,
};
use crate::survey::{ProfileSurvey, Survey};

pub(super) struct SecretValueCommitted;

impl Rule for SecretValueCommitted {
    fn id(&self) -> &'static str {
        "secret-value-committed"
    }

    fn summary(&self) -> &'static str {
        "a file of the workspace holds the value of a secret"
    }

    fn severities(&self) -> RangeInclusive<Severity> {
        Severity::Note..=Severity::Error
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        for profile in &survey.profiles {
            let mut report = Report { rule: self.id(), survey, profile, said: BTreeSet::new(), files: BTreeSet::new(), literal: Cell::new(None), out };
            for (variant, project, services) in new_services(profile.profile) {
                report.env_files(project);
                report.defaults(project);
                report.secret_files(variant, project);
                for service in services {
                    report.service(project, variant, &service);
                }
            }
            for (index, variant) in profile.profile.variants.iter().enumerate() {
                if let Some(kubernetes) = variant.kubernetes() {
                    for object in objects(kubernetes) {
                        report.object(index, &object);
                    }
                }
            }
        }
    }
}

struct Report<'w, 'a> {
    rule: &'static str,
    survey: &'w Survey<'a>,
    profile: &'w ProfileSurvey<'a>,
    said: BTreeSet<Span>,
    /// Files that Compose takes as secrets and that were looked at.
    files: BTreeSet<Utf8PathBuf>,
    /// The last value that was asked about, and whether it is a literal: the words of a command all stand in one.
    literal: Cell<Option<(Span, bool)>>,
    out: &'w mut Vec<Finding<Place>>,
}

impl Report<'_, '_> {
    /// The message does not name the object: an anchor or a template that several share is one finding.
    fn finding(&mut self, place: Place, what: &str, owner: &str, help: &str) {
        if let crate::place::At::Source(span) = place.at
            && !self.said.insert(span)
        {
            return;
        }
        let is_whole =
            matches!(&place.at, crate::place::At::Rendered(at) if at.object != Object::Compose && at.range.is_none());
        let place = place.of(self.profile.name());
        self.out.push(
            Finding::new(self.rule, Severity::Error, place, format!("{what} holds the value of a secret"))
                .label(if owner.is_empty() { "committed".to_owned() } else { format!("committed, for {owner}") })
                .help(help),
        );
        // Of a block of text no line has the name that would have it masked.
        if is_whole && let Some(finding) = self.out.last_mut() {
            finding.is_secret = true;
        }
    }

    fn env_files(&mut self, project: &Project) {
        let of_operator = self.profile.profile.operator_env;
        for file in project.env_files.iter().filter(|_| !of_operator) {
            self.entries(file.file, &file.entries);
        }
        for file in &project.service_files {
            if let Some(id) = file.file {
                self.entries(id, &file.entries);
            }
        }
    }

    fn entries(&mut self, file: FileId, entries: &[EnvEntry]) {
        let path = self.survey.inputs.sources.path(file);
        if self.survey.inputs.facts.is_tracked(path) {
            let of_example = is_to_be_filled_in(path);
            entries.iter().for_each(|entry| self.entry(entry, of_example));
        }
    }

    fn entry(&mut self, entry: &EnvEntry, of_example: bool) {
        const HELP: &str =
            "write `change-me:<name>` in the example; real values belong in an env file that is not committed";
        let written = self.survey.written(entry.value_span).unwrap_or_default();
        if of_example && asks_for_a_value(written) {
            return;
        }
        if is_secret_pair(&entry.name, written) || password_in_url(written).is_some() {
            let place = Place::source(entry.value_span);
            self.finding(place, &format!("variable `{}`", entry.name.as_str()), "", HELP);
        }
    }

    /// `${PASSWORD:-hunter2}`
    fn defaults(&mut self, project: &Project) {
        for variable in &project.variables {
            let (Some(default), Some(span)) = (&variable.default, variable.span) else { continue };
            if is_secret_pair(&variable.name, default) || password_in_url(default).is_some() {
                let what = format!("the default of variable `{}`", variable.name);
                let help = format!("write `${{{}:?}}`, so that Compose asks for it", variable.name);
                self.finding(Place::source(span), &what, "", &help);
            }
        }
    }

    /// `secrets: {db: {file: ./db.txt}}`
    fn secret_files(&mut self, variant: usize, project: &Project) {
        for (name, node) in entries(project.root.get("secrets")) {
            let file = string(node, "file").and_then(|file| inside(self.survey.inputs.root, file));
            let Some(path) = file.filter(|path| !self.files.contains(path)) else { continue };
            if self.is_committed(&path) {
                let place = self.profile.value(variant, Object::Compose, Path::keys(&["secrets", name, "file"]));
                let help = format!(
                    "run `git rm --cached {path}`, add it to `.gitignore`, and replace the value: whoever has the history has it"
                );
                self.finding(place, &format!("`{path}`"), &format!("secret `{name}`"), &help);
            }
            self.files.insert(path);
        }
    }

    /// Whether a file that is taken as a secret holds one for all to see.
    fn is_committed(&self, path: &Utf8Path) -> bool {
        let facts = self.survey.inputs.facts;
        !is_to_be_filled_in(path)
            && facts.is_tracked(path)
            && match facts.text(path) {
                Ok((_, text)) => is_secret_file(&text),
                Err(error) => matches!(error, FileError::NotUtf8 { .. }),
            }
    }

    fn service(&mut self, project: &Project, variant: usize, service: &Service<'_>) {
        let environment = service.path.key("environment");
        for (key, node) in entries(service.node.get("environment")) {
            let Some(value) = node.as_str() else { continue };
            let named = is_secret_pair(key, value);
            if (named || password_in_url(value).is_some())
                && !self.is_passed_on(key, value, node)
                && self.is_literal(project, node, named)
            {
                let place = self.profile.value(variant, Object::Compose, environment.key(key));
                let what = format!("variable `{key}`");
                self.finding(
                    place,
                    &what,
                    &service.title(),
                    "take it from the env file with `${NAME:?}`, or from a file under `secrets`",
                );
            }
        }
        for key in ["command", "entrypoint"] {
            let Some(node) = service.node.get(key) else { continue };
            self.commands(project, variant, service, node, &service.path.key(key));
        }
        if let Some(test) = service.node.get("healthcheck").and_then(|check| check.get("test")) {
            self.commands(project, variant, service, test, &service.path.key("healthcheck").key("test"));
        }
    }

    fn commands(&mut self, project: &Project, variant: usize, service: &Service<'_>, node: &Node, path: &Path) {
        match &node.value {
            Value::Seq(items) => {
                let mut is_password = false;
                for (index, item) in items.iter().enumerate() {
                    // A list of lists is no command; the engine would have refused it.
                    let Some(text) = item.as_str() else { continue };
                    let path = path.index(index);
                    if is_password && is_password_word(text) && self.is_literal(project, item, false) {
                        self.command(Rendered { variant, object: Object::Compose, path, range: Some(0..text.len()) }, &service.title());
                    } else {
                        self.commands(project, variant, service, item, &path);
                    }
                    is_password = is_password_flag(text);
                }
            }
            Value::Str(text) => {
                let range = password_of_flag(text);
                if (range.is_some() || password_in_url(text).is_some()) && self.is_literal(project, node, false) {
                    self.command(Rendered { variant, object: Object::Compose, path: path.clone(), range }, &service.title());
                }
            }
            _ => {}
        }
    }

    /// Of a flag's value the line may not tell that it is one; in a URL it does.
    fn command(&mut self, place: Rendered, owner: &str) {
        let is_of_flag = place.range.is_some();
        self.finding(self.profile.at(place), "a command", owner, "take it from the environment of the container, or from a file");
        if is_of_flag && let Some(finding) = self.out.last_mut() {
            finding.is_secret = true;
        }
    }

    /// Whether of an entry of `environment` only the name is written: its value comes from an env file.
    fn is_passed_on(&self, key: &str, value: &str, node: &Node) -> bool {
        let written = node.span.and_then(|span| self.survey.written(span)).unwrap_or_default();
        let written = written.trim().trim_matches(['"', '\'']);
        value != key && (written == key || matches!(written, "" | "~" | "null"))
    }

    /// Whether a value stands in a Compose file as it is. What comes in through variables is judged where it stands.
    fn is_literal(&self, project: &Project, node: &Node, named: bool) -> bool {
        let Some(span) = node.span else { return false };
        if let Some((_, is_literal)) = self.literal.get().filter(|(known, _)| !named && *known == span) {
            return is_literal;
        }
        let in_compose_file = project.compose_files.iter().any(|(_, file)| *file == span.file);
        let Some(written) = self.survey.written(span) else { return false };
        // The entry of a list is written `NAME=value`.
        let written = written.split_once('=').filter(|_| named).map_or(written, |(_, value)| value);
        let is_literal = in_compose_file && !written.replace("$$", "").contains('$');
        if !named {
            self.literal.set(Some((span, is_literal)));
        }
        is_literal
    }

    /// Secrets hold names and settings too. Whether this one is a secret only its author knows.
    fn plain_entry(&mut self, variant: usize, object: &KubeObject<'_>, path: Path, name: &str) {
        let place = self.profile.at(Rendered { variant, object: object.object, path, range: None });
        let title = object.title();
        let mut finding = Finding::new(
            self.rule,
            Severity::Note,
            place,
            format!("`{name}` of {title} is written in the workspace"),
        )
        .label("no secret by its name and its looks")
        .help("if it is one, reference a Secret that is made elsewhere");
        finding.is_secret = true;
        self.out.push(finding);
    }

    /// Whether a value is the name of a Secret that the profile renders, needs or declares, under a key that may name one.
    fn is_object(&self, variant: usize, name: &str, value: &str) -> bool {
        let profile = self.profile.profile;
        let rendering = profile.variants.get(variant).and_then(|variant| variant.kubernetes());
        may_name_object(name)
            && (profile.declared.external.secrets.iter().any(|declared| declared.value == value)
                || rendering.into_iter().flat_map(objects).any(|object| {
                    let is_needed = |reference: &Reference<'_>| reference.kind == "Secret" && reference.name == value;
                    object.kind == "Secret" && object.name == value || references::of(&object).iter().any(is_needed)
                }))
    }

    fn object(&mut self, variant: usize, object: &KubeObject<'_>) {
        const HELP: &str =
            "reference a Secret that is made elsewhere, and list it under `external.secrets` of the profile";
        let mut found: Vec<(Path, Option<std::ops::Range<usize>>, String)> = Vec::new();
        if object.kind == "Secret" && object.group().is_empty() {
            for key in ["data", "stringData"] {
                let Some(data) = object.node.at(&[key]) else { continue };
                for (name, value) in data.target().entries() {
                    let is_secret = |value: &&str| is_secret_value_of(name.raw(), value);
                    let Some(value) = scalar(value).filter(is_secret) else { continue };
                    let path = object.path_of(&[key]).key(name.raw());
                    let what = format!("`{}`", name.raw());
                    match secret_entry(name.raw(), value, key == "data") {
                        SecretEntry::Plain => self.plain_entry(variant, object, path, name.raw()),
                        SecretEntry::Secret => found.push((path, None, what)),
                        SecretEntry::Parts(parts) => {
                            found.extend(parts.into_iter().map(|part| (path.clone(), Some(part), what.clone())));
                        }
                    }
                }
            }
        }
        if object.kind == "ConfigMap"
            && object.group().is_empty()
            && let Some(data) = object.node.at(&["data"])
        {
            for (name, value) in data.target().entries() {
                let Some(value) = scalar(value) else { continue };
                let named = is_secret_pair(name.raw(), value) && !value.contains('\n');
                let named = named && !self.is_object(variant, name.raw(), value);
                let url = password_in_url(value);
                if named || url.is_some() {
                    let what = format!("`{}`", name.raw());
                    found.push((object.path_of(&["data"]).key(name.raw()), url, what));
                }
            }
        }
        if let Some(pod) = object.pod() {
            for (_, path, container) in pod.containers() {
                for key in ["command", "args"] {
                    let mut is_password = false;
                    for (index, item) in container.at(&[key]).into_iter().flat_map(|list| list.target().items()).enumerate() {
                        let Some(word) = scalar(item) else { continue };
                        let whole = (is_password && is_password_word(word)).then_some(0..word.len());
                        if let Some(range) = whole.or_else(|| password_of_flag(word)) {
                            found.push((path.key(key).index(index), Some(range), "a command".to_owned()));
                        }
                        is_password = is_password_flag(word);
                    }
                }
                let Some(env) = container.at(&["env"]) else { continue };
                for (index, entry) in env.target().items().enumerate() {
                    let (Some(name), Some(value)) = (text(entry, &["name"]), text(entry, &["value"])) else { continue };
                    let url = password_in_url(value).filter(|range| !value[range.clone()].contains("$("));
                    let named = is_secret_pair(name, value) && !self.is_object(variant, name, value);
                    if named || url.is_some() {
                        let what = format!("variable `{name}`");
                        found.push((path.key("env").index(index).key("value"), url, what));
                    }
                }
            }
        }
        for (path, range, what) in found {
            let is_part = range.is_some() && (object.kind == "Secret" || what == "a command");
            let place = self.profile.at(Rendered { variant, object: object.object, path, range });
            self.finding(place, &what, &object.title(), HELP);
            // What a line says of itself the template or the values file may say in other words.
            if is_part && let Some(finding) = self.out.last_mut() {
                finding.is_secret = true;
            }
        }
    }
}
