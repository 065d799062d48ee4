//! Functions on maps. `set`, `unset` and the merges change the map that everybody holds, as in Go.

use gotemplate::{Exec, FunctionError, List, Map, Type, Value};
use source::Text;

use super::call::Call;
use super::go::{Answer, DEEPEST, is_empty, text_of, wrong_assertion};
use super::objects::VersionObject;

fn too_deep() -> FunctionError {
    FunctionError::limit(format!("values are nested more than {DEEPEST} deep"))
}

fn nil_map() -> FunctionError {
    FunctionError::new("assignment to entry in nil map")
}

pub(crate) fn get(call: &mut Call<'_, '_>) -> Answer {
    Ok(call.map(0).get(&call.text(1)).unwrap_or_else(|| "".into()))
}

pub(crate) fn set(call: &mut Call<'_, '_>) -> Answer {
    let map = call.map(0);
    if map.is_nil() {
        return Err(nil_map());
    }
    map.insert(call.text(1), call.value(2).clone());
    Ok(map.into())
}

pub(crate) fn unset(call: &mut Call<'_, '_>) -> Answer {
    let map = call.map(0);
    map.remove(&call.text(1));
    Ok(map.into())
}

pub(crate) fn has_key(call: &mut Call<'_, '_>) -> Answer {
    Ok(call.map(0).contains(&call.text(1)).into())
}

pub(crate) fn pluck(call: &mut Call<'_, '_>) -> Answer {
    let key = call.text(0);
    Ok(Value::list((1..call.args.len()).filter_map(|index| call.map(index).get(&key)).collect()))
}

/// Go gives the keys in random order; sorted is one of these.
pub(crate) fn keys(call: &mut Call<'_, '_>) -> Answer {
    Ok(Value::strings((0..call.args.len()).flat_map(|index| call.map(index).keys())))
}

/// Go gives the values in random order; that of the sorted keys is one of these.
pub(crate) fn values(call: &mut Call<'_, '_>) -> Answer {
    Ok(Value::list(call.map(0).values()))
}

pub(crate) fn pick(call: &mut Call<'_, '_>) -> Answer {
    let map = call.map(0);
    let picked = Map::new();
    for index in 1..call.args.len() {
        let key = call.text(index);
        if let Some(value) = map.get(&key) {
            picked.insert(key, value);
        }
    }
    Ok(picked.into())
}

pub(crate) fn omit(call: &mut Call<'_, '_>) -> Answer {
    let omitted: Vec<Text> = (1..call.args.len()).map(|index| call.text(index)).collect();
    Ok(Value::map(call.map(0).entries().into_iter().filter(|(key, _)| !omitted.contains(key))))
}

pub(crate) fn dict(call: &mut Call<'_, '_>) -> Answer {
    let map = Map::new();
    for pair in call.args.chunks(2) {
        let [key, rest @ ..] = pair else { continue };
        map.insert(text_of(key), rest.first().cloned().unwrap_or_else(|| "".into()));
    }
    Ok(map.into())
}

pub(crate) fn merge(call: &mut Call<'_, '_>) -> Answer {
    merge_all(call, false)
}

pub(crate) fn merge_overwrite(call: &mut Call<'_, '_>) -> Answer {
    merge_all(call, true)
}

fn merge_all(call: &mut Call<'_, '_>, overwrite: bool) -> Answer {
    let mut target = call.map(0);
    for index in 1..call.args.len() {
        let source = call.map(index);
        if target.is_nil() && !source.is_nil() {
            target = Map::new();
        }
        if !target.is_nil() {
            merge_into(call.exec, &target, &source, overwrite, 0)?;
        }
    }
    Ok(target.into())
}

