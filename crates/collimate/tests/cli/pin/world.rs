//! Workspaces that are made from a number: releases, Compose files, charts and values, in every spelling that people use.

use std::collections::{BTreeMap, BTreeSet};

use testkit::{Cli, Sandbox};

use super::chart::Chart;
use super::compose::{self, Parts, Shape};
use super::image::{Component, Held, REGISTRY};
use super::slots::{changing_lines, now, slot, want};
use crate::rollout::model::Chance;

/// Files by path; their texts hold slots.
#[derive(Debug, Default)]
pub(crate) struct Files(pub(crate) BTreeMap<String, String>);

impl Files {
    /// Adds a file as some editor would have saved it.
    pub(crate) fn put(&mut self, chance: &mut Chance, path: &str, mut text: String) {
        if chance.one_in(5) {
            text = text.replace('\n', "\r\n");
        }
        if chance.one_in(4) && !text.ends_with("\\\n") {
            text.truncate(text.trim_end_matches(['\r', '\n']).len());
        }
        if chance.one_in(6) {
            text.insert(0, '\u{feff}');
        }
        assert!(self.0.insert(path.to_owned(), text).is_none(), "{path} is made twice");
    }
}

/// A workspace, and what `pin` must make of it.
pub(crate) struct World {
    pub(crate) seed: u64,
    pub(crate) files: Files,
    /// Components that cannot be written, with the references that a refusal must name. Empty: all can.
    pub(crate) refused: BTreeSet<String>,
    /// Whether `--tag-with-digest` is given.
    pub(crate) tag_with_digest: bool,
    pub(crate) profiles: Vec<Profile>,
}

pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) source: String,
    /// The references that it must use afterwards, sorted.
    pub(crate) references: BTreeSet<String>,
}

const CHANNELS: [&str; 2] = ["edge", "stable"];
const NAMES: [&str; 5] = ["web", "worker", "mailer", "store", "proxy"];

fn version(channel: &str) -> String {
    if channel == "edge" { "2.1.0-edge".to_owned() } else { "2.0.3".to_owned() }
}

fn manifest(channel: &str, components: &[Component]) -> String {
    let mut text = format!(
        "schema: 1\nversion: {}\nchannel: {channel}\ndate: 2026-01-01T00:00:00Z\ndigests: resolved\ncomponents:\n",
        version(channel)
    );
    for component in components {
        text.push_str(&format!(
            "  {}: {{image: \"{REGISTRY}/{}\", tag: \"{}\", digest: \"sha256:{}\"}}\n",
            component.name,
            component.repository(),
            component.tag,
            component.digest
        ));
    }
    text
}

impl World {
    /// `is_refused`: one image at least is written in a way that `pin` cannot edit.
    pub(crate) fn new(seed: u64, is_refused: bool) -> Self {
        let mut chance = Chance(seed);
        let mut world = Self {
            seed,
            files: Files::default(),
            refused: BTreeSet::new(),
            tag_with_digest: chance.one_in(2),
            profiles: Vec::new(),
        };
        let count = 2 + usize::try_from(chance.below(4)).unwrap();
        let mut releases: Vec<Vec<Component>> = Vec::new();
        for _ in CHANNELS {
            releases.push(NAMES[..count].iter().map(|name| Component::any(&mut chance, name)).collect());
        }
        // What both channels have alike, they may share.
        let (first, second) = releases.split_at_mut(1);
        for (own, other) in second[0].iter_mut().zip(&first[0]) {
            if chance.one_in(3) {
                *own = other.clone();
            }
        }
        for (channel, components) in CHANNELS.iter().zip(&releases) {
            world.files.0.insert(format!("releases/{channel}.yaml"), manifest(channel, components));
        }
        // Which kinds of profiles there are: Compose of one channel, of both, charts likewise, or all.
        let kinds = 1 + chance.below(3);
        let channels = if chance.one_in(2) { 1 } else { 2 };
        let trouble =
            is_refused.then(|| (chance.below(kinds.min(2)), usize::try_from(chance.below(count as u64)).unwrap()));
        if kinds & 1 == 1 {
            let broken = trouble.filter(|(kind, _)| *kind == 0 || kinds == 1).map(|(_, index)| index);
            for (at, components) in releases.iter().enumerate().take(channels) {
                world.compose(&mut chance, at, components, broken.filter(|_| at == 0));
            }
            if channels == 2 && chance.one_in(3) {
                world.shared(&mut chance, &releases, count, is_refused);
            }
        }
        if kinds & 2 == 2 {
            let broken = trouble.filter(|(kind, _)| *kind == 1 || kinds == 2).map(|(_, index)| index);
            world.chart(&mut chance, &releases[..channels], broken);
        }
        world.workspace();
        world
    }

    fn version_slot(chance: &mut Chance, channel: &str) -> String {
        let wanted = version(channel);
        if chance.one_in(2) { slot(&wanted, &wanted) } else { slot("1.9.0", &wanted) }
    }

