//! Values taken from the environment without `$`: `environment: [NAME]`, and secrets and configs with `environment:`.

use source::{Text, TextBuf};

use crate::environment::Environment;
use crate::record::Record;
use crate::{Map, Node, Value};

/// Where a secret's value is kept in the raw model. No file can hold this key by accident.
pub(crate) const SECRET_VALUE: &str = "x-#value";

/// Fills the values in.
pub(crate) fn resolve(root: &mut Node, environment: &Environment, record: &mut Record) {
    let Some(root) = root.as_map_mut() else { return };
    for section in ["services", "jobs"] {
        for service in members(root, section) {
            let Some(list) = service.get_mut("environment") else { continue };
            let Value::Seq(items) = &mut list.value else { continue };
            items.retain(|item| item.as_str().is_some());
            for item in items {
                let Some(name) = item.as_text().cloned() else { continue };
                if let Some(value) = environment.read(&name, record) {
                    item.value = Value::Str(assignment(&name, value));
                }
            }
        }
    }
    for (section, key) in [("secrets", SECRET_VALUE), ("configs", "content")] {
        for resource in members(root, section) {
            let Some(name) = resource.get("environment").and_then(Node::as_str).map(str::to_owned) else { continue };
            if let Some(value) = environment.read(&name, record) {
                resource.set(key, Node::new(value.clone()));
            }
        }
    }
}

/// `NAME=value`.
pub(crate) fn assignment(name: &Text, value: &Text) -> Text {
    let mut text = TextBuf::new();
    text.push(name);
    text.push_str("=");
    text.push(value);
    text.finish()
}

fn members<'m>(root: &'m mut Map, section: &str) -> impl Iterator<Item = &'m mut Map> {
    let section = root.get_mut(section).and_then(Node::as_map_mut);
    section.into_iter().flat_map(Map::iter_mut).filter_map(|(_, member)| member.as_map_mut())
}
