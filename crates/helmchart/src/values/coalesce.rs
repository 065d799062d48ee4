//! How the values of a chart, its subcharts and the user become one: Helm's coalescing, with Go's reference semantics.
//!
//! The maps are shared where Go shares them: a table below `global` that a subchart adds to is the very table that its
//! parent sees, and charts (knowingly or not) depend on it.

use std::fmt;

use gotemplate::{Map, Value};
use source::Text;

use crate::context::RenderContext;
use crate::graph::{ChartId, Graph};

/// The key of the values that all charts share.
const GLOBAL: &str = "global";

/// Whether nulls stay: Helm's `MergeValues`, or go: its `CoalesceValues`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nulls {
    Keep,
    Drop,
}

/// The values of `chart` and all its subcharts under the user's `values`, which are copied first.
///
/// # Errors
/// Where a subchart's name holds something other than a table.
pub(crate) fn coalesce(
    graph: &Graph<'_>,
    chart: ChartId,
    values: &Map,
    nulls: Nulls,
    context: &RenderContext,
) -> Result<Map, String> {
    let values = copy_map(values);
    Coalescing { graph, context, nulls }.chart(chart, &values, &Name::NONE)?;
    Ok(values)
}

struct Coalescing<'c> {
    graph: &'c Graph<'c>,
    context: &'c RenderContext,
    nulls: Nulls,
}

impl Coalescing<'_> {
    fn chart(&self, chart: ChartId, into: &Map, prefix: &Name<'_>) -> Result<(), String> {
        self.defaults(chart, into, prefix);
        let below = prefix.below(self.graph.name(chart));
        for child in self.graph.children(chart) {
            let name = self.graph.name(*child);
            let table = match into.get(name) {
                None => {
                    let table = Map::new();
                    into.insert(name, Value::Map(table.clone()));
                    table
                }
                Some(Value::Map(table)) => table,
                Some(other) => {
                    let other = gotemplate::format::sprintf(&Text::new("%t"), &[other]);
                    return Err(format!("type mismatch on {name}: {other}"));
                }
            };
            self.globals(&table, into, &below);
            self.chart(*child, &table, &below)?;
        }
        Ok(())
    }

    /// Lays the chart's own `values.yaml` under `into`.
    fn defaults(&self, chart: ChartId, into: &Map, prefix: &Name<'_>) {
        let below = prefix.below(self.graph.name(chart));
        for (key, default) in copy_map(self.graph.values(chart)).entries() {
            let cleans = self.nulls == Nulls::Drop && self.context.helm.drops_default_nulls();
            match into.get(&key) {
                None if cleans && matches!(default, Value::Nil) => {}
                None => {
                    if let (true, Value::Map(default)) = (cleans, &default) {
                        drop_nulls(default);
                    }
                    into.insert(key, default);
                }
                Some(Value::Nil) if self.nulls == Nulls::Drop => {
                    into.remove(&key);
                }
                Some(Value::Map(table)) => match default {
                    Value::Map(default) => {
                        let is_child = self.graph.children(chart).iter().any(|child| self.graph.name(*child) == &*key);
                        let nulls = if is_child { Nulls::Keep } else { self.nulls };
                        if cleans && !is_child {
                            drop_nulls(&default);
                        }
                        lay(&table, &default, &below.below(&key), nulls, self.context);
                    }
                    Value::Nil => {}
                    _ => self.context.warn(format!("warning: skipped value for {below}.{key}: Not a table.")),
                },
                Some(_) => {}
            }
        }
    }

    /// Lays a parent's globals over its child's. Tables directly below `global` are copied, deeper ones are shared.
    fn globals(&self, child: &Map, parent: &Map, prefix: &Name<'_>) {
        let Some(into) = global_table(child) else {
            self.context.warn(format!("warning: skipping globals because destination {GLOBAL} is not a table."));
            return;
        };
        let Some(from) = global_table(parent) else {
            self.context.warn(format!("warning: skipping globals because source {GLOBAL} is not a table."));
            return;
        };
        for (key, value) in from.entries() {
            match value {
                Value::Map(table) => {
                    let table = table.shallow_copy();
                    match into.get(&key) {
                        None => {
                            into.insert(key, Value::Map(table));
                        }
                        Some(Value::Map(below)) => {
                            lay(&table, &below, &prefix.below(&key), Nulls::Keep, self.context);
                            into.insert(key, Value::Map(table));
                        }
                        Some(_) => self.context.warn(format!(
                            "Conflict: cannot merge map onto non-map for {}. Skipping.",
                            gotemplate::format::quote(key.as_bytes())
                        )),
                    }
                }
                _ if matches!(into.get(&key), Some(Value::Map(_))) => {
                    self.context.warn(format!("key {key} is table. Skipping"));
                }
                other => {
                    into.insert(key, other);
                }
            }
        }
        child.insert(GLOBAL, Value::Map(into));
    }
}

