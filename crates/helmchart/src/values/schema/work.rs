//! What it takes to hold values against a schema, counted before it is done.
//!
//! Threat: a subschema that is referred to twice, by one that is referred to twice, and so on, is applied in as many ways as there
//! are ways to it; the validator walks each. So do subschemas that refer to themselves below lists of others, once for each level
//! of the values. Here each is counted once for each value, and the ways are multiplied.

use std::collections::HashMap;

use serde_json::Value as Json;

use super::web::{Link, Subschema, Web};

/// Steps that a validation may take: some hundred times what the largest values of public charts take, and a third of a second.
pub(super) const MOST_STEPS: u64 = 1_000_000;

/// Subschemas that lead to each other, with no value between them or with one in the other. Each takes some of the stack.
pub(super) const DEEPEST: usize = 1_500;

/// Values that may be written down as wrong, each with all that is in it: they are copied.
const MOST_WORDS: u64 = 200_000;

/// Bytes of a text that one step reads or copies.
const BYTES_A_STEP: u64 = 64;

/// States of a pattern that one step asks about one byte.
const STATES_A_STEP: u64 = 128;

/// How often the subschemas of one that asks what they were about are applied.
const LOOKS: u64 = 4;

/// Why values are not held against a schema.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Excess {
    Steps,
    Depth,
    /// A subschema applies itself to the same value, whatever that is. Helm refuses it too.
    Circle,
}

/// What it takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Work {
    verdict: u64,
    words: u64,
}

impl Work {
    /// Whether it can also be said what is wrong.
    pub(super) fn is_worded(self) -> bool {
        self.words <= MOST_WORDS
    }
}

/// Counts, and adds to the steps that were taken before. The error comes with the way to the value.
pub(super) fn count(web: &Web, values: &Json, steps: &mut u64) -> Result<Work, (Excess, Vec<String>)> {
    let mut parts = Parts(Vec::new());
    let whole = parts.add(values);
    let mut counter = Counter { web, parts: &parts, known: HashMap::new(), way: Vec::new(), seen: 0, depth: 0 };
    let (work, _) = counter.visit(0, whole, true).map_err(|(excess, mut place)| {
        place.reverse();
        (excess, place)
    })?;
    *steps = steps.saturating_add(work.verdict);
    if *steps > MOST_STEPS { excess(Excess::Steps) } else { Ok(work) }
}

/// A value, and what is in it by number.
struct Part<'v> {
    /// The values in it, and steps for its texts.
    size: u64,
    shape: Shape<'v>,
}

enum Shape<'v> {
    /// And its bytes.
    Text(u64),
    Other,
    List(Vec<usize>),
    /// Names, each as text and as a value of its own.
    Object(Vec<(&'v str, usize, usize)>),
}

struct Parts<'v>(Vec<Part<'v>>);

impl<'v> Parts<'v> {
    fn add(&mut self, value: &'v Json) -> usize {
        let (size, shape) = match value {
            Json::String(text) => return self.text(text),
            Json::Array(items) => {
                let items: Vec<usize> = items.iter().map(|item| self.add(item)).collect();
                (items.iter().map(|item| self.size(*item)).sum(), Shape::List(items))
            }
            Json::Object(entries) => {
                let entries: Vec<(&str, usize, usize)> =
                    entries.iter().map(|(name, value)| (name.as_str(), self.text(name), self.add(value))).collect();
                let sizes = entries.iter().map(|(_, name, value)| self.size(*name) + self.size(*value));
                (sizes.sum(), Shape::Object(entries))
            }
            _ => (0, Shape::Other),
        };
        self.push(size, shape)
    }

    fn text(&mut self, text: &str) -> usize {
        let bytes = text.len() as u64;
        self.push(bytes / BYTES_A_STEP, Shape::Text(bytes))
    }

    fn push(&mut self, size: u64, shape: Shape<'v>) -> usize {
        self.0.push(Part { size: size + 1, shape });
        self.0.len() - 1
    }

    fn size(&self, part: usize) -> u64 {
        self.0.get(part).map_or(0, |part| part.size)
    }
}

struct Counter<'c> {
    web: &'c Web,
    parts: &'c Parts<'c>,
    /// What was counted, by subschema, value, and whether it is certain that it applies.
    known: HashMap<(usize, usize, bool), Work>,
    /// The subschemas and values that led here.
    way: Vec<(usize, usize)>,
    seen: u64,
    depth: usize,
}

/// What it takes, and the first of the [`Counter::way`] that it leads back to.
type Counted = Result<(Work, usize), (Excess, Vec<String>)>;

