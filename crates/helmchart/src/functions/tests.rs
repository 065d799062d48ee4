//! The functions against what Helm printed for the same templates.
//!
//! `tests/functions/recorded.jsonl` holds answers of `tools/funcoracle` (Helm's own engine) and is always checked. Where
//! the peer `funcoracle` is built, many more templates are made and asked for on the spot.

mod included;
mod limits;
mod live;
mod tracing;

use gotemplate::{Limits, Map, MissingKey, Options, Stage, TemplateSet, Value, execute};
use source::{FileId, Span, Text};

use super::helm::{WARNING_END, WARNING_START};
use super::table::FUNCTIONS;
use super::{HelmFunctions, certificates};
use crate::HelmVersion;
use crate::context::RenderContext;
use crate::values_type::values_type;

const RECORDED: &str = include_str!("../../tests/functions/recorded.jsonl");
const VALUES: &str = include_str!("../../tests/functions/values.json");
const NAME: &str = "c/templates/t";

/// What a template gave: its text, or the words of its error.
type Outcome = Result<String, String>;

fn value(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Null => Value::Nil,
        serde_json::Value::Bool(value) => (*value).into(),
        serde_json::Value::Number(number) => number.as_f64().unwrap().into(),
        serde_json::Value::String(string) => string.as_str().into(),
        serde_json::Value::Array(items) => Value::list(items.iter().map(value).collect()),
        serde_json::Value::Object(map) => {
            Value::map(map.iter().map(|(key, inner)| (Text::from(key.as_str()), value(inner))))
        }
    }
}

/// A render of one template in a chart of its own.
struct Render {
    context: RenderContext,
    values: Map,
    trace: bool,
    limits: Limits,
}

impl Render {
    fn new() -> Self {
        let values = Map::typed(values_type(HelmVersion::V3));
        let json: serde_json::Value = serde_json::from_str(VALUES).unwrap();
        for (key, inner) in json.as_object().unwrap() {
            values.insert(key.as_str(), value(inner));
        }
        Self {
            context: RenderContext::new(false, HelmVersion::V3, None),
            values,
            trace: false,
            limits: Limits::default(),
        }
    }

    fn text(&self, template: &str) -> Result<Text, String> {
        let functions = HelmFunctions::new(&self.context).predictable([7; 32]);
        let mut set = TemplateSet::new();
        let source = match self.trace {
            true => Text::exact(template, Span::new(FileId(0), 0..template.len())),
            false => Text::from(template),
        };
        set.parse(NAME, &source, &functions).map_err(|error| {
            let text = error.to_string();
            let parts: Vec<&str> = text.split(": ").collect();
            format!("parse error at ({}): {}", parts[1], parts[parts.len() - 1])
        })?;
        let dot = Map::typed(values_type(HelmVersion::V3));
        dot.insert("Values", self.values.clone().into());
        let about = Map::typed(values_type(HelmVersion::V3));
        about.insert("Name", NAME.into());
        about.insert("BasePath", "c/templates".into());
        dot.insert("Template", about.into());
        let options = Options { trace: self.trace, missing_key: MissingKey::Zero, limits: self.limits };
        let rendered = execute(&set, NAME, dot.into(), &functions, options).map_err(|error| {
            let text = error.to_string();
            let parts: Vec<&str> = text.splitn(3, ": ").collect();
            if error.stage() == Stage::Execute
                && let [_, place, message] = parts[..]
                && let (Some(start), Some(end)) = (message.find(WARNING_START), message.rfind(WARNING_END))
            {
                return format!("execution error at ({place}): {}", &message[start + WARNING_START.len()..end]);
            }
            text
        })?;
        Ok(rendered.replaced("<no value>", &Text::default()))
    }

    fn outcome(&self, template: &str) -> Outcome {
        self.text(template).map(|text| text.to_string())
    }
}

fn outcome_of(answer: &serde_json::Value) -> Outcome {
    match answer.get("error").and_then(|error| error.as_str()) {
        Some(error) => Err(error.to_owned()),
        None => Ok(match answer.get("bytes").and_then(|bytes| bytes.as_str()) {
            Some(bytes) => {
                let bytes = super::base_n::from_base64(bytes.as_bytes()).unwrap();
                source::octets::marked(&bytes).into_owned()
            }
            None => answer.get("output").and_then(|output| output.as_str()).unwrap_or_default().to_owned(),
        }),
    }
}

/// Renders every template and compares; lists the first differences.
fn compare(cases: impl Iterator<Item = (String, Outcome)>) -> (usize, Vec<String>) {
    let mut differences = Vec::new();
    let mut count = 0;
    for (template, expected) in cases {
        count += 1;
        // Each template gets its own values: `set` changes them.
        let found = Render::new().outcome(&template);
        if found != expected {
            differences.push(format!("{template}\n  expected {expected:?}\n  found    {found:?}"));
        }
    }
    (count, differences)
}

#[test]
fn recorded_answers_hold() {
    let (count, differences) = gotemplate::on_large_stack(|| {
        compare(RECORDED.lines().map(|line| {
            let case: serde_json::Value = serde_json::from_str(line).unwrap();
            (case["template"].as_str().unwrap().to_owned(), outcome_of(&case))
        }))
    });
    assert!(count > 1_000, "only {count} cases were recorded");
    assert!(
        differences.is_empty(),
        "{} of {count} differ:\n{}",
        differences.len(),
        differences[..differences.len().min(20)].join("\n")
    );
}

