//! Values in the form that `tools/yamloracle` prints.

use source::octets;
use yamlspan::Data;

pub(crate) fn canonical(data: &Data) -> String {
    match data {
        Data::Null => "N".to_owned(),
        Data::Bool(value) => format!("B{value}"),
        Data::Int(value) => format!("I{value}"),
        Data::Uint(value) => format!("I{value}"),
        Data::Float(value) => format!("F{}", yamlspan::emit::go_float(*value)),
        Data::Str(text) => string(text),
        Data::Seq(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Data::Map(entries) => {
            let mut entries: Vec<_> = entries.iter().map(|(key, value)| (octets::unmarked(key), key, value)).collect();
            entries.sort_by(|(a, ..), (b, ..)| a.cmp(b));
            let entries: Vec<String> =
                entries.iter().map(|(_, key, value)| format!("{}={}", string(key), canonical(value))).collect();
            format!("{{{}}}", entries.join(","))
        }
    }
}

/// What is no UTF-8 comes through JSON, but its length is that of the bytes.
fn string(text: &str) -> String {
    format!("S{}:{}", octets::unmarked(text).len(), octets::replaced(text))
}
