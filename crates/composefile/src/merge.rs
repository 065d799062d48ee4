//! How a later file's tree is laid over an earlier one's: Compose's rules by path.

use std::collections::HashMap;
use std::sync::LazyLock;

use source::{Text, TextBuf};

use crate::path::{Path, Table};
use crate::unicity::unique_by_key;
use crate::{Error, Map, Node, Value};

#[derive(Clone, Copy, Debug)]
enum Rule {
    /// The later value replaces the earlier one.
    Replace,
    /// Both become sequences; what is not there yet is appended.
    ToSequence,
    /// Both become `KEY=VALUE` sequences; the later entry of a key takes the place of the earlier one.
    KeyValues,
    Build,
    DependsOn,
    /// Lists of names become mappings to null.
    AsMapping,
    Logging,
    Ulimit,
    IpamConfig,
}

static RULES: LazyLock<Table<Rule>> = LazyLock::new(|| {
    let mut rules = Table::new();
    let both = ["services.*", "jobs.*"];
    let mut add = |prefixes: &[&'static str], rule: Rule, patterns: &[&'static str]| {
        for pattern in patterns {
            rules.add(prefixes, pattern, rule);
        }
    };
    add(&["networks.*"], Rule::IpamConfig, &["ipam.config"]);
    add(&["networks.*", "volumes.*", "secrets.*", "configs.*"], Rule::KeyValues, &["labels"]);
    add(
        &both,
        Rule::KeyValues,
        &[
            "annotations",
            "build.args",
            "build.additional_contexts",
            "build.labels",
            "environment",
            "labels",
            "volumes.*.volume.labels",
            "sysctls",
        ],
    );
    add(&both, Rule::Build, &["build"]);
    add(
        &both,
        Rule::ToSequence,
        &["build.extra_hosts", "dns", "dns_opt", "dns_search", "env_file", "label_file", "extra_hosts", "tmpfs"],
    );
    add(&both, Rule::Replace, &["command", "entrypoint", "healthcheck.test"]);
    add(&both, Rule::DependsOn, &["depends_on"]);
    add(&both, Rule::Logging, &["logging"]);
    add(&both, Rule::AsMapping, &["models", "networks"]);
    add(&both, Rule::Ulimit, &["ulimits.*"]);
    add(&["services.*"], Rule::KeyValues, &["deploy.labels"]);
    rules
});

/// Lays `over` on `base` at `path`.
pub(crate) fn merge(base: Node, over: Node, path: &Path<'_>) -> Result<Node, Error> {
    let span = over.span.or(base.span);
    if let Some(rule) = RULES.find(path) {
        return by_rule(rule, base, over, path).map_err(|error| error.at(span));
    }
    if over.is_null() {
        return Ok(base);
    }
    let cannot = |span| Error::invalid(format!("cannot override {path}")).at(span);
    match base.value {
        Value::Map(map) => match over.value {
            Value::Map(other) => Ok(Node::at(merge_maps(map, other, path)?, span)),
            _ => Err(cannot(over.span)),
        },
        Value::Seq(items) => match over.value {
            Value::Seq(other) => Ok(Node::at(append_new(items, other), span)),
            _ => Err(cannot(over.span)),
        },
        _ => Ok(over),
    }
}

/// Lays a service on the one that it extends.
pub(crate) fn extend_service(base: Node, service: Node) -> Result<Node, Error> {
    let services = Path::ROOT.next("services");
    merge(base, service, &services.next("x"))
}

pub(crate) fn merge_maps(mut base: Map, over: Map, path: &Path<'_>) -> Result<Map, Error> {
    for (key, entry) in over {
        match base.get_mut(&key) {
            None => base.set_entry(key, entry),
            Some(earlier) => {
                let earlier = std::mem::take(earlier);
                let node = merge(earlier, entry.node, &path.next(&key))?;
                base.set_entry(key.clone(), crate::node::Entry { key_span: entry.key_span, node });
            }
        }
    }
    Ok(base)
}

