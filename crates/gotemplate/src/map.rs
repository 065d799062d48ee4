//! Go maps with string keys: shared, changed in place, walked in key order.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use source::Text;

use crate::list::{drop_all, take_composites};
use crate::{Type, Value};

thread_local! {
    static CHANGES: Cell<u64> = const { Cell::new(0) };
    static VOLATILE_READS: Cell<u64> = const { Cell::new(0) };
}

fn count(counter: &'static std::thread::LocalKey<Cell<u64>>) {
    counter.set(counter.get().wrapping_add(1));
}

/// A map with its Go type. A clone is the same map: what one inserts, all see.
#[derive(Clone)]
pub struct Map(Rc<Inner>);

struct Inner {
    go_type: Type,
    nil: bool,
    entries: Rc<RefCell<BTreeMap<Text, Value>>>,
    /// See [`Map::with_volatile`].
    volatile: Option<&'static str>,
}

impl Map {
    /// An empty `map[string]interface {}`.
    #[must_use]
    pub fn new() -> Self {
        Self::typed(Type::MAP)
    }

    /// An empty map of this type: a [`Type::Map`] or a named one.
    #[must_use]
    pub fn typed(go_type: Type) -> Self {
        Self(Rc::new(Inner { go_type, nil: false, entries: Rc::default(), volatile: None }))
    }

    /// The nil map of this type: empty, and JSON prints it as `null`. (Go panics when one is written to: check
    /// [`Map::is_nil`] before [`Map::insert`].)
    #[must_use]
    pub fn nil(go_type: Type) -> Self {
        Self(Rc::new(Inner { go_type, nil: true, entries: Rc::default(), volatile: None }))
    }

    /// An empty `map[string]interface {}` whose entry `key` the caller changes again and again: instead of its changes, looks at it are
    /// counted ([`Map::volatile_reads`]).
    #[must_use]
    pub fn with_volatile(key: &'static str) -> Self {
        Self(Rc::new(Inner { go_type: Type::MAP, nil: false, entries: Rc::default(), volatile: Some(key) }))
    }

    /// How often this thread has changed a map that more than one holds. While it stays, a template that is run again over the same values
    /// prints the same, unless it has looked at what is volatile or asks functions for more.
    #[must_use]
    pub fn changes() -> u64 {
        CHANGES.get()
    }

    /// How often this thread has looked at volatile entries.
    #[must_use]
    pub fn volatile_reads() -> u64 {
        VOLATILE_READS.get()
    }

    /// The map's type.
    #[must_use]
    pub fn go_type(&self) -> Type {
        self.0.go_type
    }

    /// The type of its elements; [`Type::Any`] if the type is no map.
    #[must_use]
    pub fn element_type(&self) -> Type {
        self.0.go_type.element().unwrap_or(Type::Any)
    }

    /// Whether it is a nil map.
    #[must_use]
    pub fn is_nil(&self) -> bool {
        self.0.nil
    }

