//! `urlParse` and `urlJoin`.

use gotemplate::{FunctionError, Map, Value};
use source::Text;

use super::call::Call;
use super::go::{Answer, NIL_DEREFERENCE, derived};
use super::url::Url;

pub(crate) fn url_parse(call: &mut Call<'_, '_>) -> Answer {
    let text = call.value(0);
    let url = Url::parse(&call.text(0)).map_err(|error| format!("unable to parse url: {error}"))?;
    let user = url.user.as_ref().map(super::url::User::text).unwrap_or_default();
    let map = Map::new();
    for (key, part) in [
        ("hostname", url.hostname()),
        ("scheme", url.scheme.into_bytes()),
        ("host", url.host),
        ("path", url.path),
        ("query", url.query),
        ("opaque", url.opaque),
        ("fragment", url.fragment),
        ("userinfo", user.into_bytes()),
    ] {
        map.insert(key, located(text, part));
    }
    Ok(map.into())
}

/// A part of a URL that stands in it once keeps its origin.
fn located(whole: &Value, part: Vec<u8>) -> Value {
    if let (Some(text), Ok(string)) = (whole.as_text(), std::str::from_utf8(&part))
        && text.is_traced()
        && !string.is_empty()
        && let Some(at) = text.find(string)
        && text.rfind(string) == Some(at)
    {
        return text.slice(at..at + string.len()).into();
    }
    derived(part, &[whole])
}

pub(crate) fn url_join(call: &mut Call<'_, '_>) -> Answer {
    let map = call.map(0);
    let mut inputs: Vec<Text> = Vec::new();
    let mut part = |key: &str| -> Result<Vec<u8>, FunctionError> {
        match map.get(key) {
            None => Ok(Vec::new()),
            Some(Value::Nil) => Err(NIL_DEREFERENCE.into()),
            Some(value) => match value.string_bytes() {
                Some(bytes) => {
                    inputs.extend(value.as_text().cloned());
                    Ok(bytes.to_vec())
                }
                None => {
                    let kind = value.kind();
                    Err(format!("unable to parse {key} key, must be of type string, but {kind} found").into())
                }
            },
        }
    };
    let mut url = Url::default();
    url.scheme = String::from_utf8_lossy(&part("scheme")?).into_owned();
    url.host = part("host")?;
    url.path = part("path")?;
    url.query = part("query")?;
    url.opaque = part("opaque")?;
    url.fragment = part("fragment")?;
    let user = part("userinfo")?;
    if !user.is_empty() {
        let user = String::from_utf8_lossy(&user).into_owned();
        let parsed = Url::parse(&format!("proto://{user}@host"))
            .map_err(|error| format!("unable to parse userinfo in dict: {error}"))?;
        url.user = parsed.user;
    }
    let text = String::from_utf8_lossy(&url.text()).into_owned();
    Ok(Text::derived_from(text, &inputs).into())
}