fn by_rule(rule: Rule, base: Node, over: Node, path: &Path<'_>) -> Result<Node, Error> {
    let span = over.span.or(base.span);
    let value = match rule {
        Rule::Replace => return Ok(over),
        Rule::ToSequence => Value::Seq(append_new(to_sequence(base), to_sequence(over))),
        Rule::KeyValues => {
            let mut entries = to_sequence(base);
            entries.extend(to_sequence(over));
            Value::Seq(unique_by_key(entries, path)?)
        }
        Rule::Build => Value::Map(merge_maps(to_build(base), to_build(over), path)?),
        Rule::DependsOn => {
            let default = |span| {
                let mut map = Map::new();
                map.set("condition", Node::at("service_started", span));
                map.set("required", Node::at(true, span));
                Node::at(map, span)
            };
            let base = to_mapping(base, Some(&default), path)?;
            Value::Map(merge_maps(base, to_mapping(over, Some(&default), path)?, path)?)
        }
        Rule::AsMapping => {
            let base = to_mapping(base, None, path)?;
            Value::Map(merge_maps(base, to_mapping(over, None, path)?, path)?)
        }
        Rule::Logging => return merge_logging(base, over, path),
        Rule::Ulimit => match (base.value, over.value) {
            (Value::Map(base), Value::Map(over)) => Value::Map(merge_maps(base, over, path)?),
            (_, over) => over,
        },
        Rule::IpamConfig => merge_ipam(base, over, path)?,
    };
    Ok(Node { value, span })
}

/// Appends what is not there yet, by deep equality. Compared is only what prints the same: lists may be long.
fn append_new(mut base: Vec<Node>, over: Vec<Node>) -> Vec<Node> {
    let mut places: HashMap<Text, Vec<usize>> = HashMap::with_capacity(base.len());
    for (place, item) in base.iter().enumerate() {
        places.entry(item.to_go_text()).or_default().push(place);
    }
    for item in over {
        let alike = places.entry(item.to_go_text()).or_default();
        if !alike.iter().filter_map(|&place| base.get(place)).any(|earlier| earlier.same(&item)) {
            alike.push(base.len());
            base.push(item);
        }
    }
    base
}

/// A mapping becomes `KEY=VALUE` items, sorted; a string the only item.
pub(crate) fn to_sequence(node: Node) -> Vec<Node> {
    let span = node.span;
    match node.value {
        Value::Seq(items) => items,
        Value::Str(_) => vec![Node { value: node.value, span }],
        Value::Map(map) => {
            let mut items: Vec<Node> = Vec::with_capacity(map.len());
            for (key, entry) in map {
                let at = entry.node.span.or(entry.key_span);
                match entry.node.value {
                    Value::Null => items.push(Node::at(key, entry.key_span.or(at))),
                    Value::Seq(values) => {
                        for value in values {
                            items.push(Node::at(key_value(&key, &value), value.span.or(at)));
                        }
                    }
                    _ => items.push(Node::at(key_value(&key, &entry.node), at)),
                }
            }
            items.sort_by(|a, b| a.as_str().cmp(&b.as_str()));
            items
        }
        _ => Vec::new(),
    }
}

fn key_value(key: &Text, value: &Node) -> Text {
    let mut text = TextBuf::new();
    text.push(key);
    text.push_str("=");
    text.push(&value.to_go_text());
    text.finish()
}

fn to_build(node: Node) -> Map {
    let span = node.span;
    match node.value {
        Value::Map(map) => map,
        Value::Str(context) => {
            let mut map = Map::new();
            map.set("context", Node::at(context, span));
            map
        }
        _ => Map::new(),
    }
}

fn to_mapping(
    node: Node,
    default: Option<&dyn Fn(Option<source::Span>) -> Node>,
    path: &Path<'_>,
) -> Result<Map, Error> {
    let made = |span| default.map_or_else(|| Node::at(Value::Null, span), |default| default(span));
    let span = node.span;
    match node.value {
        Value::Null => Ok(Map::new()),
        Value::Map(map) => Ok(map),
        Value::Str(name) => {
            let mut map = Map::new();
            map.set(name, made(span));
            Ok(map)
        }
        Value::Seq(items) => {
            let mut map = Map::new();
            for item in items {
                let Some(name) = item.as_text() else {
                    let message = format!("{path}: cannot use {} as a mapping key", item.go_type());
                    return Err(Error::invalid(message).at(item.span));
                };
                let entry = crate::node::Entry { key_span: item.span, node: made(item.span) };
                map.set_entry(name.clone(), entry);
            }
            Ok(map)
        }
        _ => Err(Error::invalid(format!("{path}: cannot convert {} into a mapping", node.go_type())).at(span)),
    }
}

