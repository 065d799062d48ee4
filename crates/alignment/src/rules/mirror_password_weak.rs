//! An htpasswd file that a profile mounts or carries keeps a password badly, or cannot be read.

use std::collections::{BTreeSet, VecDeque};
use std::num::NonZeroUsize;
use std::ops::Range;
use std::sync::Arc;
use std::ops::RangeInclusive;

use camino::{Utf8Path, Utf8PathBuf};
use findings::{Finding, Severity};
use mirror::htpasswd::{File, Form, Hash, KNOWN_PASSWORDS};
use source::{EntryKind, FileKind, Span};
use yamlspan::base64;

use crate::compose::{entries, services};
use crate::kubernetes::{KubeObject, objects, scalar};
use crate::mounts::{inside, mounts};
use crate::place::{Place, Rendered};
use crate::rules::Rule;
use crate::survey::{ProfileSurvey, Survey};

pub(super) struct MirrorPasswordWeak;

/// How the files are called, on disk and as keys of Secrets and ConfigMaps.
const SUFFIX: &str = ".htpasswd";

/// Folders in a mounted folder are looked into so deep: the verifier's own files lie in the folder itself.
const DEEPEST: usize = 4;

/// Folders that are looked into for one mount, the nearest first: a service may mount a folder with all of its data.
const MOST_FOLDERS: usize = 200;

/// Files that are looked at, in all.
const MOST_FILES: usize = 1000;

/// What is tried of [`KNOWN_PASSWORDS`], the worst first, beside the tenant's own name.
const MOST_GUESSES: usize = 5;

/// Rounds of bcrypt that one check spends on guessing: two seconds of one core. Only files that are there cost anything, and those are
/// mostly on the operator's machine alone.
const MOST_ROUNDS: u64 = 1 << 15;

/// Hashes of a higher cost are not guessed at: one guess would take the time of many. Whoever chose it chose the password too.
const MOST_GUESSED_COST: u32 = 12;

impl Rule for MirrorPasswordWeak {
    fn id(&self) -> &'static str {
        "mirror-password-weak"
    }

    fn summary(&self) -> &'static str {
        "an htpasswd file keeps a password badly, or cannot be read"
    }

    fn severities(&self) -> RangeInclusive<Severity> {
        Severity::Warning..=Severity::Error
    }

    fn check(&self, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) {
        let files = collect(self.id(), survey, out);
        let known = guess(&files);
        for (index, file) in files.iter().enumerate() {
            self.file(file, |entry| known.contains(&(index, entry)), out);
        }
    }
}

/// An htpasswd file, wherever it stands.
struct Found {
    /// As it is named in messages.
    title: String,
    /// Its name: `mirror-primary.htpasswd`.
    name: String,
    file: File,
    /// Where each of its lines stands in it.
    lines: Vec<Range<usize>>,
    at: Home,
}

/// Where bytes of an htpasswd file are.
enum Home {
    Disk {
        file: source::FileId,
        profile: Arc<str>,
    },
    /// A scalar of a rendered object. Within base64 there is no place.
    Rendered {
        place: Place,
        is_base64: bool,
    },
}

impl Home {
    fn place(&self, range: Range<usize>) -> Place {
        match self {
            Self::Disk { file, profile } => Place::source(Span::new(*file, range)).of(profile),
            Self::Rendered { place, is_base64: true } => place.clone(),
            Self::Rendered { place, is_base64: false } => {
                let mut place = place.clone();
                if let crate::place::At::Rendered(rendered) = &mut place.at {
                    rendered.range = Some(range);
                }
                place
            }
        }
    }
}

impl Found {
    fn new(title: String, name: &str, text: &[u8], at: Home) -> Self {
        let mut start = 0;
        let lines = text.split_inclusive(|byte| *byte == b'\n').map(|line| {
            let range = start..start + line.trim_ascii_end().len();
            start += line.len();
            range
        });
        Self { title, name: name.to_owned(), file: File::parse(text), lines: lines.collect(), at }
    }

    /// The command that gives a tenant a new password.
    fn rotate(&self, tenant: &str) -> String {
        let plain = |character: char| character.is_alphanumeric() || "-_.@".contains(character);
        let tenant = if tenant.chars().all(plain) { tenant.to_owned() } else { format!("'{tenant}'") };
        let id = self.name.strip_prefix("mirror-").and_then(|name| name.strip_suffix(SUFFIX));
        match (id, &self.at) {
            (Some(id), Home::Disk { .. }) => format!("`collimate mirror tenant rotate {id} {tenant}`"),
            (Some(id), Home::Rendered { .. }) => {
                format!("`collimate mirror tenant rotate {id} {tenant} --as-secret`")
            }
            (None, _) => format!("`collimate mirror tenant rotate DOMAIN {tenant} --file …/{}`", self.name),
        }
    }
}

