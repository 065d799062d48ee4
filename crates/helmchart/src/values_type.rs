//! The type of `.Values`, `.Template` and a template's dot, with its methods: `pkg/chartutil/values.go` of Helm 3, `pkg/chart/common/values.go` of Helm 4.

use gotemplate::{Exec, FunctionError, Map, Method, Named, Signature, Twins, Type, Untouched, Value};
use source::Text;

use crate::HelmVersion;
use crate::functions::helm::yaml_text;

static VALUES_V3: Named = Named { name: "chartutil.Values", underlying: Type::MAP, methods: METHODS };
static VALUES_V4: Named = Named { name: "common.Values", underlying: Type::MAP, methods: METHODS };

const METHODS: &[Method] = &[
    Method {
        name: "AsMap",
        signature: Signature::fixed(&[]),
        body: |_, args| Ok(Value::Map(as_map(&receiver(&args)))),
        twins: Twins::Once(Untouched::All),
    },
    Method {
        name: "Encode",
        // No template has one to give.
        signature: Signature::fixed(&[Type::Object("io.Writer")]),
        body: |_, _| Ok(Value::Nil),
        twins: Twins::Never,
    },
    Method {
        name: "PathValue",
        signature: Signature::fixed(&[Type::String]),
        body: |_, args| path_value(&receiver(&args), &path(&args)),
        twins: Twins::Once(Untouched::At(0)),
    },
    Method {
        name: "Table",
        signature: Signature::fixed(&[Type::String]),
        body: |_, args| table(&receiver(&args), &path(&args)).map(Value::Map),
        twins: Twins::Once(Untouched::At(0)),
    },
    Method { name: "YAML", signature: Signature::fixed(&[]), body: yaml, twins: Twins::Each },
];

/// The type of `.Values` and `.Template`.
pub(crate) fn values_type(helm: HelmVersion) -> Type {
    Type::Named(match helm {
        HelmVersion::V3 => &VALUES_V3,
        HelmVersion::V4 => &VALUES_V4,
    })
}

fn receiver(args: &[Value]) -> Map {
    args.first().and_then(Value::as_map).unwrap_or_default()
}

fn path(args: &[Value]) -> Text {
    args.get(1).and_then(Value::as_text).cloned().unwrap_or_default()
}

/// The same map; of one without entries, an empty one that nobody else has.
fn as_map(values: &Map) -> Map {
    if values.is_empty() { Map::new() } else { values.retyped(Type::MAP) }
}

fn table(values: &Map, path: &str) -> Result<Map, FunctionError> {
    let own = values.go_type();
    path.split('.').try_fold(values.clone(), |table, name| match table.get(name) {
        Some(Value::Map(below)) if below.go_type() == own || below.go_type() == Type::MAP => Ok(below.retyped(own)),
        _ => Err(FunctionError::new(format!("{} is not a table", quoted(name)))),
    })
}

fn path_value(values: &Map, path: &str) -> Result<Value, FunctionError> {
    if path.is_empty() {
        return Err(FunctionError::new("YAML path cannot be empty"));
    }
    let (above, name) = match path.rsplit_once('.') {
        Some((above, name)) => (table(values, above).ok(), name),
        None => (Some(values.clone()), path),
    };
    let value = above.and_then(|table| table.get(name));
    let is_table = |value: &Value| matches!(value, Value::Map(map) if map.go_type() == Type::MAP);
    value.filter(|value| !is_table(value)).ok_or_else(|| FunctionError::new(format!("{} is not a value", quoted(name))))
}

fn yaml(exec: &mut Exec<'_>, args: Vec<Value>) -> Result<Value, FunctionError> {
    let values = args.first().unwrap_or(&Value::Nil);
    exec.weigh_whole(values)?;
    yaml_text(values).map(Value::Str)
}

fn quoted(name: &str) -> String {
    gotemplate::format::quote(name.as_bytes())
}
