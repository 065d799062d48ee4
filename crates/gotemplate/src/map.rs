//! Go maps with string keys: shared, changed in place, walked in key order.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use source::Text;

use crate::list::drop_all;
use crate::{Type, Value};

/// A map with its Go type. A clone is the same map: what one inserts, all see.
#[derive(Clone)]
pub struct Map(Rc<Inner>);

struct Inner {
    go_type: Type,
    nil: bool,
    entries: Rc<RefCell<BTreeMap<Text, Value>>>,
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
        Self(Rc::new(Inner { go_type, nil: false, entries: Rc::default() }))
    }

    /// The nil map of this type: empty, and JSON prints it as `null`. (Go panics when one is written to: check
    /// [`Map::is_nil`] before [`Map::insert`].)
    #[must_use]
    pub fn nil(go_type: Type) -> Self {
        Self(Rc::new(Inner { go_type, nil: true, entries: Rc::default() }))
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
        Self(Rc::new(Inner { go_type, nil: self.0.nil, entries: Rc::clone(&self.0.entries) }))
    }

    /// Tells maps apart; of no other meaning.
    pub(crate) fn address(&self) -> usize {
        Rc::as_ptr(&self.0.entries).addr()
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
        self.0.entries.borrow().get(key).cloned()
    }

    /// Whether there is an entry for `key`.
    #[must_use]
    pub fn contains(&self, key: &str) -> bool {
        self.0.entries.borrow().contains_key(key)
    }

    /// Sets an entry, in place; gives back what was there.
    pub fn insert(&self, key: impl Into<Text>, value: Value) -> Option<Value> {
        self.0.entries.borrow_mut().insert(key.into(), value)
    }

    /// Takes an entry out, in place.
    pub fn remove(&self, key: &str) -> Option<Value> {
        self.0.entries.borrow_mut().remove(key)
    }

    /// The keys, sorted by bytes.
    #[must_use]
    pub fn keys(&self) -> Vec<Text> {
        self.0.entries.borrow().keys().cloned().collect()
    }

    /// The values, in key order.
    #[must_use]
    pub fn values(&self) -> Vec<Value> {
        self.0.entries.borrow().values().cloned().collect()
    }

    /// The entries in key order, as they are now: changes made while walking over them are not seen.
    #[must_use]
    pub fn entries(&self) -> Vec<(Text, Value)> {
        self.0.entries.borrow().iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// Calls `look` for each entry in key order, without copying. `look` must not change this map (such a change is
    /// what [`Map::entries`] is for).
    pub fn for_each(&self, mut look: impl FnMut(&Text, &Value)) {
        for (key, value) in self.0.entries.borrow().iter() {
            look(key, value);
        }
    }

    /// A new map of the same type with the same entries; the values are shared.
    #[must_use]
    pub fn shallow_copy(&self) -> Self {
        let entries = Rc::new(RefCell::new(self.0.entries.borrow().clone()));
        Self(Rc::new(Inner { go_type: self.0.go_type, nil: self.0.nil, entries }))
    }

    /// Moves the values out, if this is the last handle: see [`drop_all`].
    pub(crate) fn give_up(self, pending: &mut Vec<Value>) {
        if let Some(mut inner) = Rc::into_inner(self.0)
            && let Some(entries) = Rc::get_mut(&mut inner.entries)
        {
            pending.extend(std::mem::take(entries.get_mut()).into_values());
        }
    }
}

/// Maps nest as lists do, so dropping must not recurse.
impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(entries) = Rc::get_mut(&mut self.entries) {
            drop_all(std::mem::take(entries.get_mut()).into_values().collect());
        }
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
        Self(Rc::new(Inner { go_type: Type::MAP, nil: false, entries }))
    }
}