impl MirrorPasswordWeak {
    fn file(&self, found: &Found, is_known: impl Fn(usize) -> bool, out: &mut Vec<Finding<Place>>) {
        let mut push = |place: Place, message: String, label: &str, help: String| {
            out.push(Finding::new(self.id(), Severity::Error, place, message).label(label).help(help).secret());
        };
        for problem in found.file.problems() {
            let range = found.lines.get(problem.line - 1).cloned().unwrap_or(0..0);
            push(
                found.at.place(range),
                format!("line {} of {}: {problem}", problem.line, found.title),
                "with this line the verifier lets nobody of the domain in",
                "remove the line, or the tenant with `collimate mirror tenant remove`".to_owned(),
            );
        }
        for (index, entry) in found.file.entries().iter().enumerate() {
            let place = || found.at.place(entry.hash_span());
            let tenant = entry.name();
            let help = || format!("{} gives it a new one", found.rotate(tenant));
            match entry.hash().weakness() {
                // Said with the line.
                _ if entry.hash().form() == Form::BcryptDamaged => {}
                Some(weakness) => push(
                    place(),
                    format!("the password of tenant `{tenant}` in {} is kept badly: {weakness}", found.title),
                    "easy to guess from, or of no use to the verifier",
                    help(),
                ),
                None if is_known(index) => push(
                    place(),
                    format!("the password of tenant `{tenant}` in {} is one that everybody knows", found.title),
                    "guessed just now",
                    help(),
                ),
                None => {}
            }
        }
    }
}

/// Every htpasswd file of all profiles, each once.
fn collect(rule: &'static str, survey: &Survey<'_>, out: &mut Vec<Finding<Place>>) -> Vec<Found> {
    let mut found = Vec::new();
    let mut seen: BTreeSet<Utf8PathBuf> = BTreeSet::new();
    // Many services mount the same folders, in every variant.
    let mut walked: BTreeSet<Utf8PathBuf> = BTreeSet::new();
    for profile in &survey.profiles {
        for (index, variant) in profile.profile.variants.iter().enumerate() {
            if let Some(compose) = variant.compose() {
                let mut paths = Vec::new();
                for service in services(&compose.all) {
                    for mount in mounts(&service) {
                        if let Some(path) = inside(survey.inputs.root, mount.source)
                            && walked.insert(path.clone())
                        {
                            walk(survey, &path, &mut paths);
                        }
                    }
                }
                for group in ["configs", "secrets"] {
                    let files = entries(compose.all.root.get(group)).filter_map(|(_, node)| node.get("file")?.as_str());
                    for path in files.filter_map(|file| inside(survey.inputs.root, file)) {
                        if walked.insert(path.clone()) {
                            walk(survey, &path, &mut paths);
                        }
                    }
                }
                for path in paths {
                    if found.len() < MOST_FILES && seen.insert(path.clone()) {
                        found.extend(on_disk(rule, survey, profile, &path, out));
                    }
                }
            }
            if let Some(kubernetes) = variant.kubernetes() {
                for object in objects(kubernetes) {
                    carried(profile, index, &object, &mut found);
                }
            }
        }
    }
    found
}

/// The htpasswd files at a path, or in the folder that is there and a few below it.
fn walk(survey: &Survey<'_>, path: &Utf8Path, out: &mut Vec<Utf8PathBuf>) {
    let mut folders = match survey.inputs.facts.kind(path) {
        Some(FileKind::File) if path.as_str().ends_with(SUFFIX) => return out.push(path.to_owned()),
        Some(FileKind::Directory) => VecDeque::from([(path.to_owned(), 0)]),
        _ => return,
    };
    let mut left = MOST_FOLDERS;
    while let Some((folder, depth)) = folders.pop_front() {
        let Some(fewer) = left.checked_sub(1) else { return };
        left = fewer;
        for entry in survey.inputs.facts.list(&folder).unwrap_or_default() {
            let path = folder.join(&entry.name);
            match entry.kind {
                EntryKind::File if entry.name.ends_with(SUFFIX) => out.push(path),
                // `..data` of a folder that changes by a link: its files are links in the folder itself.
                EntryKind::Directory if depth < DEEPEST && !entry.name.starts_with("..") => {
                    folders.push_back((path, depth + 1));
                }
                _ => {}
            }
        }
    }
}

