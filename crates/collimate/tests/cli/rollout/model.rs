//! Random sequences of commands against a simple model of what they mean: every profile byte for byte, after every step.

use std::collections::{BTreeMap, BTreeSet};

use super::fixture::{Fixture, GREEN, Release, SERVICES, manifest, profile, reference, release};

const RINGS: [&str; 2] = ["stage", "prod"];
const PROFILES: [&str; 3] = ["compose/dev.yaml", "compose/stage.yaml", "compose/prod.yaml"];

/// Deterministic: a failure names its seed and can be run again.
pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn one_in(&mut self, most: u64) -> bool {
        self.below(most) == 0
    }

    pub(crate) fn of<'a>(&mut self, texts: &[&'a str]) -> &'a str {
        let index = usize::try_from(self.below(texts.len() as u64)).unwrap();
        texts[index]
    }

    pub(crate) fn below(&mut self, most: u64) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % most
    }
}

/// What last happened to a ring.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Nothing,
    Promotion,
    Rollback,
}

struct Model {
    edge: Release,
    stable: Release,
    /// The release that a ring names; `None`: it follows.
    own: [Option<Release>; 2],
    /// Marks of each ring, oldest first, with the number of the entry.
    good: [Vec<(usize, Release)>; 2],
    last: [Last; 2],
    is_held: bool,
    /// Version of edge that stable was promoted from.
    promoted: Option<Release>,
    limits: [u32; 3],
    /// Of each ring, the limit that its profile had when a version was last left.
    left: [BTreeMap<String, u32>; 2],
    /// What was last seen to run from a profile: the version that it was held against, and whether it was that.
    ran: BTreeMap<&'static str, (String, bool)>,
    looks: u32,
    /// What the story came to.
    reached: BTreeSet<&'static str>,
    entries: usize,
    releases: u32,
}

impl Model {
    fn new() -> Self {
        Self {
            edge: release("1.1.0-edge", [2, 1]),
            stable: release("1.0.0", [1, 1]),
            own: [None, None],
            good: [Vec::new(), Vec::new()],
            last: [Last::Nothing, Last::Nothing],
            is_held: false,
            promoted: None,
            limits: [0; 3],
            left: [BTreeMap::new(), BTreeMap::new()],
            ran: BTreeMap::new(),
            looks: 0,
            reached: BTreeSet::new(),
            entries: 0,
            releases: 1,
        }
    }

    fn of_ring(&self, ring: usize) -> &Release {
        self.own[ring].as_ref().unwrap_or(&self.stable)
    }

    fn following(&self) -> Vec<usize> {
        (0..2).filter(|ring| self.own[*ring].is_none()).collect()
    }

