//! Plain values to the bytes go-yaml writes.

mod binary;
mod json_trip;
mod order;
mod scalar;
mod writer;

use source::Text;

use crate::{Data, Error};
use writer::{Writer, Written};

/// What `sigs.k8s.io/yaml.Marshal` writes (go-yaml v2): natural key order, sequences at their parent's indent, folding at
/// column 80. Ends with a line feed (Helm's `toYaml` trims it). Traced if the data is. Empty where Go gives an error, as
/// Helm's `toYaml` has it; see [`try_go_yaml_v2`].
#[must_use]
pub fn go_yaml_v2(data: &Data) -> Text {
    try_go_yaml_v2(data).unwrap_or_default()
}

/// As [`go_yaml_v2`].
///
/// # Errors
/// Values that do not survive the way through JSON, in Go's words: infinities, forbidden characters, very long keys.
pub fn try_go_yaml_v2(data: &Data) -> Result<Text, Error> {
    let data = json_trip::through_json(data)?;
    Ok(Writer::new(Written::V2, 2).document(&data))
}

/// What go-yaml v3's encoder writes with `SetIndent(indent)` (Helm's `toYamlPretty` uses 2). Lines are not folded.
#[must_use]
pub fn go_yaml_v3(data: &Data, indent: usize) -> Text {
    Writer::new(Written::V3, indent).document(data)
}

/// What go-yaml v4's encoder writes with `SetIndent(indent)` (Compose's `config` uses 2).
#[must_use]
pub fn go_yaml_v4(data: &Data, indent: usize) -> Text {
    Writer::new(Written::V4, indent).document(data)
}

/// A float as Go's `strconv.FormatFloat(value, 'g', -1, 64)` has it, which is what `%v` prints.
#[must_use]
pub fn go_float(value: f64) -> String {
    crate::number::format_g(value)
}

/// As [`go_yaml_v4`], but keys stay in the order given: for what Go has as structs. The caller sorts what Go has as maps.
#[must_use]
pub fn go_yaml_v4_in_order(data: &Data, indent: usize) -> Text {
    Writer::new(Written::V4, indent).keep_order().document(data)
}

/// Entries of a Go map in the order in which go-yaml v4 writes them.
#[must_use]
pub fn in_go_order<T>(entries: Vec<(&str, T)>) -> Vec<(&str, T)> {
    order::sort(entries, Written::V4)
}
