//! Helm's own functions: YAML and TOML, templates from templates, and stopping.

use gotemplate::{FunctionError, Value};
use source::{FileId, Text, octets};
use yamlspan::decode::{self, Options, Target};
use yamlspan::emit;

use super::call::Call;
use super::encoding::error_map;
use super::go::{Answer, quote};
use super::interchange::{self, Way};
use super::toml;

/// Around the message of `fail` and `required`, so that the renderer can cut Go's words off around it.
pub(crate) const WARNING_START: &str = "HELM_ERR_START";
/// See [`WARNING_START`].
pub(crate) const WARNING_END: &str = "HELM_ERR_END";

/// What Go prints for a value that is not there; Helm takes it out of everything that was rendered.
const NO_VALUE: &str = "<no value>";

/// The panic of the original's encoder when it is given nothing.
const NIL_TO_TOML: &str = "reflect: call of reflect.Value.Type on zero Value";

/// The name of the template that all others belong to.
const ROOT: &str = "gotpl";

fn marked(message: &str) -> FunctionError {
    FunctionError::new(format!("{WARNING_START}{message}{WARNING_END}"))
}

pub(crate) fn include(call: &mut Call<'_, '_>) -> Answer {
    let name = call.text(0);
    let Some(template) = call.exec.set().lookup(&name).cloned() else {
        // Helm has counted the name by now; a failed render does not mind.
        return Err(no_template(&name));
    };
    let context = call.functions.context;
    let dot = call.value(1).clone();
    let printed = call.functions.included.print(context, call.exec, &template, dot, |exec, dot| {
        if !context.enter_include(&name) {
            let message = "unable to execute template";
            return Err(format!("rendering template has a nested reference name: {name}: {message}").into());
        }
        let result = exec.run_template(&template, dot);
        context.leave_include(&name);
        Ok(result?)
    })?;
    Ok(printed.into())
}

fn no_template(name: &str) -> FunctionError {
    format!("template: no template {} associated with template \"{ROOT}\"", quote(name)).into()
}

pub(crate) fn tpl(call: &mut Call<'_, '_>) -> Answer {
    let text = match call.value(0) {
        Value::Str(text) if octets::first_mark(text).is_none() => text.clone(),
        value => Text::from(&*octets::marked(value.string_bytes().unwrap_or_default())),
    };
    if !text.contains("{{") {
        // Nothing to run. Helm would parse and print the same text.
        return Ok(Value::string_from_marked(without_no_value(&text)));
    }
    let mut set = call.exec.set().clone();
    let template = set
        .parse(ROOT, &text, call.exec.functions())
        .map_err(|error| FunctionError::wrapping(format!("cannot parse template {}: {error}", quote(&text)), error))?;
    let dot = call.value(1).clone();
    let rendered = call.exec.with_set(set, |exec| exec.run_template(&template, dot)).map_err(|error| {
        let message = format!("error during tpl function execution for {}: {error}", quote(&text));
        FunctionError::wrapping(message, error)
    })?;
    Ok(rendered.map(|text| without_no_value(&text)).into())
}

/// The text without what Go prints for missing values.
pub(crate) fn without_no_value(text: &Text) -> Text {
    // Looking for one byte is much faster than for a word, and few texts have it.
    let mut at = memchr::memchr_iter(b'<', text.as_str().as_bytes());
    if at.any(|at| text.as_str()[at..].starts_with(NO_VALUE)) {
        text.replaced(NO_VALUE, &Text::default())
    } else {
        text.clone()
    }
}

pub(crate) fn required(call: &mut Call<'_, '_>) -> Answer {
    let missing = match call.value(1) {
        Value::Nil => true,
        value => value.string_bytes().is_some_and(<[u8]>::is_empty),
    };
    if !missing {
        return Ok(call.value(1).clone());
    }
    let warning = call.text(0);
    if call.functions.context.lint {
        call.functions.context.warn(format!("[INFO] Missing required value: {warning}"));
        return Ok("".into());
    }
    Err(marked(&warning))
}

