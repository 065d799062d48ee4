//! Base 64, base 32 and JSON.

use gotemplate::{Map, Value};
use source::Text;

use super::base_n;
use super::call::Call;
use super::go::{Answer, derived};
use super::json::{self, Style, Target};

const COMPACT: Style = Style { escape_html: true, pretty: false };

fn encoded(call: &Call<'_, '_>, encode: fn(&[u8]) -> String) -> Answer {
    Ok(derived(encode(&call.bytes(0)).into_bytes(), &[call.value(0)]))
}

/// A text that cannot be decoded gives the error's words, as in sprig.
fn decoded(call: &Call<'_, '_>, decode: fn(&[u8]) -> Result<Vec<u8>, String>) -> Answer {
    let bytes = decode(&call.bytes(0)).unwrap_or_else(String::into_bytes);
    Ok(derived(bytes, &[call.value(0)]))
}

pub(crate) fn b64enc(call: &mut Call<'_, '_>) -> Answer {
    encoded(call, base_n::base64)
}

pub(crate) fn b64dec(call: &mut Call<'_, '_>) -> Answer {
    decoded(call, base_n::from_base64)
}

pub(crate) fn b32enc(call: &mut Call<'_, '_>) -> Answer {
    encoded(call, base_n::base32)
}

pub(crate) fn b32dec(call: &mut Call<'_, '_>) -> Answer {
    decoded(call, base_n::from_base32)
}

fn charged(call: &mut Call<'_, '_>, text: Text) -> Answer {
    call.exec.charge(text.len())?;
    Ok(text.into())
}

pub(crate) fn to_json(call: &mut Call<'_, '_>) -> Answer {
    let text = json::write(call.value(0), COMPACT).unwrap_or_default();
    charged(call, text)
}

pub(crate) fn must_to_json(call: &mut Call<'_, '_>) -> Answer {
    let text = json::write(call.value(0), COMPACT)?;
    charged(call, text)
}

pub(crate) fn to_pretty_json(call: &mut Call<'_, '_>) -> Answer {
    let text = json::write(call.value(0), Style { pretty: true, ..COMPACT }).unwrap_or_default();
    charged(call, text)
}

pub(crate) fn must_to_pretty_json(call: &mut Call<'_, '_>) -> Answer {
    let text = json::write(call.value(0), Style { pretty: true, ..COMPACT })?;
    charged(call, text)
}

pub(crate) fn to_raw_json(call: &mut Call<'_, '_>) -> Answer {
    let text = json::write(call.value(0), Style { escape_html: false, pretty: false })?;
    charged(call, text)
}

pub(crate) fn must_from_json(call: &mut Call<'_, '_>) -> Answer {
    Ok(json::read(&call.text(0), Target::Any)?)
}

pub(crate) fn from_json(call: &mut Call<'_, '_>) -> Answer {
    let text = call.text(0);
    call.charge_reading(&text)?;
    Ok(json::read(&text, Target::Map).unwrap_or_else(|error| error_map(error, &text)))
}

pub(crate) fn from_json_array(call: &mut Call<'_, '_>) -> Answer {
    let text = call.text(0);
    call.charge_reading(&text)?;
    let failed = |error: String| Value::list(vec![Text::derived_from(error, [&text]).into()]);
    Ok(json::read(&text, Target::List).unwrap_or_else(failed))
}

/// Helm gives errors of decoding as a map with one key.
pub(crate) fn error_map(error: String, text: &Text) -> Value {
    let map = Map::new();
    map.insert("Error", Text::derived_from(error, [text]).into());
    map.into()
}
