//! Defaults and choices. They give back the value itself, so its origin stays known.

use gotemplate::Value;

use super::call::Call;
use super::go::{Answer, is_empty};

pub(crate) fn default(call: &mut Call<'_, '_>) -> Answer {
    match call.args.get(1) {
        Some(given) if !is_empty(given) => Ok(given.clone()),
        _ => Ok(call.value(0).clone()),
    }
}

pub(crate) fn empty(call: &mut Call<'_, '_>) -> Answer {
    Ok(is_empty(call.value(0)).into())
}

pub(crate) fn coalesce(call: &mut Call<'_, '_>) -> Answer {
    Ok(call.args.iter().find(|value| !is_empty(value)).cloned().unwrap_or(Value::Nil))
}

pub(crate) fn all(call: &mut Call<'_, '_>) -> Answer {
    Ok((!call.args.iter().any(is_empty)).into())
}

pub(crate) fn any(call: &mut Call<'_, '_>) -> Answer {
    Ok((!call.args.iter().all(is_empty)).into())
}

pub(crate) fn ternary(call: &mut Call<'_, '_>) -> Answer {
    Ok(call.value(usize::from(!call.boolean(2))).clone())
}
