//! Values in the form that `tools/yamloracle` prints.

use yamlspan::Data;

pub(crate) fn canonical(data: &Data) -> String {
    match data {
        Data::Null => "N".to_owned(),
        Data::Bool(value) => format!("B{value}"),
        Data::Int(value) => format!("I{value}"),
        Data::Uint(value) => format!("I{value}"),
        Data::Float(value) => format!("F{}", yamlspan::emit::go_float(*value)),
        Data::Str(text) => format!("S{}:{}", text.len(), text.as_str()),
        Data::Seq(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Data::Map(entries) => {
            let mut entries: Vec<(&str, String)> =
                entries.iter().map(|(key, value)| (key.as_str(), canonical(value))).collect();
            entries.sort();
            let entries: Vec<String> =
                entries.iter().map(|(key, value)| format!("S{}:{key}={value}", key.len())).collect();
            format!("{{{}}}", entries.join(","))
        }
    }
}