impl Counter<'_> {
    /// `certain`: whatever the values are, it comes to this.
    fn visit(&mut self, at: usize, part: usize, certain: bool) -> Counted {
        let nothing = (Work::default(), usize::MAX);
        let (Some(node), Some(value)) = (self.web.0.get(at), self.parts.0.get(part)) else { return Ok(nothing) };
        if node.is_shared {
            if let Some(work) = self.known.get(&(at, part, certain)) {
                return Ok((*work, usize::MAX));
            }
            // The validator does not enter it again.
            let back =
                self.way.iter().rev().take_while(|(_, other)| *other == part).position(|(other, _)| *other == at);
            if let Some(back) = back {
                return if certain {
                    excess(Excess::Circle)
                } else {
                    Ok((Work { verdict: 1, words: 1 }, self.way.len() - 1 - back))
                };
            }
        }
        self.seen += 1;
        if self.seen > MOST_STEPS {
            return excess(Excess::Steps);
        }
        if self.depth > DEEPEST {
            return excess(Excess::Depth);
        }
        self.depth += 1;
        self.way.push((at, part));
        let mut sum = Sum { work: Work { verdict: own(node, value), words: value.size }, back: usize::MAX };
        for (to, link) in &node.same {
            let counted = self.visit(*to, part, certain && *link == Link::Always)?;
            sum.add(counted, if *link == Link::Choice { 1 } else { 0 }, if node.looks_twice { LOOKS } else { 1 });
        }
        match &value.shape {
            Shape::Object(entries) => {
                for (name, as_text, value) in entries {
                    let named = node.properties.get(*name).map(|to| (*to, *value, certain));
                    let other =
                        || node.other_properties.map(|to| (to, *value, certain && node.some_properties.is_empty()));
                    let some = node.some_properties.iter().map(|to| (*to, *value, false));
                    let names = node.names.map(|to| (to, *as_text, false));
                    for (to, part, certain) in named.or_else(other).into_iter().chain(some).chain(names) {
                        let counted = self.visit(to, part, certain);
                        sum.add(counted.map_err(|excess| within(excess, name))?, 0, 1);
                    }
                }
            }
            Shape::List(items) => {
                for (number, value) in items.iter().enumerate() {
                    let first = node.first_items.get(number).copied().or(node.other_items).map(|to| (to, certain));
                    for (to, certain) in first.into_iter().chain(node.some_items.iter().map(|to| (*to, false))) {
                        let counted = self.visit(to, *value, certain);
                        sum.add(counted.map_err(|excess| within(excess, &number.to_string()))?, 0, 1);
                    }
                }
            }
            Shape::Text(_) | Shape::Other => {}
        }
        self.way.pop();
        self.depth -= 1;
        if sum.work.verdict > MOST_STEPS {
            return excess(Excess::Steps);
        }
        // What leads back to before this one is another thing from elsewhere.
        let back = if sum.back < self.way.len() { sum.back } else { usize::MAX };
        if node.is_shared && back == usize::MAX {
            self.known.insert((at, part, certain), sum.work);
        }
        Ok((sum.work, back))
    }
}

fn excess<T>(what: Excess) -> Result<T, (Excess, Vec<String>)> {
    Err((what, Vec::new()))
}

fn within(mut excess: (Excess, Vec<String>), name: &str) -> (Excess, Vec<String>) {
    excess.1.push(name.to_owned());
    excess
}

struct Sum {
    work: Work,
    back: usize,
}

impl Sum {
    /// `asked`: how often the verdict is asked for besides, `times`: how often all of it.
    fn add(&mut self, (work, back): (Work, usize), asked: u64, times: u64) {
        let words = work.words.saturating_add(work.verdict.saturating_mul(asked));
        self.work.verdict = self.work.verdict.saturating_add(work.verdict.saturating_mul(times));
        self.work.words = self.work.words.saturating_add(words.saturating_mul(times));
        self.back = self.back.min(back);
    }
}

/// Steps of a subschema with a value, without what it leads to.
fn own(node: &Subschema, value: &Part<'_>) -> u64 {
    let held = |states: u64, bytes: u64| states.saturating_mul(bytes) / STATES_A_STEP;
    let more = match &value.shape {
        Shape::Text(bytes) => held(node.text_states, *bytes),
        Shape::Object(entries) => {
            held(node.name_states, entries.iter().map(|(name, ..)| name.len() as u64).sum::<u64>())
        }
        Shape::List(_) if node.wants_unique => value.size,
        Shape::List(_) | Shape::Other => 0,
    };
    node.weight.saturating_add(more)
}