fn global_table(values: &Map) -> Option<Map> {
    match values.get(GLOBAL) {
        None => Some(Map::new()),
        Some(Value::Map(table)) => Some(table),
        Some(_) => None,
    }
}

/// Lays `under` below `over`, in place; `over` wins. `under` gets `over`'s nulls, as in Helm.
pub(crate) fn tables(over: &Map, under: &Map, nulls: Nulls, context: &RenderContext) {
    lay(over, under, &Name::NONE, nulls, context);
}

fn lay(over: &Map, under: &Map, prefix: &Name<'_>, nulls: Nulls, context: &RenderContext) {
    if over.same(under) {
        return;
    }
    let mut nulled: Vec<Text> = Vec::new();
    over.for_each(|key, value| {
        if matches!(value, Value::Nil) {
            nulled.push(key.clone());
        }
    });
    // Those that had a value below go away.
    let mut had_value: Vec<Text> = Vec::new();
    for key in nulled {
        if under.get(&key).is_some_and(|value| !matches!(value, Value::Nil)) {
            had_value.push(key.clone());
        }
        under.insert(key, Value::Nil);
    }
    for (key, value) in under.entries() {
        let Some(present) = over.get(&key) else {
            over.insert(key, value);
            continue;
        };
        let name = prefix.below(&key);
        match (present, value) {
            (Value::Nil, _) if nulls == Nulls::Drop && had_value.binary_search(&key).is_ok() => {
                over.remove(&key);
            }
            (Value::Map(over), Value::Map(under)) => lay(&over, &under, &name, nulls, context),
            (_, value @ Value::Map(_)) => {
                let value = gotemplate::format::value_text(&value);
                context.warn(format!("warning: cannot overwrite table with non table for {name} ({value})"));
            }
            (Value::Map(_), Value::Nil) => {}
            (Value::Map(_), value) => {
                let value = gotemplate::format::value_text(&value);
                context.warn(format!("warning: destination for {name} is a table. Ignoring non-table value ({value})"));
            }
            _ => {}
        }
    }
}

/// Where a value stands, for a warning: most have none.
struct Name<'n> {
    above: Option<&'n Self>,
    last: &'n str,
}

impl<'n> Name<'n> {
    /// Above all charts.
    const NONE: Self = Self { above: None, last: "" };

    fn below(&'n self, last: &'n str) -> Self {
        Self { above: Some(self), last }
    }
}

/// `chart.table.key`
impl fmt::Display for Name<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.above {
            Some(above) if above.above.is_some() => write!(formatter, "{above}.{}", self.last),
            _ => formatter.write_str(self.last),
        }
    }
}

/// Takes all nulls out of a table and the tables in it.
fn drop_nulls(table: &Map) {
    for (key, value) in table.entries() {
        match value {
            Value::Nil => {
                table.remove(&key);
            }
            Value::Map(below) => drop_nulls(&below),
            _ => {}
        }
    }
}

/// A copy that shares nothing.
pub(crate) fn copy_map(map: &Map) -> Map {
    let mut copy = Vec::with_capacity(map.len());
    map.for_each(|key, value| copy.push((key.clone(), copy_value(value))));
    copy.into_iter().collect()
}

fn copy_value(value: &Value) -> Value {
    match value {
        Value::Map(map) => Value::Map(copy_map(map)),
        Value::List(list) => Value::list(list.items().iter().map(copy_value).collect()),
        other => other.clone(),
    }
}