pub(crate) fn fail(call: &mut Call<'_, '_>) -> Answer {
    let message = call.text(0);
    if call.functions.context.lint {
        call.functions.context.warn(format!("[INFO] Fail: {message}"));
        return Ok("".into());
    }
    Err(marked(&message))
}

fn without_line_end(call: &mut Call<'_, '_>, text: &Text) -> Answer {
    call.exec.charge(text.len())?;
    Ok(text.trimmed(|text| text.strip_suffix('\n').unwrap_or(text)).into())
}

pub(crate) fn to_yaml(call: &mut Call<'_, '_>) -> Answer {
    match interchange::data(call.value(0), Way::Json) {
        Some(data) => without_line_end(call, &emit::go_yaml_v2(&data)),
        None => Ok("".into()),
    }
}

pub(crate) fn must_to_yaml(call: &mut Call<'_, '_>) -> Answer {
    let text = yaml_text(call.value(0))?;
    without_line_end(call, &text)
}

/// What sigs.k8s.io/yaml writes.
pub(crate) fn yaml_text(value: &Value) -> Result<Text, FunctionError> {
    if let Some(data) = interchange::data(value, Way::Json) {
        return Ok(emit::go_yaml_v2(&data));
    }
    // The words come from the JSON step.
    let style = super::json::Style { escape_html: true, pretty: false };
    let error = super::json::write(value, style).err();
    let error = error.unwrap_or_else(|| "yaml: control characters are not allowed".to_owned());
    Err(format!("error marshaling into JSON: {error}").into())
}

pub(crate) fn to_yaml_pretty(call: &mut Call<'_, '_>) -> Answer {
    match interchange::data(call.value(0), Way::Direct) {
        Some(data) => without_line_end(call, &emit::go_yaml_v3(&data, 2)),
        None => Ok("".into()),
    }
}

/// The argument as go-yaml reads it.
fn yaml_of(call: &Call<'_, '_>) -> Text {
    match call.value(0) {
        Value::Str(text) => text.clone(),
        value => Text::from(&*octets::decoded(value.string_bytes().unwrap_or_default())),
    }
}

fn from_yaml_text(text: &Text, target: Target) -> Result<Value, String> {
    let file = text.segments().iter().find_map(|segment| segment.origin.spans().first().map(|span| span.file));
    let file = file.unwrap_or(FileId(u32::MAX));
    let read = |target| decode::json_value(text, file, Options { target, ..Options::default() });
    read(target).map(interchange::value).map_err(|error| error.to_string())
}

pub(crate) fn from_yaml(call: &mut Call<'_, '_>) -> Answer {
    let text = yaml_of(call);
    call.charge_reading(&text)?;
    Ok(from_yaml_text(&text, Target::Map).unwrap_or_else(|error| error_map(error, &text)))
}

pub(crate) fn from_yaml_array(call: &mut Call<'_, '_>) -> Answer {
    let text = yaml_of(call);
    call.charge_reading(&text)?;
    let failed = |error: String| Value::list(vec![Text::derived_from(error, [&text]).into()]);
    Ok(from_yaml_text(&text, Target::Array).unwrap_or_else(failed))
}

pub(crate) fn to_toml(call: &mut Call<'_, '_>) -> Answer {
    if matches!(call.value(0), Value::Nil) {
        return Err(NIL_TO_TOML.into());
    }
    let text = toml::write(call.value(0)).unwrap_or_else(Text::from);
    call.exec.charge(text.len())?;
    Ok(text.into())
}

pub(crate) fn must_to_toml(call: &mut Call<'_, '_>) -> Answer {
    if matches!(call.value(0), Value::Nil) {
        return Err(NIL_TO_TOML.into());
    }
    let text = toml::write(call.value(0))?;
    call.exec.charge(text.len())?;
    Ok(text.into())
}

pub(crate) fn from_toml(call: &mut Call<'_, '_>) -> Answer {
    let text = call.text(0);
    call.charge_reading(&text)?;
    Ok(toml::read(&text).unwrap_or_else(|error| error_map(error, &text)))
}
