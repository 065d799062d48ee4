//! Variables in a configuration: `${env:NAME}`, `${env:NAME:-default}` and `${NAME}`.
//!
//! Trees keep them as they are written, so that twins can be compared. To judge one value (does it listen on loopback?)
//! it is expanded with what the container is known to be given.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::place::Path;

/// Expansions in one value. The collector gives up after 1,000 rounds; nobody writes more than a few.
const MOST_EXPANSIONS: usize = 100;

/// The environment of one container, as far as its profile says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Variables(pub(crate) BTreeMap<Arc<str>, Variable>);

/// One variable of a container.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    /// Absent where only the running system knows it: a Secret, a field of the pod.
    pub(crate) text: Option<Arc<str>>,
    /// Where its value stands in the rendered object of the container; absent where it comes from another object.
    pub(crate) path: Option<Path>,
}

/// A value with its variables replaced as far as they are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expanded {
    pub(crate) text: String,
    /// Whether nothing is left to replace.
    pub(crate) complete: bool,
}

impl Variables {
    /// Replaces what is known. Unknown is a variable that only the running system has, and one that is set nowhere: the image may
    /// set it.
    pub(crate) fn expand(&self, written: &str) -> Expanded {
        let mut text = written.to_owned();
        for _ in 0..MOST_EXPANSIONS {
            let Some((start, end)) = innermost(&text) else {
                return Expanded { text: text.replace("$$", "$"), complete: true };
            };
            let inner = text.get(start + "${".len()..end).unwrap_or_default();
            let Some(value) = self.value(inner) else { break };
            text.replace_range(start..=end, &value);
        }
        Expanded { text, complete: false }
    }

    /// What stands between the braces, if it is known.
    fn value(&self, inner: &str) -> Option<String> {
        let name = match inner.split_once(':') {
            None => inner,
            Some(("env", rest)) => rest,
            // Another file, or a provider of the collector's own.
            Some(_) => return None,
        };
        let (name, default) = match name.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (name, None),
        };
        match self.0.get(name) {
            Some(variable) => variable.text.as_deref().map(str::to_owned),
            None => default.map(str::to_owned),
        }
    }
}

/// The innermost `${…}` that ends first: the byte of its `$` and the byte of its `}`. `$${` is an escaped one.
fn innermost(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(end) = text.get(from..)?.find('}').map(|at| from + at) {
        let open = text.get(from..end)?.rfind("${").map(|at| from + at);
        if let Some(open) = open {
            let dollars = text.get(..open)?.bytes().rev().take_while(|byte| *byte == b'$').count();
            if dollars % 2 == 0 {
                return Some((open, end));
            }
        }
        from = end + 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_variables_are_replaced() {
        let variable = |text: Option<&str>| Variable { text: text.map(Arc::from), path: None };
        let variables = Variables(BTreeMap::from([
            (Arc::from("HOST"), variable(Some("127.0.0.1"))),
            (Arc::from("POD_IP"), variable(None)),
            (Arc::from("EMPTY"), variable(Some(""))),
        ]));
        for (written, text, complete) in [
            ("0.0.0.0:4317", "0.0.0.0:4317", true),
            ("${env:HOST}:4317", "127.0.0.1:4317", true),
            ("${HOST}:${env:PORT:-4317}", "127.0.0.1:4317", true),
            ("${env:HOST:-0.0.0.0}:1", "127.0.0.1:1", true),
            ("${env:OTHER:-${env:HOST}}:1", "127.0.0.1:1", true),
            ("${env:EMPTY}:1", ":1", true),
            ("${env:POD_IP}:4317", "${env:POD_IP}:4317", false),
            ("${env:OTHER}:1", "${env:OTHER}:1", false),
            ("${file:/etc/x}", "${file:/etc/x}", false),
            ("$${env:HOST} $$5", "${env:HOST} $5", true),
            ("a } b ${env:HOST}", "a } b 127.0.0.1", true),
        ] {
            assert_eq!(variables.expand(written), Expanded { text: text.to_owned(), complete }, "{written}");
        }
    }

    #[test]
    fn what_expands_to_itself_ends() {
        let own = Variable { text: Some(Arc::from("${env:A}x")), path: None };
        let variables = Variables(BTreeMap::from([(Arc::from("A"), own)]));
        assert!(!variables.expand("${env:A}").complete);
    }

    #[test]
    fn so_many_are_expanded_in_one_value() {
        let complete = |count: usize| Variables(BTreeMap::new()).expand(&"${env:A:-b}".repeat(count)).complete;
        assert!(complete(99) && !complete(100));
    }
}
