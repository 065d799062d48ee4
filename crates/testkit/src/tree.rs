use std::fmt;

use serde_json::Value;

/// Where two trees first differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// `$.services.web.ports[0]`.
    pub path: String,
    /// What the first tree has there; `None` if it has nothing.
    pub left: Option<Value>,
    /// What the second tree has there.
    pub right: Option<Value>,
}

/// The first difference of two JSON trees, in the order of the keys; the order of keys is no difference, `1` and `1.0` are one.
#[must_use]
pub fn first_difference(left: &Value, right: &Value) -> Option<Difference> {
    walk("$", Some(left), Some(right))
}

/// Panics with the first difference.
#[track_caller]
pub fn assert_same_tree(expected: &Value, actual: &Value) {
    if let Some(difference) = first_difference(expected, actual) {
        panic!("the trees differ at {difference}");
    }
}

fn walk(path: &str, left: Option<&Value>, right: Option<&Value>) -> Option<Difference> {
    match (left, right) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let mut keys: Vec<&String> = a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))).collect();
            keys.sort();
            keys.into_iter().find_map(|key| walk(&format!("{path}.{key}"), a.get(key), b.get(key)))
        }
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            (0..a.len().max(b.len())).find_map(|at| walk(&format!("{path}[{at}]"), a.get(at), b.get(at)))
        }
        _ if left == right => None,
        _ => Some(Difference { path: path.to_owned(), left: left.cloned(), right: right.cloned() }),
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<Value>| value.as_ref().map_or_else(|| "nothing".to_owned(), Value::to_string);
        write!(f, "{}: {} against {}", self.path, shown(&self.left), shown(&self.right))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_difference_has_a_path() {
        let left = json!({"a": [1, {"b": "x"}], "c": 1});
        let right = json!({"c": 2, "a": [1, {"b": "y", "d": null}]});
        let difference = first_difference(&left, &right).unwrap();
        assert_eq!(difference.to_string(), r#"$.a[1].b: "x" against "y""#);
    }

    #[test]
    fn absent_is_not_null() {
        let difference = first_difference(&json!({"a": null}), &json!({})).unwrap();
        assert_eq!(difference.to_string(), "$.a: null against nothing");
        assert_same_tree(&json!({"a": 1, "b": 2}), &json!({"b": 2, "a": 1}));
    }
}
