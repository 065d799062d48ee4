//! A schema as the web of its subschemas: which are about the same value, which about a part of it, and where references lead.
//!
//! The validator makes the same of a schema, and follows references wherever they lead. What a schema could make it do is seen
//! here first; a web is as large as its schema, whatever its references do.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jsonschema::{Draft, Registry, Uri};
use serde_json::Value as Json;

use super::work::DEEPEST;
use super::{BASE, Offline, pattern};

/// JSON values in one schema: those of all of Kubernetes' own types have 60,000. The validator takes a kilobyte for each.
pub(super) const MOST_VALUES: usize = 150_000;

/// References in one schema; the validator looks each up along those that led to it.
const MOST_REFERENCES: usize = 10_000;

/// States of all patterns of a schema: each takes some tens of bytes, and time to make.
const MOST_STATES: u64 = 150_000;

/// Subschemas with a way to them of their own: through documents (`$id`), because a dynamic reference could mean something else on
/// each, and from those that ask what the others were about. The validator keeps one apart for each such way.
const MOST_WAYS: usize = 20_000;

/// Subschemas; the first one is the whole schema.
#[derive(Debug)]
pub(super) struct Web(pub(super) Vec<Subschema>);

/// One subschema. Others are named by their number.
#[derive(Debug, Default)]
pub(super) struct Subschema {
    /// What it takes to apply it, without what it leads to: the values in its keywords.
    pub(super) weight: u64,
    /// Whether more than one way leads here.
    pub(super) is_shared: bool,
    /// Whether it asks which parts no other subschema was about, and so has those applied again.
    pub(super) looks_twice: bool,
    pub(super) wants_unique: bool,
    /// States of the pattern that texts are held against.
    pub(super) text_states: u64,
    /// States of the patterns that names are held against.
    pub(super) name_states: u64,
    /// About the same value.
    pub(super) same: Vec<(usize, Link)>,
    pub(super) properties: BTreeMap<String, usize>,
    /// About properties that `properties` does not name.
    pub(super) other_properties: Option<usize>,
    /// About properties by their pattern, or by what no other was about: any of them.
    pub(super) some_properties: Vec<usize>,
    pub(super) names: Option<usize>,
    /// About items by their number.
    pub(super) first_items: Vec<usize>,
    /// About the items after those.
    pub(super) other_items: Option<usize>,
    pub(super) some_items: Vec<usize>,
    /// The document that it is part of.
    document: usize,
}

/// How another subschema applies to the same value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Link {
    Always,
    /// Its verdict is asked for before anything is said of it.
    Choice,
}

impl Web {
    /// Nothing where a reference leads nowhere: then the validator refuses the schema too. The error is which limit is passed.
    pub(super) fn of(schema: &Json) -> Result<Option<Self>, String> {
        if size(schema) > MOST_VALUES {
            return Err(format!("it has more than {MOST_VALUES} values"));
        }
        let prepared = Registry::new().retriever(Offline).add(BASE, schema).and_then(|builder| builder.prepare());
        let (Ok(registry), Ok(base)) = (prepared, jsonschema::uri::from_str(BASE)) else { return Ok(None) };
        let mut weaver = Weaver {
            registry: &registry,
            known: HashMap::new(),
            documents: HashMap::new(),
            anchors: Vec::new(),
            dynamic: Vec::new(),
            waiting: Vec::new(),
            states: BTreeMap::new(),
            references: 0,
            web: Vec::new(),
        };
        weaver.node(schema, &Arc::new(base), Draft::Draft202012.detect(schema));
        while let Some(next) = weaver.waiting.pop() {
            if !weaver.read(next) {
                return Ok(None);
            }
            if weaver.references > MOST_REFERENCES {
                return Err(format!("it has more than {MOST_REFERENCES} references"));
            }
        }
        if weaver.dynamic.len() * weaver.anchors.len() > MOST_REFERENCES {
            return Err(format!("it has dynamic references that may mean more than {MOST_REFERENCES} things"));
        }
        weaver.link_dynamic();
        if weaver.states.values().sum::<u64>() > MOST_STATES {
            return Err("its patterns are too large: repeat less, or smaller parts".to_owned());
        }
        let web = Self(weaver.web);
        if weaver.documents.len() > 1 && !web.has_few_ways() {
            return Err(format!("references between documents in it lead to its parts in more than {MOST_WAYS} ways"));
        }
        if !web.has_few_looks() {
            return Err(format!("what no other subschema was about is asked for in more than {MOST_WAYS} ways"));
        }
        Ok(Some(web))
    }