#[test]
fn the_table_is_sorted_and_complete() {
    assert!(FUNCTIONS.is_sorted_by(|a, b| a.name < b.name));
    let of_v3 = FUNCTIONS.iter().filter(|entry| !entry.only_v4).count();
    // sprig's 209 without `env` and `expandenv`, and Helm's own; Helm 4 has 13 more.
    assert_eq!((of_v3, FUNCTIONS.len()), (220, 233));
}

#[test]
fn only_helm_4_knows_its_functions() {
    let template = "{{ durationSeconds \"1m\" }}";
    let expected = format!("parse error at ({NAME}:1): function \"durationSeconds\" not defined");
    assert_eq!(Render::new().outcome(template), Err(expected));
    let mut render = Render::new();
    render.context = RenderContext::new(false, HelmVersion::V4, None);
    assert_eq!(render.outcome(template).as_deref(), Ok("60"));
}

/// Answers of Helm 4.3.
#[test]
fn durations_of_helm_4() {
    for (call, expected) in [
        ("durationSeconds \"1h30m\"", "5400|float64"),
        ("durationMinutes \"90\"", "1.5|float64"),
        ("durationDays \"36h\"", "1.5|float64"),
        ("durationWeeks 604800", "1|float64"),
        ("durationMilliseconds 2.5", "2500|int64"),
        ("durationNanoseconds \"x\"", "0|int64"),
        ("mustToDuration \" 3s \"", "3s|time.Duration"),
        ("durationRoundTo \"1h31m\" \"1h\"", "2h0m0s|time.Duration"),
        ("durationTruncateTo \"1h31m\" \"1h\"", "1h0m0s|time.Duration"),
        ("durationRoundTo \"1h31m\" nil", "1h31m0s|time.Duration"),
        ("(mustToDuration \"90s\").Round 60000000000", "2m0s|time.Duration"),
        ("mustToYaml (dict \"a\" 1)", "a: 1|string"),
    ] {
        let mut render = Render::new();
        render.context = RenderContext::new(false, HelmVersion::V4, None);
        let template = format!("{{{{ $r := {call} }}}}{{{{ printf \"%v|%T\" $r $r }}}}");
        assert_eq!(render.outcome(&template).as_deref(), Ok(expected), "{call}");
    }
}

#[test]
fn lint_mode_does_not_stop() {
    let mut render = Render::new();
    render.context = RenderContext::new(true, HelmVersion::V3, None);
    assert_eq!(render.outcome("[{{ required \"m\" .Values.nil }}{{ fail \"f\" }}]").as_deref(), Ok("[]"));
    assert_eq!(render.context.take_warnings(), ["[INFO] Missing required value: m", "[INFO] Fail: f"]);
}

#[test]
fn uses_of_random_functions_are_noted() {
    let render = Render { trace: true, ..Render::new() };
    let template = "{{ $x := now | unixEpoch }}{{ randAlphaNum 5 | len }}{{ uuidv4 | len }}{{ lower \"A\" }}";
    assert_eq!(render.outcome(template).as_deref(), Ok("536a"));
    let noted = render.context.take_nondeterministic();
    let names: Vec<(&str, &str)> = noted
        .iter()
        .map(|(name, span)| {
            let span = span.unwrap();
            (name.as_str(), &template[span.start as usize..span.end as usize])
        })
        .collect();
    assert_eq!(
        names,
        [
            ("now", "{{ $x := now | unixEpoch }}"),
            ("randAlphaNum", "{{ randAlphaNum 5 | len }}"),
            ("uuidv4", "{{ uuidv4 | len }}"),
        ]
    );
}

#[test]
fn a_seed_makes_random_values_repeat() {
    let template = "{{ randAlphaNum 20 }}{{ uuidv4 }}{{ shuffle \"abcdef\" }}{{ genPrivateKey \"ed25519\" }}";
    assert_eq!(Render::new().outcome(template), Render::new().outcome(template));
}

#[test]
fn a_chart_may_make_its_own_key_anew_for_every_pod() {
    // As etcd's: for its Secret, and for the checksums of two workloads. From a seed, the third is of primes that are there.
    let template = "{{ range until 3 }}{{ genPrivateKey \"rsa\" | len }} {{ end }}";
    assert!(Render::new().outcome(template).is_ok());
}

#[test]
fn certificates_verify_under_their_authority() {
    let template = "{{ $ca := genCAWithKey \"ca\" 10 (genPrivateKey \"ecdsa\") }}\
        {{ $leaf := genSignedCertWithKey \"leaf\" (list \"10.0.0.1\") (list \"a.b\") 5 $ca (genPrivateKey \"ed25519\") }}\
        {{ $ca.Cert }}{{ $leaf.Cert }}";
    let text = Render::new().outcome(template).unwrap();
    let end = text.find("-----END CERTIFICATE-----\n").unwrap() + "-----END CERTIFICATE-----\n".len();
    assert!(certificates::seem_right(&text[..end], &text[end..]));
}
