//! Go slices: immutable, shared, cheap to cut.

use std::rc::Rc;

use crate::{Type, Value};

/// A slice with its Go type. Cloning is cheap.
#[derive(Clone)]
pub struct List(Rc<Inner>);

struct Inner {
    go_type: Type,
    nil: bool,
    /// The array behind the slice: `slice` may reach past `end`, up to its length (Go's capacity).
    array: Rc<[Value]>,
    start: usize,
    end: usize,
}

impl List {
    /// A `[]interface {}`.
    #[must_use]
    pub fn new(items: Vec<Value>) -> Self {
        Self::typed(Type::LIST, items)
    }

    /// A slice of this type: a [`Type::Slice`] or a named one. The items must be of its element type (not checked).
    #[must_use]
    pub fn typed(go_type: Type, items: Vec<Value>) -> Self {
        let end = items.len();
        Self(Rc::new(Inner { go_type, nil: false, array: items.into(), start: 0, end }))
    }

    /// The nil slice of this type: empty, but JSON prints it as `null` and it is not deeply equal to an empty one.
    #[must_use]
    pub fn nil(go_type: Type) -> Self {
        Self(Rc::new(Inner { go_type, nil: true, array: Rc::from([]), start: 0, end: 0 }))
    }

    /// The slice's type.
    #[must_use]
    pub fn go_type(&self) -> Type {
        self.0.go_type
    }

    /// The type of its elements; [`Type::Any`] if the type is no slice.
    #[must_use]
    pub fn element_type(&self) -> Type {
        self.0.go_type.element().unwrap_or(Type::Any)
    }

    /// Whether it is a nil slice.
    #[must_use]
    pub fn is_nil(&self) -> bool {
        self.0.nil
    }

    /// The items.
    #[must_use]
    pub fn items(&self) -> &[Value] {
        self.0.array.get(self.0.start..self.0.end).unwrap_or_default()
    }

    /// Number of items.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.end - self.0.start
    }

    /// Whether there are no items.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether both are the same slice of the same array.
    #[must_use]
    pub fn same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
            || (Rc::ptr_eq(&self.0.array, &other.0.array) && self.0.start == other.0.start && self.0.end == other.0.end)
    }

    /// Tells handles apart as long as they live; of no other meaning.
    #[must_use]
    pub fn handle(&self) -> usize {
        Rc::as_ptr(&self.0).addr()
    }

    /// Go's `cap`.
    pub(crate) fn capacity(&self) -> usize {
        self.0.array.len() - self.0.start
    }

    /// Go's `s[start:end]`, sharing the array; `None` if out of range (`end` may reach to the capacity).
    #[must_use]
    pub fn slice(&self, start: usize, end: usize) -> Option<Self> {
        if start > end || end > self.capacity() {
            return None;
        }
        let from = self.0.start;
        Some(Self(Rc::new(Inner {
            go_type: self.0.go_type,
            nil: self.0.nil,
            array: Rc::clone(&self.0.array),
            start: from + start,
            end: from + end,
        })))
    }
}

/// Templates can nest lists without bound (`$x = list $x` in a loop), so dropping must not recurse.
impl Drop for Inner {
    fn drop(&mut self) {
        let mut pending = Vec::new();
        self.give_up(&mut pending);
        drop_all(pending);
    }
}

impl Inner {
    /// Moves the composite items out, if nobody else holds them.
    fn give_up(&mut self, pending: &mut Vec<Value>) {
        take_composites(Rc::get_mut(&mut self.array).unwrap_or_default(), pending);
    }
}

impl List {
    /// As [`Inner::give_up`], if this is the last handle.
    fn give_up(self, pending: &mut Vec<Value>) {
        if let Some(mut inner) = Rc::into_inner(self.0) {
            inner.give_up(pending);
        }
    }
}

/// Moves lists and maps out of what is about to be dropped: the rest cannot recurse.
pub(crate) fn take_composites<'v>(values: impl IntoIterator<Item = &'v mut Value>, pending: &mut Vec<Value>) {
    for value in values {
        if matches!(value, Value::List(_) | Value::Map(_)) {
            pending.push(std::mem::replace(value, Value::Nil));
        }
    }
}

/// Drops values one after another, however deeply they are nested.
pub(crate) fn drop_all(mut pending: Vec<Value>) {
    while let Some(value) = pending.pop() {
        match value {
            Value::List(list) => list.give_up(&mut pending),
            Value::Map(map) => map.give_up(&mut pending),
            _ => {}
        }
    }
}
