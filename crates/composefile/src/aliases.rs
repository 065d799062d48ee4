//! Extensions that became attributes of the specification: `x-develop` and, in its rules, `x-initialSync`.

use crate::path::Path;
use crate::{Error, Map, Node, Value, merge};

/// Renames them; where the attribute is there too, it wins.
pub(crate) fn promote(root: &mut Node) -> Result<(), Error> {
    let Some(services) = root.as_map_mut().and_then(|map| map.get_mut("services")).and_then(Node::as_map_mut) else {
        return Ok(());
    };
    let path = Path::ROOT.next("services");
    for (name, service) in services.iter_mut() {
        let Some(service) = service.as_map_mut() else { continue };
        let path = path.next(name);
        rename(service, "x-develop", "develop", &path)?;
        let Some(rules) = service.get_mut("develop").and_then(Node::as_map_mut).and_then(|map| map.get_mut("watch"))
        else {
            continue;
        };
        if let Value::Seq(rules) = &mut rules.value {
            for rule in rules.iter_mut().filter_map(Node::as_map_mut) {
                rename(rule, "x-initialSync", "initial_sync", &path)?;
            }
        }
    }
    Ok(())
}

fn rename(map: &mut Map, from: &str, to: &'static str, path: &Path<'_>) -> Result<(), Error> {
    let Some(extension) = map.remove(from) else { return Ok(()) };
    let node = match map.remove(to) {
        Some(own) if !own.is_null() => merge::merge(extension, own, &path.next(to))?,
        _ => extension,
    };
    map.set(to, node);
    Ok(())
}
