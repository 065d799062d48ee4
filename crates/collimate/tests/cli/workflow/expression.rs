//! The expressions of workflows, as far as ours use them: contexts, strings, `==`, `!=`, `!`, `&&`, `||`, and `always()`.

/// What an expression may look up: `secrets.X`, `steps.ID.outputs.NAME`; `None` is an unknown context and fails the test.
pub(super) type Lookup<'l> = &'l dyn Fn(&str) -> Option<String>;

/// On hosts, the text `false` is true, as every text is that is not empty.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Text(String),
    Bool(bool),
}

impl Value {
    fn is_true(&self) -> bool {
        match self {
            Self::Text(text) => !text.is_empty(),
            Self::Bool(holds) => *holds,
        }
    }

    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Bool(holds) => holds.to_string(),
        }
    }
}

/// A text with `${{ … }}` in it.
#[track_caller]
pub(super) fn interpolate(text: &str, lookup: Lookup<'_>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${{") {
        let (expression, after) = after.split_once("}}").unwrap_or_else(|| panic!("`{text}` is not closed"));
        out.push_str(before);
        out.push_str(&Parser::value(expression, lookup).text());
        rest = after;
    }
    out + rest
}

/// Whether a step or job with this condition runs. Without `always()`, nothing may have failed before.
#[track_caller]
pub(super) fn holds(condition: Option<&str>, has_failed: bool, lookup: Lookup<'_>) -> bool {
    let Some(condition) = condition else { return !has_failed };
    (condition.contains("always()") || !has_failed) && Parser::value(condition, lookup).is_true()
}

struct Parser<'t, 'l> {
    rest: &'t str,
    lookup: Lookup<'l>,
}

impl<'t, 'l> Parser<'t, 'l> {
    #[track_caller]
    fn value(text: &'t str, lookup: Lookup<'l>) -> Value {
        let mut parser = Self { rest: text.trim(), lookup };
        let value = parser.or();
        assert!(parser.rest.is_empty(), "`{}` of `{text}` is not understood", parser.rest);
        value
    }

    fn eat(&mut self, token: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(token) else { return false };
        self.rest = rest.trim_start();
        true
    }

    fn or(&mut self) -> Value {
        let mut value = self.and();
        while self.eat("||") {
            let other = self.and();
            value = if value.is_true() { value } else { other };
        }
        value
    }

    fn and(&mut self) -> Value {
        let mut value = self.comparison();
        while self.eat("&&") {
            let other = self.comparison();
            value = if value.is_true() { other } else { value };
        }
        value
    }

    fn comparison(&mut self) -> Value {
        let value = self.primary();
        // Hosts compare without case.
        if self.eat("==") {
            return Value::Bool(value.text().eq_ignore_ascii_case(&self.primary().text()));
        }
        if self.eat("!=") {
            return Value::Bool(!value.text().eq_ignore_ascii_case(&self.primary().text()));
        }
        value
    }

    fn primary(&mut self) -> Value {
        if self.eat("(") {
            let value = self.or();
            assert!(self.eat(")"), "a bracket is not closed before `{}`", self.rest);
            return value;
        }
        if self.eat("!") {
            return Value::Bool(!self.primary().is_true());
        }
        if let Some(rest) = self.rest.strip_prefix('\'') {
            let (text, rest) = rest.split_once('\'').unwrap_or_else(|| panic!("a string is not closed: `{rest}`"));
            self.rest = rest.trim_start();
            return Value::Text(text.to_owned());
        }
        if self.eat("always()") {
            return Value::Bool(true);
        }
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || ".-_".contains(letter);
        let end = self.rest.find(|letter| !is_name(letter)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        Value::Text((self.lookup)(name).unwrap_or_else(|| panic!("the context `{name}` is not known")))
    }
}

#[test]
fn expressions_mean_what_they_mean_on_a_host() {
    let lookup = |name: &str| match name {
        "vars.X" => Some(String::new()),
        "secrets.X" => Some("from a secret".to_owned()),
        "vars.OFF" => Some("false".to_owned()),
        "steps.a.outcome" => Some("success".to_owned()),
        _ => None,
    };
    assert_eq!(interpolate("<${{ vars.X || secrets.X }}>", &lookup), "<from a secret>");
    assert_eq!(interpolate("${{ vars.X }}${{vars.X||vars.X}}", &lookup), "");
    assert_eq!(interpolate("${{ vars.OFF || secrets.X }}", &lookup), "false");
    for (condition, expected) in [
        ("steps.a.outcome == 'success'", true),
        ("steps.a.outcome != 'success'", false),
        ("!vars.X && (vars.X || secrets.X)", true),
        ("always() && steps.a.outcome == 'failure'", false),
    ] {
        assert_eq!(holds(Some(condition), false, &lookup), expected, "{condition}");
    }
    assert!(!holds(Some("steps.a.outcome == 'success'"), true, &lookup) && holds(Some("always()"), true, &lookup));
    assert!(holds(None, false, &lookup) && !holds(None, true, &lookup));
}