/// `mergo.Merge` for maps. Without `overwrite`, what is empty in the target is filled; with it, everything in the source
/// replaces, even what is empty there; maps on both sides are merged in either case.
///
/// Only maps on both sides are looked into: values below may hold each other, and themselves, as charts do that collect what they make in `.Values`.
fn merge_into(
    exec: &mut Exec<'_>,
    target: &Map,
    source: &Map,
    overwrite: bool,
    depth: usize,
) -> Result<(), FunctionError> {
    if depth > DEEPEST {
        return Err(too_deep());
    }
    if target.same(source) {
        return Ok(());
    }
    exec.weigh(&source.clone().into())?;
    for (key, value) in source.entries() {
        let present = target.get(&key);
        if matches!(value, Value::Nil) {
            if overwrite {
                target.insert(key, value);
            }
            continue;
        }
        let inner = value.as_map();
        let below = present.as_ref().and_then(Value::as_map);
        if let (Some(inner), Some(below)) = (&inner, &below)
            && !below.is_nil()
        {
            merge_into(exec, below, inner, overwrite, depth + 1)?;
        }
        if let Some(present) = &present
            && !is_unset(present)
        {
            if value.as_list().is_some() {
                if overwrite {
                    target.insert(key, value);
                }
                continue;
            }
            if (inner.is_some() && below.is_some()) || !overwrite {
                continue;
            }
        }
        target.insert(key, value);
    }
    Ok(())
}

/// mergo's `isEmptyValue`: sprig's `empty`, but a nil pointer's target counts and structs are never empty.
fn is_unset(value: &Value) -> bool {
    is_empty(value)
}

pub(crate) fn deep_copy(call: &mut Call<'_, '_>) -> Answer {
    if matches!(call.value(0), Value::Nil) {
        return Err("reflect: call of reflect.Value.Type on zero Value".into());
    }
    // Copies are kept, and are no text that is charged by itself.
    let original = call.value(0).clone();
    let bytes = call.exec.weigh_whole(&original)?;
    call.exec.charge(bytes)?;
    copied(&original, 0)
}

fn copied(value: &Value, depth: usize) -> Answer {
    if depth > DEEPEST {
        return Err(too_deep());
    }
    Ok(match value {
        Value::Map(map) if map.is_nil() => value.clone(),
        Value::Map(map) => {
            let copy = Map::typed(map.go_type());
            for (key, value) in map.entries() {
                copy.insert(key, copied(&value, depth + 1)?);
            }
            copy.into()
        }
        Value::List(list) if list.is_nil() => value.clone(),
        Value::List(list) => {
            let items = list.items().iter().map(|item| copied(item, depth + 1)).collect::<Result<_, _>>()?;
            List::typed(list.go_type(), items).into()
        }
        // The original cannot copy fields that are not exported: a version comes out blank.
        Value::Object(_) => match value.downcast::<VersionObject>() {
            Some(version) => Value::object(version.blank()),
            None => value.clone(),
        },
        _ => value.clone(),
    })
}

pub(crate) fn dig(call: &mut Call<'_, '_>) -> Answer {
    let [keys @ .., default, dict] = &call.args[..] else { return Err("dig needs at least three arguments".into()) };
    if keys.is_empty() {
        return Err("dig needs at least three arguments".into());
    }
    let mut map = plain_map(dict)?;
    let mut names = Vec::new();
    for (index, key) in keys.iter().enumerate() {
        match key {
            Value::Str(_) | Value::Binary(_) => names.push(call.text(index)),
            _ => return Err(wrong_assertion(key, Type::String)),
        }
    }
    for (index, name) in names.iter().enumerate() {
        let Some(step) = map.get(name) else { return Ok(default.clone()) };
        if index + 1 == names.len() {
            return Ok(step);
        }
        map = plain_map(&step)?;
    }
    Ok(default.clone())
}

/// `x.(map[string]interface{})`: a defined type such as `chartutil.Values` does not pass.
fn plain_map(value: &Value) -> Result<Map, FunctionError> {
    match value {
        Value::Map(map) if map.go_type() == Type::MAP => Ok(map.clone()),
        _ => Err(wrong_assertion(value, Type::MAP)),
    }
}