fn on_disk(
    rule: &'static str,
    survey: &Survey<'_>,
    profile: &ProfileSurvey<'_>,
    path: &Utf8Path,
    out: &mut Vec<Finding<Place>>,
) -> Option<Found> {
    match survey.inputs.facts.text(path) {
        Ok((file, text)) => {
            let at = Home::Disk { file, profile: Arc::from(profile.name()) };
            Some(Found::new(format!("`{path}`"), path.file_name().unwrap_or_default(), text.as_bytes(), at))
        }
        Err(error) => {
            let place = Place::file(path).of(profile.name());
            out.push(
                Finding::new(
                    rule,
                    Severity::Warning,
                    place,
                    format!("the passwords of `{path}` cannot be judged: {error}"),
                )
                .help("run the check as a user who can read the file, or mend it"),
            );
            None
        }
    }
}

/// The htpasswd files that a Secret or ConfigMap carries.
fn carried(profile: &ProfileSurvey<'_>, variant: usize, object: &KubeObject<'_>, out: &mut Vec<Found>) {
    let groups: &[(&str, bool)] = match (object.kind, object.group()) {
        ("Secret", "") => &[("data", true), ("stringData", false)],
        ("ConfigMap", "") => &[("data", false), ("binaryData", true)],
        _ => return,
    };
    for (group, is_base64) in groups.iter().copied() {
        let Some(values) = object.node.at(&[group]) else { continue };
        for (key, value) in values.target().entries() {
            let Some(written) = scalar(value).filter(|_| key.raw().ends_with(SUFFIX)) else { continue };
            let bytes = if is_base64 {
                // What is no base64 Kubernetes refuses.
                let Some(bytes) = base64::decode(written) else { continue };
                bytes
            } else {
                written.as_bytes().to_vec()
            };
            let place =
                Rendered { variant, object: object.object, path: object.path_of(&[group, key.raw()]), range: None };
            let title = format!("`{}` of {}", key.raw(), object.title());
            let at = Home::Rendered { place: profile.at(place), is_base64 };
            if out.len() < MOST_FILES {
                out.push(Found::new(title, key.raw(), &bytes, at));
            }
        }
    }
}

/// A password that is tried: of which entry, of which file.
type Trial<'f> = (usize, usize, &'f Hash, &'f str);

/// What is tried, as far as the rounds go: the worst password of everybody first, then the next.
fn trials(files: &[Found]) -> Vec<Trial<'_>> {
    let mut left = MOST_ROUNDS;
    let mut trials: Vec<Trial<'_>> = Vec::new();
    for guess in 0..=MOST_GUESSES {
        for (at, found) in files.iter().enumerate() {
            for (index, entry) in found.file.entries().iter().enumerate() {
                let Some(cost) = entry.hash().cost().filter(|cost| *cost <= MOST_GUESSED_COST) else { continue };
                let password = match guess {
                    0 => KNOWN_PASSWORDS.first().copied().unwrap_or_default(),
                    1 => entry.name(),
                    known => KNOWN_PASSWORDS.get(known - 1).copied().unwrap_or_default(),
                };
                if entry.hash().weakness().is_some() {
                    continue;
                }
                left = match left.checked_sub(1 << cost) {
                    Some(left) => left,
                    None => return trials,
                };
                trials.push((at, index, entry.hash(), password));
            }
        }
    }
    trials
}

/// Which entries (of which file) have a password that everybody knows.
fn guess(files: &[Found]) -> BTreeSet<(usize, usize)> {
    let trials = trials(files);
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get).min(trials.len()).max(1);
    std::thread::scope(|scope| {
        let part = trials.len().div_ceil(threads).max(1);
        let workers: Vec<_> = trials
            .chunks(part)
            .map(|trials| {
                scope.spawn(move || {
                    let opened = trials.iter().filter(|(_, _, hash, password)| hash.verify(password.as_bytes()));
                    opened.map(|(at, index, _, _)| (*at, *index)).collect::<Vec<_>>()
                })
            })
            .collect();
        workers.into_iter().filter_map(|worker| worker.join().ok()).flatten().collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many passwords are tried of so many tenants whose hashes have this cost.
    fn tried(tenants: usize, cost: u32) -> usize {
        let hash = "MwBHgf99y0yyuVKaDTI5eukVNe4.cpO/EZOwOJc9rO341spsLfQ/S";
        let lines: String = (0..tenants).map(|tenant| format!("t{tenant}:$2y${cost}${hash}\n")).collect();
        let at = Home::Disk { file: source::FileId(0), profile: Arc::from("shop") };
        let files = [Found::new(String::new(), "mirror-primary.htpasswd", lines.as_bytes(), at)];
        trials(&files).len()
    }

    /// Of cost 10 thirty-two may be tried in all, of cost 12 eight.
    #[test]
    fn guessing_ends() {
        assert_eq!([tried(1, 10), tried(2, 10), tried(5, 10)], [6, 12, 30]);
        assert_eq!([tried(6, 10), tried(32, 10), tried(33, 10)], [32, 32, 32]);
        assert_eq!([tried(1, 12), tried(2, 12), tried(1, 13)], [6, 8, 0]);
    }
}
