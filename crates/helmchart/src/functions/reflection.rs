//! What a value is.

use super::call::Call;
use super::go::Answer;

pub(crate) fn type_of(call: &mut Call<'_, '_>) -> Answer {
    Ok(call.value(0).type_name().into_owned().into())
}

pub(crate) fn type_is(call: &mut Call<'_, '_>) -> Answer {
    Ok((call.text(0).as_str() == call.value(1).type_name()).into())
}

pub(crate) fn type_is_like(call: &mut Call<'_, '_>) -> Answer {
    let (target, name) = (call.text(0), call.value(1).type_name());
    Ok((target.as_str() == name || name.strip_prefix('*') == Some(target.as_str())).into())
}

pub(crate) fn kind_of(call: &mut Call<'_, '_>) -> Answer {
    Ok(call.value(0).kind().as_str().into())
}

pub(crate) fn kind_is(call: &mut Call<'_, '_>) -> Answer {
    Ok((call.text(0).as_str() == call.value(1).kind().as_str()).into())
}

pub(crate) fn deep_equal(call: &mut Call<'_, '_>) -> Answer {
    Ok(gotemplate::deep_equal(call.value(0), call.value(1)).into())
}
