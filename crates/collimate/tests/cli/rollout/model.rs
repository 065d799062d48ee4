//! Random sequences of commands against a simple model of what they mean: every profile byte for byte, after every step.

use super::fixture::{Fixture, GREEN, Release, manifest, profile, release};

const RINGS: [&str; 2] = ["stage", "prod"];

/// Deterministic: a failure names its seed and can be run again.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
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

    /// A new release of edge, by hand.
    fn release(&mut self, fixture: &Fixture, chance: &mut Chance) {
        self.releases += 1;
        let tags = [2 + self.releases, u32::try_from(chance.below(4)).unwrap()];
        self.edge = release(&format!("1.{}.0-edge", self.releases), tags);
        fixture.sandbox.write("releases/edge.yaml", manifest("edge", &self.edge));
        fixture.run(&["pin", "edge"], 0);
    }

    fn edit(&mut self, fixture: &Fixture, chance: &mut Chance) {
        let which = usize::try_from(chance.below(3)).unwrap();
        self.limits[which] += 1;
        let (path, text) = &self.files()[which];
        fixture.sandbox.write(path, text);
    }

    fn promote(&mut self, fixture: &Fixture) {
        if self.promoted.as_ref() == Some(&self.edge) {
            fixture.run(&["promote", "edge", "stable"], 0);
        } else if self.is_held {
            fixture.run(&["promote", "edge", "stable"], 1);
        } else {
            fixture.run(&["promote", "edge", "stable"], 0);
            let was = self.stable.clone();
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
        let run = |exit: i32| fixture.run(&["rollback", &name, "--reason", "it broke"], exit);
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
        run(0);
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
fn play(seed: u64, steps: usize) {
    let (fixture, mut chance, mut model) = (Fixture::new(), Chance(seed), Model::new());
    fixture.sandbox.write("smoke.json", GREEN);
    for step in 0..steps {
        match chance.below(12) {
            0 | 1 => model.release(&fixture, &mut chance),
            2 => model.edit(&fixture, &mut chance),
            3..=5 => model.promote(&fixture),
            6 | 7 => model.mark_good(&fixture, &mut chance),
            8 | 9 => model.rollback(&fixture, &mut chance),
            _ => model.hold(&fixture, &mut chance),
        }
        for (path, expected) in model.files() {
            assert_eq!(fixture.sandbox.read(path), expected, "`{path}` after step {step} of seed {seed}");
        }
        fixture.is_sound();
    }
    let moves = ["promotion", "rollback", "mark-good"];
    let told = fixture.run(&["history"], 0).stdout;
    let counted = told.lines().filter(|line| moves.iter().any(|kind| line.contains(&format!("  {kind} ")))).count();
    let holds_of_rollbacks = told.lines().filter(|line| line.contains("  hold ") && line.contains("it broke")).count();
    assert_eq!(counted + holds_of_rollbacks, model.entries, "seed {seed}\n{told}");
}

#[test]
fn four_stories_of_forty_steps_go_as_the_model_says() {
    std::thread::scope(|scope| {
        for seed in 1..=4 {
            scope.spawn(move || play(seed, 40));
        }
    });
}