    /// Whether subschemas that ask what the others were about lead to no more than [`MOST_WAYS`] of those, each way counted: the
    /// validator makes a copy for each.
    fn has_few_looks(&self) -> bool {
        let mut left = MOST_WAYS;
        let mut asking = self.0.iter().enumerate().filter(|(_, node)| node.looks_twice);
        asking.all(|(at, _)| self.looks(at, &mut Vec::new(), &mut left))
    }

    fn looks(&self, at: usize, way: &mut Vec<usize>, left: &mut usize) -> bool {
        if *left == 0 || way.len() > DEEPEST {
            return false;
        }
        *left -= 1;
        if way.contains(&at) {
            return true;
        }
        way.push(at);
        let few = self.0.get(at).is_none_or(|node| node.same.iter().all(|(to, _)| self.looks(*to, way, left)));
        way.pop();
        few
    }

    /// Whether there are no more than [`MOST_WAYS`] through the documents.
    fn has_few_ways(&self) -> bool {
        let mut seen = BTreeSet::new();
        let mut waiting = vec![(0, Vec::<usize>::new())];
        while let Some((at, way)) = waiting.pop() {
            let Some(node) = self.0.get(at).filter(|_| !seen.contains(&(at, way.clone()))) else { continue };
            for to in node.leads_to() {
                let document = self.0.get(to).map_or(node.document, |node| node.document);
                let mut way = way.clone();
                if document != node.document && !way.contains(&document) {
                    way.push(document);
                }
                waiting.push((to, way));
            }
            seen.insert((at, way));
            if seen.len() > MOST_WAYS {
                return false;
            }
        }
        true
    }
}

impl Subschema {
    fn leads_to(&self) -> impl Iterator<Item = usize> {
        let same = self.same.iter().map(|(to, _)| *to);
        let of_objects = self.properties.values().chain(&self.other_properties).chain(&self.some_properties);
        let of_lists = self.first_items.iter().chain(&self.other_items).chain(&self.some_items);
        same.chain(of_objects.chain(&self.names).chain(of_lists).copied())
    }
}

/// JSON values in one.
fn size(value: &Json) -> usize {
    1 + match value {
        Json::Array(items) => items.iter().map(size).sum(),
        Json::Object(entries) => entries.values().map(size).sum::<usize>(),
        _ => 0,
    }
}

/// A subschema whose keywords are not read yet.
struct Waiting<'s> {
    at: usize,
    schema: &'s Json,
    base: Arc<Uri<String>>,
    draft: Draft,
}

struct Weaver<'s> {
    registry: &'s Registry<'s>,
    /// By address.
    known: HashMap<usize, usize>,
    documents: HashMap<Arc<Uri<String>>, usize>,
    /// What dynamic references may mean: any subschema that says so.
    anchors: Vec<usize>,
    /// Subschemas with a dynamic reference.
    dynamic: Vec<usize>,
    waiting: Vec<Waiting<'s>>,
    states: BTreeMap<&'s str, u64>,
    references: usize,
    web: Vec<Subschema>,
}

impl<'s> Weaver<'s> {
    /// The number of a subschema; its keywords are read later.
    fn node(&mut self, schema: &'s Json, base: &Arc<Uri<String>>, draft: Draft) -> usize {
        let address = std::ptr::from_ref(schema).addr();
        if let Some(at) = self.known.get(&address) {
            if let Some(node) = self.web.get_mut(*at) {
                node.is_shared = true;
            }
            return *at;
        }
        let draft = draft.detect(schema);
        let resource = draft.create_resource_ref(schema);
        let base = match resource.id() {
            Some(_) => match self.registry.resolver((**base).clone()).in_subresource(resource) {
                Ok(resolver) => resolver.base_uri(),
                Err(_) => Arc::clone(base),
            },
            None => Arc::clone(base),
        };
        let at = self.web.len();
        let count = self.documents.len();
        let document = *self.documents.entry(Arc::clone(&base)).or_insert(count);
        self.known.insert(address, at);
        self.web.push(Subschema { document, ..Subschema::default() });
        self.waiting.push(Waiting { at, schema, base, draft });
        at
    }

