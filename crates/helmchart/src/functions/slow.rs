//! Work that takes long: keys, password hashes, large patterns.
//!
//! A render has a budget for it, which is spent before the work is done. Where random values come from a seed, every render with that seed makes the
//! same; then it is made once in a process, however many profiles, looks of lint and traces ask for it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crypto_bigint::BoxedUint;
use gotemplate::FunctionError;

use super::keys::PrivateKey;
use super::random::{Random, Seed};

/// How much slow work one render may ask for, in units of 5 ms: one second. This is eighteen certificates, or eleven password hashes; from a
/// seed, whose keys share primes, seventy certificates: Harbor makes its seven anew for every pod that is to restart with them.
const MOST_SLOW_WORK: u32 = 200;

/// Most results that a process keeps. A render makes a few dozen at most, and renders of one workspace mostly the same; only passwords differ.
const MOST_KEPT: usize = 1_000;

/// Keys that were made from a seed.
pub(crate) static KEYS: Memory<PrivateKey> = Memory::new();

/// Primes of theirs.
pub(crate) static PRIMES: Memory<BoxedUint> = Memory::new();

/// Hashes of passwords that need nothing random, or whose salt came from a seed.
pub(crate) static HASHES: Memory<Vec<u8>> = Memory::new();

/// The slow work of one render.
#[derive(Debug, Default)]
pub(crate) struct SlowWork {
    spent: Cell<u32>,
    turns: RefCell<BTreeMap<&'static str, u32>>,
}

/// Results by a name, which is a hash of all that they are made from.
pub(crate) struct Memory<T>(Mutex<BTreeMap<Seed, Arc<Slot<T>>>>);

/// What is made while others wait for it, or why it cannot be made.
type Slot<T> = OnceLock<Result<Arc<T>, String>>;

impl SlowWork {
    /// Takes work off the budget, before it is done.
    pub(crate) fn spend(&self, units: u32) -> Result<(), FunctionError> {
        let spent = self.spent.get().saturating_add(units);
        self.spent.set(spent);
        if spent > MOST_SLOW_WORK {
            return Err(FunctionError::limit(
                "the templates make more keys, password hashes and large patterns than the limit allows",
            ));
        }
        Ok(())
    }

    /// Whether any was spent.
    pub(crate) fn is_begun(&self) -> bool {
        self.spent.get() > 0
    }

    /// The number that the next of `kind` will have, from one.
    pub(crate) fn next(&self, kind: &'static str) -> u32 {
        self.turns.borrow().get(kind).copied().unwrap_or_default() + 1
    }

    /// Makes something of `kind` that depends on `input` and on chance. From a seed, the first of its kind is the same in every render, and so is
    /// the second, whatever else a chart draws in between.
    pub(crate) fn make<T>(
        &self,
        memory: &Memory<T>,
        random: &Random,
        (kind, input): (&'static str, &[u8]),
        make: impl FnOnce(&Random) -> Result<T, FunctionError>,
    ) -> Result<Arc<T>, FunctionError> {
        let mut turns = self.turns.borrow_mut();
        let turn = turns.entry(kind).or_default();
        *turn += 1;
        match random.apart(&[kind.as_bytes(), &turn.to_le_bytes(), input]) {
            Some(seed) => memory.obtain(seed, || make(&Random::seeded(seed))),
            None => make(random).map(Arc::new),
        }
    }
}

impl<T> Memory<T> {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// What was made under this name, or is made now.
    pub(crate) fn obtain(
        &self,
        name: Seed,
        make: impl FnOnce() -> Result<T, FunctionError>,
    ) -> Result<Arc<T>, FunctionError> {
        let Some(slot) = self.slot(name) else { return make().map(Arc::new) };
        let made = slot.get_or_init(|| make().map(Arc::new).map_err(|error| error.to_string()));
        made.clone().map_err(FunctionError::new)
    }

    /// Not held while something is made: only who wants the same waits.
    fn slot(&self, name: Seed) -> Option<Arc<Slot<T>>> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let has_room = slots.len() < MOST_KEPT || slots.contains_key(&name);
        has_room.then(|| Arc::clone(slots.entry(name).or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(number: usize) -> Seed {
        super::super::random::hash(&[&number.to_le_bytes()])
    }

    #[test]
    fn the_budget_ends() {
        let work = SlowWork::default();
        assert!((0..4).all(|_| work.spend(MOST_SLOW_WORK / 4).is_ok()));
        assert!(work.spend(1).unwrap_err().is_limit());
    }

    #[test]
    fn what_is_kept_is_made_once_and_what_is_too_much_is_not_kept() {
        let (memory, made) = (Memory::new(), Cell::new(0));
        let obtain = |number: usize| {
            let make = || {
                made.set(made.get() + 1);
                Ok(number)
            };
            *memory.obtain(name(number), make).unwrap()
        };
        for _ in 0..2 {
            assert!((0..MOST_KEPT).all(|number| obtain(number) == number));
        }
        assert_eq!(made.get(), MOST_KEPT);
        assert_eq!((obtain(MOST_KEPT), obtain(MOST_KEPT), obtain(0)), (MOST_KEPT, MOST_KEPT, 0));
        assert_eq!(made.get(), MOST_KEPT + 2);
    }

    #[test]
    fn renders_with_one_seed_share_and_the_system_s_do_not() {
        let (memory, made) = (Memory::new(), Cell::new(0));
        let drawn = |work: &SlowWork, random: &Random, kind| {
            let make = |random: &Random| {
                made.set(made.get() + 1);
                random.array::<16>()
            };
            *work.make(&memory, random, (kind, b"input"), make).unwrap()
        };
        let render = |random: &Random, noise: usize| {
            let work = SlowWork::default();
            random.fill(&mut vec![0; noise]).unwrap();
            ["a", "a", "b"].map(|kind| drawn(&work, random, kind))
        };
        let first = render(&Random::seeded([1; 32]), 0);
        assert_eq!(render(&Random::seeded([1; 32]), 100), first);
        assert_eq!(made.get(), 3);
        let all: std::collections::BTreeSet<_> =
            [first, render(&Random::seeded([2; 32]), 0), render(&Random::System, 0), render(&Random::System, 0)]
                .concat()
                .into_iter()
                .collect();
        assert_eq!((all.len(), made.get()), (12, 12));
    }
}
