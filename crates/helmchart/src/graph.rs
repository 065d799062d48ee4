//! The charts of one render: which dependencies are there, under which names, with which default values.
//!
//! A chart on disk is immutable and shared ([`crate::Chart`]); here every render has its own names, parents and values, because
//! conditions, tags, aliases and imported values depend on the values given.

use gotemplate::{Map, Value};
use source::Text;

use crate::HelmVersion;
use crate::chart::ChartData;
use crate::context::RenderContext;
use crate::functions::version::{Constraint, Version};
use crate::metadata::{Dependency, ImportValue};
use crate::values::coalesce::{Nulls, coalesce, copy_map, tables};

/// A chart of a [`Graph`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChartId(usize);

/// All charts of one render.
pub(crate) struct Graph<'c> {
    nodes: Vec<Node<'c>>,
    /// Shared between the aliased copies of a chart, as in Helm: renaming one renames all.
    requirements: Vec<Dependency>,
}

#[derive(Clone)]
struct Node<'c> {
    data: &'c ChartData,
    name: String,
    parent: Option<ChartId>,
    children: Vec<ChartId>,
    /// Indices of declared dependencies; `None` where the chart declares none at all.
    requirements: Option<Vec<usize>>,
    values: Map,
}

impl<'c> Graph<'c> {
    /// The charts as loaded.
    pub(crate) fn new(root: &'c ChartData, trace: bool, helm: HelmVersion) -> Self {
        let mut graph = Self { nodes: Vec::new(), requirements: Vec::new() };
        graph.add(root, None, trace, helm);
        graph
    }

    fn add(&mut self, data: &'c ChartData, parent: Option<ChartId>, trace: bool, helm: HelmVersion) -> ChartId {
        let id = ChartId(self.nodes.len());
        let requirements = data.metadata.dependencies.as_ref().map(|dependencies| {
            let first = self.requirements.len();
            self.requirements.extend(dependencies.iter().cloned());
            (first..self.requirements.len()).collect()
        });
        let values = data.values_map(trace, helm);
        let name = data.metadata.name.clone();
        self.nodes.push(Node { data, name, parent, children: Vec::new(), requirements, values });
        let children = data.dependencies.iter().map(|child| self.add(child, Some(id), trace, helm)).collect();
        self.nodes[id.0].children = children;
        id
    }

    /// The chart itself.
    pub(crate) fn root(&self) -> ChartId {
        ChartId(0)
    }

    /// The chart's name, or its alias.
    pub(crate) fn name(&self, chart: ChartId) -> &str {
        &self.nodes[chart.0].name
    }

    /// The subcharts that are enabled (all of them before [`Graph::process_dependencies`]).
    pub(crate) fn children(&self, chart: ChartId) -> &[ChartId] {
        &self.nodes[chart.0].children
    }

    /// The chart's default values, with what it imported from its subcharts.
    pub(crate) fn values(&self, chart: ChartId) -> &Map {
        &self.nodes[chart.0].values
    }

