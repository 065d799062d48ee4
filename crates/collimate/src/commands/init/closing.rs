//! What `init` says last: what is in no profile, what it took on trust, and what is left to do.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use alignment::GENERATED;
use camino::Utf8Path;
use findings::plural;
use release::WORKSPACE_FILE;

use super::{Plan, shown};
use crate::discovery::{CHANNEL, Discovery, Part, RELEASE_FILE, Uncommitted};
use crate::ignored::{Ignored, ignored};

/// Images that one sentence names before it only counts: the manifest lists them all.
const MOST_NAMED: usize = 5;

/// Lists under `external` that hold objects of Kubernetes.
const OBJECTS: [&str; 5] = ["config_maps", "secrets", "service_accounts", "volume_claims", "objects"];

/// `root` is `folder`, absolute. Empty if there is nothing to say.
pub(super) fn text(plan: &Plan, root: &Utf8Path, folder: &Utf8Path, discovery: &Discovery) -> String {
    let mut text = String::new();
    let left_out = &discovery.left_out;
    if !left_out.is_empty() {
        text.push_str("\nin no profile:\n");
    }
    // Writing to a string cannot fail, here and below.
    for entry in left_out {
        let reason = source::redact(entry.reason.trim_end()).replace('\n', "\n    ");
        let _ = writeln!(text, "  `{}`: {reason}", printable(entry.path.as_str()));
        if let Some(help) = &entry.help {
            let _ = writeln!(text, "    {}", printable(help));
        }
    }
    let next = steps(plan, root, folder, &discovery.uncommitted);
    if !next.is_empty() {
        text.push_str("\nnext:\n");
    }
    for step in next {
        let _ = writeln!(text, "  {step}");
    }
    findings::disarmed(&text)
}

/// What is left to do, most important first.
fn steps(plan: &Plan, root: &Utf8Path, folder: &Utf8Path, uncommitted: &[Uncommitted]) -> Vec<String> {
    let release = shown(folder, RELEASE_FILE);
    let workspace = shown(folder, WORKSPACE_FILE);
    let mut next = Vec::new();
    next.extend([WORKSPACE_FILE, RELEASE_FILE].iter().filter_map(|path| take_in(path, root, folder)));
    next.extend(uncommitted.iter().map(|uncommitted| commit(uncommitted, folder)));
    let components = &plan.components;
    if !components.moved.is_empty() {
        next.push(format!(
            "one tag is in use with several digests, of {}: keep one of them in `{release}`; `collimate pin` then writes it everywhere",
            named(&components.moved)
        ));
    }
    if !components.divided.is_empty() {
        next.push(format!(
            "several tags are in use of {}: `{release}` lists each; keep one, or give the profiles that differ a channel of their own, \
             where they should move together",
            named(&components.divided)
        ));
    }
    if !plan.built.is_empty() {
        next.push(format!(
            "services build {}: `{workspace}` allows that under `unmanaged`; list in `{release}` what is released, and take `build:` away \
             where that is to run",
            named(&plan.built.iter().cloned().collect::<Vec<_>>())
        ));
    }
    if let Some((objects, them)) = plan.counted(&OBJECTS, "object") {
        next.push(format!(
            "no profile renders {objects} that a chart needs: `{workspace}` lists {them} under `external`, as made elsewhere; take out \
             what is not"
        ));
    }
    if let Some((variables, them)) = plan.counted(&["variables"], "variable") {
        next.push(format!(
            "no file sets {variables} that Compose files use: `{workspace}` lists {them} under `external`, as set by the operator; \
             `collimate check --env-file FILE PROFILE` looks at the operator's file"
        ));
    }
    if let Some((paths, them)) = plan.counted(&[GENERATED], "path") {
        next.push(format!(
            "services mount {paths} that no clone has: `{workspace}` lists {them} under `generated`, as made by tooling or at run time; \
             take out what should be committed"
        ));
    }
    if let Some((services, them)) = plan.counted(&["healthchecks"], "service") {
        next.push(format!(
            "others wait for the health of {services} without a `healthcheck`: `{workspace}` lists {them} under `external`, as brought by \
             the image; take out what brings none"
        ));
    }
    for rule in &plan.policies {
        next.push(format!(
            "`{rule}` is a matter of policy, and only a warning in `{workspace}`: `collimate check --explain {rule}` says what it asks for"
        ));
    }
    if components.unresolved() > 0 {
        next.push(format!(
            "write the digests of a registry for `unresolved` in `{release}`, as `collimate release resolve {CHANNEL}` does; `collimate pin` \
             then carries them into the profiles"
        ));
    }
    next
}

/// What to do about a file of ours that git would not take.
fn take_in(path: &str, root: &Utf8Path, folder: &Utf8Path) -> Option<String> {
    let Ignored { file, pattern } = ignored(root, Utf8Path::new(path))?;
    let (pattern, file) = (printable(&pattern), printable(file.as_str()));
    Some(format!(
        "git ignores `{}`, so that a clone lacks it: take `{pattern}` out of `{file}`, or force it in with `git add --force`",
        shown(folder, path)
    ))
}

/// What to do about a file that no clone has.
fn commit(uncommitted: &Uncommitted, folder: &Utf8Path) -> String {
    let Uncommitted { path, part, profiles } = uncommitted;
    let path = printable(&shown(folder, path.as_str()));
    let way_out = match part {
        Part::Named => "commit it, or take it out of the profile",
        Part::Variables => "commit an example of it, such as `.env.example`, and name that under `env`",
        Part::OfService => {
            "make it there from a committed example before anything is checked, or let `env_file` do without it (`required: false`)"
        }
    };
    format!("git does not have `{path}`, so that a clone lacks it: it is part of {}; {way_out}", named(profiles))
}

impl Plan {
    /// How many there are in these lists, and the word for them. One name that several profiles need is one thing to look at.
    fn counted(&self, keys: &[&str], what: &str) -> Option<(String, &'static str)> {
        let declared = self.declared.iter().filter(|declared| keys.contains(&declared.key));
        let names: BTreeSet<(&str, &str)> = declared.map(|declared| (declared.key, declared.name.as_str())).collect();
        let them = if names.len() == 1 { "it" } else { "them" };
        (!names.is_empty()).then(|| (plural(names.len(), what), them))
    }
}

fn named(images: &[String]) -> String {
    let mut names: Vec<String> = images.iter().take(MOST_NAMED).map(|name| format!("`{name}`")).collect();
    if images.len() > MOST_NAMED {
        names.push(format!("{} more", images.len() - MOST_NAMED));
    }
    names.join(", ")
}

/// Names come from files of others: on one line, without what a terminal obeys or nobody sees.
fn printable(text: &str) -> String {
    source::redact(text.trim_end()).replace('\n', "\u{fffd}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_images_are_named_and_more_are_counted() {
        let names = |count: usize| named(&(0..count).map(|number| number.to_string()).collect::<Vec<_>>());
        assert_eq!(names(5), "`0`, `1`, `2`, `3`, `4`");
        assert_eq!(names(7), "`0`, `1`, `2`, `3`, `4`, 2 more");
    }
}