/// Options of a logging driver are merged only if both name the same one, or one names none.
fn merge_logging(base: Node, over: Node, path: &Path<'_>) -> Result<Node, Error> {
    let expected = |node: &Node| {
        let message = format!("{path}: cannot merge logging: expected a mapping, got {}", node.go_type());
        Error::invalid(message).at(node.span)
    };
    let Some(base_map) = base.as_map() else { return Err(expected(&base)) };
    let Some(over_map) = over.as_map() else { return Err(expected(&over)) };
    let same_driver = match (base_map.get("driver"), over_map.get("driver")) {
        (Some(base), Some(over)) => base.same(over),
        _ => true,
    };
    if !same_driver {
        return Ok(over);
    }
    let span = over.span.or(base.span);
    Ok(Node::at(merge_maps(base.into_map(), over.into_map(), path)?, span))
}

/// Address pools of one network in one file. Each of one file is compared with each of the other, as Compose does; a network has one or two.
const MOST_POOLS: usize = 100;

/// Address pools are matched by their subnet. Where one side has none, Compose makes a list that its schema then takes for none: null here.
fn merge_ipam(base: Node, over: Node, path: &Path<'_>) -> Result<Value, Error> {
    let unexpected = |node: &Node| Error::invalid(format!("{path}: unexpected type {}", node.go_type())).at(node.span);
    let Value::Seq(bases) = &base.value else { return Err(unexpected(&base)) };
    let Value::Seq(overs) = &over.value else { return Err(unexpected(&over)) };
    if let Some((pools, span)) =
        [(bases, base.span), (overs, over.span)].into_iter().find(|(pools, _)| pools.len() > MOST_POOLS)
    {
        let message = format!("{path}: {} address pools are more than the {MOST_POOLS} that are merged", pools.len());
        return Err(Error::invalid(message).at(span));
    }
    let same_subnet = |a: &Map, b: &Map| match (a.get("subnet"), b.get("subnet")) {
        (Some(a), Some(b)) => a.same(b),
        (None, None) => true,
        _ => false,
    };
    let mut pools: Vec<(Map, Option<source::Span>)> = Vec::new();
    for original in bases {
        // compose-go merges in place: the next override meets the merged pool, and so do the places where it stands already.
        let mut places: Vec<usize> = Vec::new();
        refuse_null(original, path)?;
        let mut right = to_mapping(original.clone(), None, path)?;
        for other in overs {
            refuse_null(other, path)?;
            let left = to_mapping(other.clone(), None, path)?;
            if !same_subnet(&left, &right) && !pools.iter().any(|(pool, _)| same_subnet(pool, &left)) {
                pools.push((left, other.span));
                continue;
            }
            let merged = merge_maps(right.clone(), left, path)?;
            right = merged.clone();
            for place in &places {
                pools[*place].0 = merged.clone();
            }
            let place = pools.iter().position(|(pool, _)| same_subnet(pool, &merged)).unwrap_or(pools.len());
            if place == pools.len() {
                pools.push((merged, other.span));
            } else {
                pools[place] = (merged, other.span);
            }
            if !places.contains(&place) {
                places.push(place);
            }
        }
    }
    if pools.is_empty() {
        return Ok(Value::Null);
    }
    Ok(Value::Seq(pools.into_iter().map(|(pool, span)| Node::at(pool, span)).collect()))
}

fn refuse_null(node: &Node, path: &Path<'_>) -> Result<(), Error> {
    if node.is_null() {
        return Err(Error::invalid(format!("{path}: cannot convert <nil> into a mapping")).at(node.span));
    }
    Ok(())
}