    fn files(&self) -> [(&'static str, String); 3] {
        [
            ("compose/dev.yaml", profile("edge", &self.edge, self.limits[0])),
            ("compose/stage.yaml", profile("stable", self.of_ring(0), self.limits[1])),
            ("compose/prod.yaml", profile("stable", self.of_ring(1), self.limits[2])),
        ]
    }

    /// A new release of edge, from a build or by hand.
    fn release(&mut self, fixture: &Fixture, chance: &mut Chance) {
        self.releases += 1;
        let tags = [2 + self.releases, u32::try_from(chance.below(4)).unwrap()];
        self.edge = release(&format!("1.{}.0-edge", self.releases), tags);
        if chance.below(2) == 0 {
            let built: String =
                SERVICES.iter().zip(tags).map(|(service, tag)| reference(service, tag) + "\n").collect();
            fixture.sandbox.write("built.txt", built);
            fixture.run(&["release", "new", &self.edge.version, "--channel", "edge", "--from-file", "built.txt"], 0);
            return;
        }
        fixture.sandbox.write("releases/edge.yaml", manifest("edge", &self.edge));
        fixture.run(&["pin", "edge"], 0);
    }

    fn edit(&mut self, fixture: &Fixture, chance: &mut Chance) {
        let which = usize::try_from(chance.below(3)).unwrap();
        self.limits[which] += 1;
        let (path, text) = &self.files()[which];
        fixture.sandbox.write(path, text);
    }

    /// Notes that a ring leaves what it holds.
    fn leave(&mut self, ring: usize) {
        let version = self.of_ring(ring).version.clone();
        self.left[ring].insert(version, self.limits[ring + 1]);
    }

    fn promote(&mut self, fixture: &Fixture, chance: &mut Chance) {
        if self.promoted.as_ref() == Some(&self.edge) {
            fixture.run(&["promote", "edge", "stable"], 0);
        } else if self.is_held {
            fixture.run(&["promote", "edge", "stable"], 1);
        } else {
            let before = fixture.snapshot_of(&PROFILES);
            fixture.run(&["promote", "edge", "stable"], 0);
            let was = self.stable.clone();
            if chance.below(2) == 0 {
                // Whatever came before: undone at once, every profile has the bytes that it had, and nobody is asked anything.
                let copy = fixture.copy();
                copy.run(&["rollback", "stable/stage", "--to", &was.version, "--reason", "at once"], 0);
                assert_eq!(copy.snapshot_of(&PROFILES), before);
                self.reached.insert("undone at once");
            }
            self.leave(0);
            for ring in self.own.iter_mut().skip(1) {
                ring.get_or_insert_with(|| was.clone());
            }
            self.own[0] = None;
            let version = self.edge.version.trim_end_matches("-edge");
            self.stable = release(version, self.edge.tags);
            self.promoted = Some(self.edge.clone());
            self.last[0] = Last::Promotion;
            self.entries += 1;
        }
    }

    fn advance(&mut self, fixture: &Fixture) {
        let is_good = self.good[0].iter().any(|(_, good)| *good == self.stable);
        if self.own[1].is_none() {
            fixture.run(&["advance", "stable", "prod"], 0);
        } else if self.is_held || !is_good {
            fixture.run(&["advance", "stable", "prod"], 1);
        } else {
            fixture.run(&["advance", "stable", "prod"], 0);
            self.leave(1);
            self.own[1] = None;
            self.reached.insert("advanced");
            self.last[1] = Last::Promotion;
            self.entries += 1;
        }
    }

    /// Somebody looks at what runs from a profile: what it holds, or the release before with one image of another.
    fn look(&mut self, fixture: &Fixture, chance: &mut Chance) {
        let which = usize::try_from(chance.below(3)).unwrap();
        let held = if which == 0 { &self.edge } else { self.of_ring(which - 1) }.clone();
        let is_right = chance.below(2) == 0;
        self.looks += 1;
        let tags = if is_right { held.tags } else { [held.tags[0] + 100, held.tags[1]] };
        let images: Vec<String> =
            SERVICES.iter().zip(tags).map(|(service, tag)| format!("\"{}\"", reference(service, tag))).collect();
        let seen = format!("2026-01-01T{:02}:{:02}:00Z", self.looks / 60, self.looks % 60);
        let text = format!("{{\"schema\": 1, \"seen\": \"{seen}\", \"images\": [{}]}}", images.join(", "));
        fixture.sandbox.write("ran.json", text);
        let name = ["dev", "stage", "prod"][which];
        let exit = if is_right { 0 } else { 1 };
        fixture.run(&["record", "deploy", name, "--site", "here", "--evidence", "ran.json"], exit);
        self.ran.insert(name, (held.version, is_right));
        self.reached.insert(if is_right { "ran" } else { "ran something else" });
        self.entries += 1;
    }

    #[track_caller]
    fn ran_as_the_model_says(&self, fixture: &Fixture) {
        if self.ran.is_empty() {
            return;
        }
        let told = fixture.run(&["history", "--at", "2999-01-01", "--site", "here"], 0).stdout;
        assert_eq!(told.lines().count(), 1 + self.ran.len(), "{told}");
        for (name, (version, is_right)) in &self.ran {
            let line = told.lines().find(|line| line.starts_with(&format!("{name} "))).unwrap();
            let ran = if *is_right {
                format!("  ran {version}, seen ")
            } else {
                format!("  ran NOT as {version} lists (other web), seen ")
            };
            assert!(line.contains(&ran), "{ran}\n{told}");
        }
    }

    fn mark_good(&mut self, fixture: &Fixture, chance: &mut Chance) {
        let rings = match chance.below(3) {
            0 => self.following(),
            ring => vec![usize::try_from(ring - 1).unwrap()],
        };
        let name = if rings.len() == 1 { format!("stable/{}", RINGS[rings[0]]) } else { "stable".to_owned() };
        fixture.run(&["mark-good", &name, "--evidence", "smoke.json"], 0);
        let is_known = |ring: &usize| self.good[*ring].iter().any(|(_, good)| good == self.of_ring(*ring));
        if rings.iter().all(is_known) {
            return;
        }
        self.entries += 1;
        for ring in rings {
            let held = self.of_ring(ring).clone();
            self.good[ring].retain(|(_, good)| *good != held);
            self.good[ring].push((self.entries, held));
        }
    }

    fn rollback(&mut self, fixture: &Fixture, chance: &mut Chance) {
        let asked = chance.below(3);
        let (name, rings) = match asked {
            0 => ("stable".to_owned(), self.following()),
            ring => {
                let ring = usize::try_from(ring - 1).unwrap();
                (format!("stable/{}", RINGS[ring]), vec![ring])
            }
        };
        let with = |more: &[&str], exit: i32| {
            fixture.run(&[&["rollback", &name, "--reason", "it broke"], more].concat(), exit)
        };
        let run = |exit: i32| with(&[], exit);
        let from = self.of_ring(rings[0]).clone();
        if self.last[rings[0]] == Last::Rollback && self.is_held {
            run(0);
            return;
        }
        let mut known: Vec<&(usize, Release)> = rings.iter().flat_map(|ring| &self.good[*ring]).collect();
        known.sort_by_key(|(entry, _)| *entry);
        let Some(target) = known.into_iter().rfind(|(_, good)| *good != from).map(|(_, good)| good.clone()) else {
            run(1);
            return;
        };
        // What else changed since the release was left must be decided; where nothing did, nobody is asked.
        let was = |ring: usize| self.left[ring].get(&target.version).copied();
        let is_changed = |ring: &usize| was(*ring).is_some_and(|limit| limit != self.limits[ring + 1]);
        if rings.iter().any(is_changed) {
            run(1);
            with(&["--with-config"], 1);
            if chance.below(2) == 0 {
                with(&["--keep-config"], 0);
                self.reached.insert("kept");
            } else {
                for ring in rings.clone() {
                    let Some(limit) = was(ring) else { continue };
                    fixture.sandbox.write(PROFILES[ring + 1], profile("stable", self.of_ring(ring), limit));
                    self.limits[ring + 1] = limit;
                }
                with(&["--with-config"], 0);
                self.reached.insert("restored");
            }
        } else if chance.below(2) == 0 {
            with(&["--with-config"], 0);
        } else {
            run(0);
        }
        rings.iter().for_each(|ring| self.leave(*ring));
        self.entries += 2;
        self.is_held = true;
        for ring in &rings {
            self.good[*ring].retain(|(_, good)| *good != from);
            self.last[*ring] = Last::Rollback;
        }
        if rings == [1] && asked != 0 {
            self.own[1] = Some(target);
            return;
        }
        if !rings.contains(&1) {
            self.own[1].get_or_insert_with(|| from.clone());
        }
        // Back to a release that came from edge, or to the first one, which was made by hand.
        let tags = target.tags;
        self.promoted = (target.version != "1.0.0").then(|| release(&format!("{}-edge", target.version), tags));
        self.stable = target;
    }

    fn hold(&mut self, fixture: &Fixture, chance: &mut Chance) {
        if chance.below(2) == 0 {
            fixture.run(&["hold", "set", "stable", "--reason", "a freeze"], 0);
            self.is_held = true;
        } else {
            fixture.run(&["hold", "lift", "stable"], 0);
            self.is_held = false;
        }
    }
}

#[track_caller]
fn play(seed: u64, steps: usize) -> BTreeSet<&'static str> {
    let (fixture, mut chance, mut model) = (Fixture::new(), Chance(seed), Model::new());
    fixture.sandbox.write("smoke.json", GREEN);
    for step in 0..steps {
        match chance.below(16) {
            0 | 1 => model.release(&fixture, &mut chance),
            2 | 3 => model.edit(&fixture, &mut chance),
            4..=6 => model.promote(&fixture, &mut chance),
            7 | 8 => model.mark_good(&fixture, &mut chance),
            9 | 10 => model.rollback(&fixture, &mut chance),
            11 | 12 => model.advance(&fixture),
            13 => model.look(&fixture, &mut chance),
            _ => model.hold(&fixture, &mut chance),
        }
        model.ran_as_the_model_says(&fixture);
        for (path, expected) in model.files() {
            assert_eq!(fixture.sandbox.read(path), expected, "`{path}` after step {step} of seed {seed}");
        }
        fixture.is_sound();
    }
    let moves = ["promotion", "advance", "rollback", "mark-good", "deployment"];
    let told = fixture.run(&["history"], 0).stdout;
    let counted = told.lines().filter(|line| moves.iter().any(|kind| line.contains(&format!("  {kind} ")))).count();
    let holds_of_rollbacks = told.lines().filter(|line| line.contains("  hold ") && line.contains("it broke")).count();
    assert_eq!(counted + holds_of_rollbacks, model.entries, "seed {seed}\n{told}");
    model.reached
}

#[test]
fn five_stories_of_forty_steps_go_as_the_model_says() {
    let reached: BTreeSet<&str> = std::thread::scope(|scope| {
        let stories: Vec<_> = (1..=5).map(|seed| scope.spawn(move || play(seed, 40))).collect();
        stories.into_iter().flat_map(|story| story.join().unwrap()).collect()
    });
    let all = ["advanced", "kept", "ran", "ran something else", "restored", "undone at once"];
    assert_eq!(reached.into_iter().collect::<Vec<_>>(), all, "a story that misses something proves nothing of it");
}