    /// Reads the keywords of one; whether its references lead somewhere.
    fn read(&mut self, waiting: Waiting<'s>) -> bool {
        let Waiting { at, schema, base, draft } = waiting;
        let Json::Object(keywords) = schema else { return true };
        let mut node = Subschema { weight: 1, ..Subschema::default() };
        let mut resolved = true;
        // Up to draft 7, a reference hides what stands beside it.
        let alone = draft <= Draft::Draft7 && keywords.contains_key("$ref");
        for (keyword, value) in keywords.iter().filter(|(keyword, _)| !alone || *keyword == "$ref") {
            let mut one = |value| self.node(value, &base, draft);
            match (keyword.as_str(), value) {
                ("$ref" | "$dynamicRef" | "$recursiveRef", Json::String(reference)) => {
                    self.references += 1;
                    let is_dynamic = keyword != "$ref";
                    match self.target(reference, &base) {
                        Some(to) => node.same.push((to, if is_dynamic { Link::Choice } else { Link::Always })),
                        None => resolved = false,
                    }
                    if is_dynamic {
                        self.dynamic.push(at);
                    }
                }
                ("allOf", Json::Array(branches)) => {
                    node.same.extend(branches.iter().map(|value| (one(value), Link::Always)));
                }
                ("anyOf" | "oneOf", Json::Array(branches)) => {
                    node.same.extend(branches.iter().map(|value| (one(value), Link::Choice)));
                }
                ("not" | "if" | "then" | "else", value) => node.same.push((one(value), Link::Choice)),
                ("dependentSchemas" | "dependencies", Json::Object(entries)) => {
                    let schemas = entries.values().filter(|value| !value.is_array());
                    node.same.extend(schemas.map(|value| (one(value), Link::Choice)));
                }
                ("properties", Json::Object(entries)) => {
                    node.weight += entries.len() as u64;
                    node.properties = entries.iter().map(|(name, value)| (name.clone(), one(value))).collect();
                }
                ("patternProperties", Json::Object(entries)) => {
                    node.some_properties.extend(entries.values().map(&mut one));
                    node.name_states = entries.keys().map(|pattern| self.states(pattern)).sum();
                }
                ("additionalProperties", value) => node.other_properties = Some(one(value)),
                ("unevaluatedProperties", value) => {
                    node.looks_twice = true;
                    node.some_properties.push(one(value));
                }
                ("propertyNames", value) => node.names = Some(one(value)),
                ("items" | "prefixItems", Json::Array(branches)) => {
                    node.first_items = branches.iter().map(&mut one).collect();
                }
                ("items" | "additionalItems", value) => node.other_items = Some(one(value)),
                ("unevaluatedItems", value) => {
                    node.looks_twice = true;
                    node.some_items.push(one(value));
                }
                ("contains", value) => node.some_items.push(one(value)),
                ("pattern", Json::String(pattern)) => node.text_states = self.states(pattern),
                ("uniqueItems", Json::Bool(true)) => node.wants_unique = true,
                ("enum" | "const" | "required" | "dependentRequired" | "type", value) => {
                    node.weight += size(value) as u64;
                }
                _ => node.weight += 1,
            }
        }
        if keywords.contains_key("$dynamicAnchor") || keywords.contains_key("$recursiveAnchor") {
            self.anchors.push(at);
        }
        if let Some(place) = self.web.get_mut(at) {
            *place = Subschema { is_shared: place.is_shared, document: place.document, ..node };
        }
        resolved
    }

    /// A dynamic reference leads to what it names, or to any anchor: which one depends on how it is come to.
    fn link_dynamic(&mut self) {
        for at in &self.dynamic {
            if let Some(node) = self.web.get_mut(*at) {
                node.same.extend(self.anchors.iter().map(|to| (*to, Link::Choice)));
            }
        }
        for at in &self.anchors {
            if let Some(node) = self.web.get_mut(*at) {
                node.is_shared = true;
            }
        }
    }

    fn states(&mut self, pattern: &'s str) -> u64 {
        *self.states.entry(pattern).or_insert_with(|| pattern::states(pattern))
    }

    fn target(&mut self, reference: &str, base: &Arc<Uri<String>>) -> Option<usize> {
        let found = self.registry.resolver((**base).clone()).lookup(reference).ok()?;
        let (schema, resolver, draft) = found.into_inner();
        Some(self.node(schema, &resolver.base_uri(), draft))
    }
}