    /// Whether both are the same map (not only equal ones).
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0.entries, &other.0.entries)
    }

    /// The same map under another type, as Go's conversion gives: `Values(m)` shares the entries of `m`.
    #[must_use]
    pub fn retyped(&self, go_type: Type) -> Self {
        let entries = Rc::clone(&self.0.entries);
        Self(Rc::new(Inner { go_type, nil: self.0.nil, entries, volatile: self.0.volatile }))
    }

    /// Tells maps apart, as long as they live and whatever their type; of no other meaning.
    pub(crate) fn address(&self) -> usize {
        Rc::as_ptr(&self.0.entries).addr()
    }

    /// Tells handles apart as long as they live: a map under another type has another one. Of no other meaning.
    #[must_use]
    pub fn handle(&self) -> usize {
        Rc::as_ptr(&self.0).addr()
    }

    /// Whether it was made by [`Map::with_volatile`].
    #[must_use]
    pub fn is_volatile(&self) -> bool {
        self.0.volatile.is_some()
    }

    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.entries.borrow().len()
    }

    /// Whether there are no entries.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.entries.borrow().is_empty()
    }

    /// The value under `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<Value> {
        if self.0.volatile.is_some_and(|volatile| volatile == key) {
            count(&VOLATILE_READS);
        }
        self.0.entries.borrow().get(key).cloned()
    }

    /// Whether there is an entry for `key`.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.0.entries.borrow().contains_key(key)
    }

    /// Sets an entry, in place; gives back what was there.
    pub fn insert(&self, key: impl Into<Text>, value: Value) -> Option<Value> {
        let key = key.into();
        self.count_change(&key);
        self.0.entries.borrow_mut().insert(key, value)
    }

    /// Takes an entry out, in place.
    pub fn remove(&self, key: &str) -> Option<Value> {
        self.count_change(key);
        self.0.entries.borrow_mut().remove(key)
    }

    /// A map that only one holds is still being made: nobody has seen it.
    fn count_change(&self, key: &str) {
        let is_shared = Rc::strong_count(&self.0) > 1 || Rc::strong_count(&self.0.entries) > 1;
        if is_shared && self.0.volatile.is_none_or(|volatile| volatile != key) {
            count(&CHANGES);
        }
    }

    fn look_at_all(&self) -> std::cell::Ref<'_, BTreeMap<Text, Value>> {
        if self.0.volatile.is_some() {
            count(&VOLATILE_READS);
        }
        self.0.entries.borrow()
    }

    /// The keys, sorted by bytes.
    #[must_use]
    pub fn keys(&self) -> Vec<Text> {
        self.0.entries.borrow().keys().cloned().collect()
    }

    /// The values, in key order.
    #[must_use]
    pub fn values(&self) -> Vec<Value> {
        self.look_at_all().values().cloned().collect()
    }

    /// The entries in key order, as they are now: changes made while walking over them are not seen.
    #[must_use]
    pub fn entries(&self) -> Vec<(Text, Value)> {
        self.look_at_all().iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// Calls `look` for each entry in key order, without copying. `look` must not change this map (such a change is
    /// what [`Map::entries`] is for).
    pub fn for_each(&self, mut look: impl FnMut(&Text, &Value)) {
        for (key, value) in self.look_at_all().iter() {
            look(key, value);
        }
    }

    /// Whether `look` is true of any value: not a look that templates take, so that it is not counted.
    pub(crate) fn try_any<E>(&self, mut look: impl FnMut(&Value) -> Result<bool, E>) -> Result<bool, E> {
        for value in self.0.entries.borrow().values() {
            if look(value)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether nobody else holds the map.
    pub(crate) fn is_new(&self) -> bool {
        Rc::strong_count(&self.0) == 1 && Rc::strong_count(&self.0.entries) == 1
    }

    /// Whether both are of one type and have the same keys, and `holds` of the values of each.
    pub(crate) fn pairs_with(&self, other: &Self, mut holds: impl FnMut(&Value, &Value) -> bool) -> bool {
        let (ours, theirs) = (self.0.entries.borrow(), other.0.entries.borrow());
        (self.go_type(), self.is_nil(), ours.len()) == (other.go_type(), other.is_nil(), theirs.len())
            && ours.iter().zip(theirs.iter()).all(|((key, a), (other, b))| key == other && holds(a, b))
    }

    /// A new map of the same type with the same entries; the values are shared.
    #[must_use]
    pub fn shallow_copy(&self) -> Self {
        let entries = Rc::new(RefCell::new(self.look_at_all().clone()));
        Self(Rc::new(Inner { go_type: self.0.go_type, nil: self.0.nil, entries, volatile: None }))
    }

    /// Moves the composite values out, if this is the last handle: see [`drop_all`].
    pub(crate) fn give_up(self, pending: &mut Vec<Value>) {
        if let Some(mut inner) = Rc::into_inner(self.0) {
            inner.give_up(pending);
        }
    }
}

impl Inner {
    fn give_up(&mut self, pending: &mut Vec<Value>) {
        if let Some(entries) = Rc::get_mut(&mut self.entries) {
            take_composites(entries.get_mut().values_mut(), pending);
        }
    }
}

/// Maps nest as lists do, so dropping must not recurse.
impl Drop for Inner {
    fn drop(&mut self) {
        let mut pending = Vec::new();
        self.give_up(&mut pending);
        drop_all(pending);
    }
}

impl Default for Map {
    fn default() -> Self {
        Self::new()
    }
}

/// A `map[string]interface {}`; of equal keys the last one stays.
impl FromIterator<(Text, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (Text, Value)>>(entries: I) -> Self {
        let entries = Rc::new(RefCell::new(entries.into_iter().collect()));
        Self(Rc::new(Inner { go_type: Type::MAP, nil: false, entries, volatile: None }))
    }
}