    /// What was loaded.
    pub(crate) fn data(&self, chart: ChartId) -> &'c ChartData {
        self.nodes[chart.0].data
    }

    /// The declared dependencies that are enabled.
    pub(crate) fn requirements(&self, chart: ChartId) -> Option<Vec<&Dependency>> {
        let ids = self.nodes[chart.0].requirements.as_ref()?;
        Some(ids.iter().map(|id| &self.requirements[*id]).collect())
    }

    /// Whether nothing is above it.
    pub(crate) fn is_root(&self, chart: ChartId) -> bool {
        self.nodes[chart.0].parent.is_none()
    }

    /// `parent/charts/child`.
    pub(crate) fn full_path(&self, chart: ChartId) -> String {
        match self.nodes[chart.0].parent {
            Some(parent) => format!("{}/charts/{}", self.full_path(parent), self.name(chart)),
            None => self.name(chart).to_owned(),
        }
    }

    /// Drops what conditions and tags disable, applies aliases, imports values: Helm's `ProcessDependenciesWithMerge`.
    ///
    /// # Errors
    /// As [`coalesce`].
    pub(crate) fn process_dependencies(&mut self, values: &Map, context: &RenderContext) -> Result<(), String> {
        self.enable(self.root(), values, "", context)?;
        self.import_below(self.root(), context)
    }

    fn enable(&mut self, chart: ChartId, values: &Map, path: &str, context: &RenderContext) -> Result<(), String> {
        let Some(requirements) = self.nodes[chart.0].requirements.clone() else { return Ok(()) };
        let present = self.nodes[chart.0].children.clone();
        // What is not declared in Chart.yaml stays as it is.
        let mut children: Vec<ChartId> = present
            .iter()
            .copied()
            .filter(|child| !requirements.iter().any(|id| self.satisfies(*child, &self.requirements[*id])))
            .collect();
        for id in &requirements {
            let requirement = &self.requirements[*id];
            if let Some(found) = present.iter().copied().find(|child| self.satisfies(*child, requirement)) {
                let mut copy = self.nodes[found.0].clone();
                if let Some(alias) = requirement.alias() {
                    alias.clone_into(&mut copy.name);
                }
                children.push(ChartId(self.nodes.len()));
                self.nodes.push(copy);
            }
            let requirement = &mut self.requirements[*id];
            if let Some(alias) = requirement.alias() {
                requirement.name = alias.to_owned();
            }
            requirement.enabled = true;
        }
        self.adopt(chart, children);

        let coalesced = coalesce(self, chart, values, Nulls::Drop, context)?;
        self.apply_tags(&requirements, &coalesced, context);
        self.apply_conditions(&requirements, &coalesced, path, context);
        let disabled: Vec<String> = requirements
            .iter()
            .map(|id| &self.requirements[*id])
            .filter(|requirement| !requirement.enabled)
            .map(|requirement| requirement.name.clone())
            .collect();
        let mut children = self.nodes[chart.0].children.clone();
        children.retain(|child| !disabled.iter().any(|name| name == self.name(*child)));
        let mut kept = requirements;
        kept.retain(|id| !disabled.contains(&self.requirements[*id].name));
        for child in &children {
            let below = format!("{path}{}.", self.name(*child));
            self.enable(*child, &coalesced, &below, context)?;
        }
        self.nodes[chart.0].requirements = if kept.is_empty() { None } else { Some(kept) };
        self.adopt(chart, children);
        Ok(())
    }

    fn satisfies(&self, child: ChartId, requirement: &Dependency) -> bool {
        self.name(child) == requirement.name
            && is_compatible(&requirement.version, &self.nodes[child.0].data.metadata.version)
    }

    fn adopt(&mut self, chart: ChartId, children: Vec<ChartId>) {
        for child in &children {
            self.nodes[child.0].parent = Some(chart);
        }
        self.nodes[chart.0].children = children;
    }

    fn apply_tags(&mut self, requirements: &[usize], values: &Map, context: &RenderContext) {
        let Some(Value::Map(tags)) = values.get("tags") else { return };
        for id in requirements {
            let requirement = &mut self.requirements[*id];
            let (mut wanted, mut unwanted) = (false, false);
            for tag in &requirement.tags {
                match tags.get(tag) {
                    None => {}
                    Some(Value::Bool(true)) => wanted = true,
                    Some(Value::Bool(false)) => unwanted = true,
                    Some(_) => context
                        .warn(format!("Warning: Tag '{tag}' for chart {} returned non-bool value", requirement.name)),
                }
            }
            requirement.enabled = wanted || !unwanted;
        }
    }

    fn apply_conditions(&mut self, requirements: &[usize], values: &Map, path: &str, context: &RenderContext) {
        for id in requirements {
            let requirement = &mut self.requirements[*id];
            let condition = requirement.condition.trim().to_owned();
            for condition in condition.split(',').filter(|condition| !condition.is_empty()) {
                match value_at(values, &format!("{path}{condition}")) {
                    None => {}
                    Some(Value::Bool(enabled)) => {
                        requirement.enabled = enabled;
                        break;
                    }
                    Some(_) => context.warn(format!(
                        "Warning: Condition path '{condition}' for chart {} returned non-bool value",
                        requirement.name
                    )),
                }
            }
        }
    }

    fn import_below(&mut self, chart: ChartId, context: &RenderContext) -> Result<(), String> {
        for child in self.nodes[chart.0].children.clone() {
            self.import_below(child, context)?;
        }
        self.import(chart, context)
    }

    /// Lays what `import-values` names below the chart's own values.
    fn import(&mut self, chart: ChartId, context: &RenderContext) -> Result<(), String> {
        let Some(requirements) = self.nodes[chart.0].requirements.clone() else { return Ok(()) };
        let values = coalesce(self, chart, &Map::new(), Nulls::Keep, context)?;
        let imported = Map::new();
        for id in requirements {
            let imports = std::mem::take(&mut self.requirements[id].import_values);
            let name = &self.requirements[id].name;
            for import in imports {
                let (child, parent) = match import {
                    ImportValue::Pair { child, parent } => (child, parent),
                    ImportValue::Export(name) => (format!("exports.{name}"), ".".to_owned()),
                };
                match table_at(&values, &format!("{name}.{child}")) {
                    Ok(table) => {
                        let mut table = if table.is_empty() { Map::new() } else { table };
                        if parent != "." {
                            for key in parent.rsplit('.') {
                                let outer = Map::new();
                                outer.insert(key, Value::Map(table));
                                table = outer;
                            }
                        }
                        tables(&imported, &table, Nulls::Keep, context);
                    }
                    Err(missing) => {
                        let missing = gotemplate::format::quote(missing.as_bytes());
                        context.warn(format!(
                            "Warning: ImportValues missing table from chart {name}: {missing} is not a table"
                        ));
                    }
                }
            }
        }
        let values = copy_map(&values);
        tables(&values, &imported, Nulls::Keep, context);
        self.nodes[chart.0].values = values;
        Ok(())
    }
}