    fn note(&mut self, shape: Shape, held: &Held) {
        let is_refused = match shape {
            Shape::Written => false,
            Shape::Refused => true,
            Shape::TagWithDigest => !self.tag_with_digest,
        };
        if is_refused {
            self.refused.insert(held.component.reference());
        }
    }

    fn compose(&mut self, chance: &mut Chance, at: usize, components: &[Component], broken: Option<usize>) {
        let channel = CHANNELS[at];
        let mut parts = Parts::default();
        for (index, component) in components.iter().enumerate() {
            let held = Held::any(chance, component);
            let label = Self::version_slot(chance, channel);
            let shape = compose::service(chance, &mut parts, &held, &label, broken == Some(index));
            self.note(shape, &held);
        }
        let name = format!("compose/{channel}");
        let source = parts.write(chance, &mut self.files, &name);
        self.profile(name, channel, source, components);
    }

    /// One Compose file of both channels, for what they have alike; or for what they have not, which cannot be.
    fn shared(&mut self, chance: &mut Chance, releases: &[Vec<Component>], count: usize, is_refused: bool) {
        let is_alike = |index: &usize| releases[0][*index] == releases[1][*index];
        let Some(index) = (0..count).find(|index| is_alike(index) != is_refused) else { return };
        let component = &releases[0][index];
        let held = Held { tag: "0.0.1-shared".to_owned(), ..Held::any(chance, component) };
        self.files.put(
            chance,
            "shared.yaml",
            format!("services:\n  shared:\n    image: {} # both\n", held.reference()),
        );
        for (channel, components) in CHANNELS.iter().zip(releases) {
            if is_refused {
                self.refused.insert(components[index].reference());
            }
            let own = &components[index..=index];
            self.profile(format!("shared/{channel}"), channel, "compose: [shared.yaml]".to_owned(), own);
        }
    }

    fn chart(&mut self, chance: &mut Chance, releases: &[Vec<Component>], broken: Option<usize>) {
        let mut chart = Chart::new(releases.len());
        for index in 0..releases[0].len() {
            let held: Vec<Held> = releases.iter().map(|components| Held::any(chance, &components[index])).collect();
            let labels: Vec<String> =
                CHANNELS[..releases.len()].iter().map(|channel| Self::version_slot(chance, channel)).collect();
            let shape = chart.component(chance, &held, &labels, broken == Some(index));
            held.iter().for_each(|held| self.note(shape, held));
        }
        let channels = &CHANNELS[..releases.len()];
        let names: Vec<String> = channels.iter().map(|channel| (*channel).to_owned()).collect();
        let sources = chart.write(chance, &mut self.files, &names);
        for ((channel, source), components) in channels.iter().zip(sources).zip(releases) {
            self.profile(format!("helm/{channel}"), channel, source, components);
        }
    }

    fn profile(&mut self, name: String, channel: &str, source: String, components: &[Component]) {
        let references = components.iter().map(Component::reference).collect();
        self.profiles.push(Profile { name, source: format!("channel: {channel}, {source}"), references });
    }

    fn workspace(&mut self) {
        let mut text = "schema: 1\nchannels:\n".to_owned();
        for channel in CHANNELS {
            text.push_str(&format!("  {channel}: {{release: releases/{channel}.yaml}}\n"));
        }
        text.push_str("profiles:\n");
        for profile in &self.profiles {
            text.push_str(&format!("  {}: {{{}}}\n", profile.name, profile.source));
        }
        self.files.0.insert("collimate.yaml".to_owned(), text);
    }

    /// The workspace on disk, before `pin`.
    pub(crate) fn on_disk(&self) -> Sandbox {
        let sandbox = Sandbox::new();
        for (path, text) in &self.files.0 {
            sandbox.write(path, now(text));
        }
        sandbox
    }

    pub(crate) fn pin(&self) -> Vec<&'static str> {
        if self.tag_with_digest { vec!["pin", "--tag-with-digest"] } else { vec!["pin"] }
    }

    /// What every file must hold after `pin`.
    pub(crate) fn expected(&self) -> BTreeMap<String, String> {
        let end = if self.refused.is_empty() { want } else { now };
        self.files.0.iter().map(|(path, text)| (path.clone(), end(text))).collect()
    }

    /// Whether anything is to be written.
    pub(crate) fn changes(&self) -> bool {
        self.files.0.values().any(|text| !changing_lines(text).is_empty())
    }
}

/// A digest that is easy to tell.
pub(crate) fn digest(digit: char) -> String {
    format!("sha256:{}", digit.to_string().repeat(64))
}

pub(crate) fn program(sandbox: &Sandbox, arguments: &[&str]) -> Cli {
    Cli::new(env!("CARGO_BIN_EXE_collimate")).folder(sandbox.root()).args(arguments.iter().copied())
}

/// Every file with its text.
pub(crate) fn files(sandbox: &Sandbox) -> BTreeMap<String, String> {
    sandbox.files().into_iter().map(|path| (path.to_string(), sandbox.read(&path))).collect()
}
