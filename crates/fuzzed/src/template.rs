//! Go's template language without any functions but its own: a run ends, and a trace changes nothing.

use gotemplate::{
    Exec, FunctionError, FunctionId, Functions, Limits, Options, Signature, TemplateSet, Value, on_large_stack,
};
use source::{FileId, Span, Text};

const FILE: FileId = FileId(0);

/// So little that an endless template ends within a millisecond or two.
const LIMITS: Limits = Limits { steps: 20_000, output: 1 << 18 };

struct NoFunctions;

impl Functions for NoFunctions {
    fn id(&self, _: &str) -> Option<FunctionId> {
        None
    }

    fn signature(&self, _: FunctionId) -> &'static Signature {
        static NONE: Signature = Signature::fixed(&[]);
        &NONE
    }

    fn call(&self, _: FunctionId, _: &mut Exec<'_>, _: Vec<Value>) -> Result<Value, FunctionError> {
        Err(FunctionError::new("there is no such function"))
    }
}

pub(crate) fn check(bytes: &[u8]) {
    let text = crate::text_of(bytes);
    on_large_stack(|| {
        let traced = run(&Text::exact(text.as_str(), Span::new(FILE, 0..text.len())), true, text.len());
        let plain = run(&Text::new(text.as_str()), false, text.len());
        assert_eq!(traced, plain, "a trace changes what is rendered");
    });
}

fn run(text: &Text, trace: bool, length: usize) -> Result<String, String> {
    let mut set = TemplateSet::new();
    let in_text = |error: gotemplate::Error| {
        assert!(error.span().is_none_or(|span| span.range().end <= length), "{error}");
        error.to_string()
    };
    let template = set.parse("t", text, &NoFunctions).map_err(in_text)?;
    let options = Options { trace, limits: LIMITS, ..Options::default() };
    let out = Exec::new(&set, &NoFunctions, options).run_template(&template, dot()).map_err(in_text)?.text;
    assert!(out.len() <= LIMITS.output);
    Ok(out.as_str().to_owned())
}

fn dot() -> Value {
    let inner = Value::map([
        (Text::new("a"), Value::int(1)),
        (Text::new("b"), Value::Float(1.5)),
        (Text::new("c"), Value::string("x\ny")),
    ]);
    let list = Value::list(vec![inner.clone(), Value::Nil, Value::Bool(true), Value::string("é")]);
    Value::map([(Text::new("m"), inner), (Text::new("l"), list), (Text::new("s"), Value::string("text"))])
}