/// Whether a version meets a constraint; malformed ones do not.
pub(crate) fn is_compatible(constraint: &str, version: &str) -> bool {
    let (Ok(version), Ok(constraint)) = (Version::parse(version), Constraint::parse(constraint)) else { return false };
    constraint.holds(&version)
}

/// The table at a dotted path; the error is the first name that is none.
pub(crate) fn table_at(values: &Map, path: &str) -> Result<Map, String> {
    let mut table = values.clone();
    for name in path.split('.') {
        match table.get(name) {
            Some(Value::Map(below)) => table = below,
            _ => return Err(name.to_owned()),
        }
    }
    Ok(table)
}

/// The value at a dotted path, if it is not a table.
fn value_at(values: &Map, path: &str) -> Option<Value> {
    let value = match path.rsplit_once('.') {
        Some((above, name)) => table_at(values, above).ok()?.get(name),
        None => values.get(path),
    };
    value.filter(|value| !matches!(value, Value::Map(_)))
}

/// The chart's defaults as a template value.
pub(crate) fn to_map(table: &crate::values::tree::Table) -> Map {
    table.iter().map(|(key, value)| (key.clone(), to_value(value))).collect::<Map>()
}

/// A plain value as a template value.
pub(crate) fn to_value(tree: &crate::values::tree::Tree) -> Value {
    use crate::values::tree::Tree;
    match tree {
        Tree::Null => Value::Nil,
        Tree::Bool(value) => Value::Bool(*value),
        Tree::Int(value) => Value::int64(*value),
        Tree::Float(value) => Value::Float(*value),
        Tree::Str(text) => Value::string_from_marked(Text::clone(text)),
        Tree::List(items) => Value::list(items.iter().map(to_value).collect()),
        Tree::Map(table) => Value::Map(to_map(table)),
    }
}
