//! Templates without end, and values that contain themselves.

use gotemplate::{Error, Exec, Limits, Options, TemplateSet, Value, execute, on_large_stack};
use source::Text;

use crate::functions::TestFunctions;

/// Runs a text; gives its error, which must be a limit.
fn limit(text: &str) -> String {
    let error = on_large_stack(|| run(text)).unwrap_err();
    assert!(error.is_limit(), "{error}");
    error.to_string()
}

fn run(text: &str) -> Result<String, Error> {
    within(500_000, text)
}

fn within(steps: u64, text: &str) -> Result<String, Error> {
    let mut set = TemplateSet::new();
    set.parse("t", &Text::from(text), &TestFunctions)?;
    let limits = Limits { steps, output: 1 << 22 };
    let options = Options { limits, ..Options::default() };
    execute(&set, "t", Value::Nil, &TestFunctions, options).map(|text| text.to_string())
}

#[test]
fn endless_work_ends() {
    assert_eq!(
        limit("{{ range 1000000000000 }}{{ end }}"),
        "template: t:1:9: executing \"t\" at <1000000000000>: the templates take more than 500000 steps"
    );
    assert!(
        limit("{{ $x := \"ab\" }}{{ range 100 }}{{ $x = print $x $x }}{{ end }}").contains("more than 4194304 bytes")
    );
    assert!(limit("{{ range 100000 }}{{ repeat 100 \"a\" }}{{ end }}").contains("more than 4194304 bytes"));
    assert!(limit("{{ repeat 1000000000000 \"a\" }}").contains("more than 4194304 bytes"));
    assert!(
        limit("{{ printf \"%999999d%999999d%999999d%999999d%999999d\" 1 2 3 4 5 }}")
            .contains("more than 4194304 bytes")
    );
}

#[test]
fn endless_recursion_ends() {
    assert_eq!(
        limit("{{ define \"a\" }}{{ template \"a\" }}{{ end }}{{ template \"a\" }}"),
        "template: t:1:28: executing \"a\" at <{{template \"a\"}}>: exceeded maximum template depth (100000)"
    );
    let message = limit("{{ define \"a\" }}{{ include \"a\" . }}{{ end }}{{ template \"a\" }}");
    assert!(message.ends_with("exceeded maximum template depth (100000)"), "{}", &message[message.len() - 300..]);
}

#[test]
fn helm_s_thousand_includes_fit() {
    let text = "{{ define \"a\" }}{{ if lt (len .) 1100 }}{{ include \"a\" (print . \"x\") }}{{ else }}{{ len . }}{{ end }}{{ end }}\
                {{ include \"a\" \"\" }}";
    assert_eq!(on_large_stack(|| run(text)).unwrap(), "1100");
}

/// Of templates that cost no more stack than a call, so many may be inside each other.
#[test]
fn templates_call_each_other_up_to_a_limit() {
    let deep = |count: usize| {
        let text = format!(
            "{{{{ define \"a\" }}}}{{{{ if lt (len .) {count} }}}}{{{{ template \"a\" (print . \"x\") }}}}{{{{ end }}}}{{{{ end }}}}\
             {{{{ template \"a\" \"\" }}}}"
        );
        on_large_stack(|| run(&text)).map_err(|error| error.root().to_string())
    };
    // The text itself is one of them, and so is the call with nothing.
    assert_eq!(deep(2_498).as_deref(), Ok(""));
    let message = deep(2_499).unwrap_err();
    assert!(message.ends_with("exceeded maximum template depth (100000)"), "{message}");
}

/// Each level's error has the words of all below it.
#[test]
fn an_error_has_few_causes_and_the_first_of_all() {
    let causes = |levels: usize| {
        let text = format!(
            "{{{{ define \"a\" }}}}{{{{ if lt (len .) {levels} }}}}{{{{ include \"a\" (print . \"x\") }}}}{{{{ else }}}}{{{{ .no }}}}{{{{ end }}}}{{{{ end }}}}\
             {{{{ include \"a\" \"\" }}}}"
        );
        let error = on_large_stack(|| run(&text)).unwrap_err();
        let root = error.root().to_string();
        assert!(root.ends_with("can't evaluate field no in type string"), "{root}");
        std::iter::successors(error.cause(), |error| error.cause()).count()
    };
    assert_eq!([causes(0), causes(19)], [1, 20]);
    // The one that would be its twenty-first has only the first of all below it, and so on.
    assert!((20..60).all(|levels| causes(levels) <= 21));
}

#[test]
fn a_value_is_weighed_down_to_some_level() {
    let weight = |levels: usize| {
        let set = TemplateSet::new();
        let mut exec = Exec::new(&set, &TestFunctions, Options::default());
        let value = (0..levels).fold(Value::Nil, |inner, _| Value::list(vec![inner]));
        exec.weigh_whole(&value).unwrap()
    };
    // Sixty-four bytes each, and two of indentation for each level.
    assert_eq!(weight(1_001) - weight(1_000), 64 + 2 * 1_001);
    assert_eq!(weight(1_002), weight(1_001));
}

#[test]
fn a_small_stack_is_enough_to_say_so() {
    // A test's own thread has two megabytes.
    let error = run("{{ define \"a\" }}{{ include \"a\" . }}{{ end }}{{ template \"a\" }}").unwrap_err();
    assert!(error.is_limit());
}

#[test]
fn nesting_ends() {
    let deep = |open: &str, close: &str, count: usize| format!("{}1{}", open.repeat(count), close.repeat(count));
    let parens = |count| format!("{{{{ {} }}}}", deep("(", ")", count));
    assert_eq!(on_large_stack(|| run(&parens(900))).unwrap(), "1");
    assert!(limit(&parens(200_000)).contains("templates may be nested 1000 levels deep"));
    let ifs = |count| deep("{{if true}}", "{{end}}", count);
    assert_eq!(on_large_stack(|| run(&ifs(900))).unwrap(), "1");
    assert!(limit(&ifs(200_000)).contains("templates may be nested 1000 levels deep"));
    assert!(
        limit(&format!("{{{{if true}}}}{}{{{{end}}}}", "{{else if true}}".repeat(100_000))).contains("nested 1000")
    );
    assert!(run(&parens(200_000)).unwrap_err().is_limit());
    assert!(run(&ifs(200_000)).unwrap_err().is_limit());
}

#[test]
fn values_that_contain_themselves() {
    let own = "{{ $x := dict }}{{ $_ := set $x \"self\" $x }}";
    let too_large = "the value is too deep or too large to print; does it contain itself?";
    assert!(limit(&format!("{own}{{{{ $x }}}}")).ends_with(too_large));
    assert!(limit(&format!("{own}{{{{ print $x }}}}")).ends_with(too_large));
    assert!(limit(&format!("{own}{{{{ printf \"%s\" $x }}}}")).ends_with(too_large));
    let two =
        format!("{own}{{{{ $y := dict }}}}{{{{ $_ := set $y \"self\" $y }}}}{{{{ deep $x $y }}}} {{{{ deep $x $x }}}}");
    assert_eq!(run(&two).unwrap(), "true true");
    // A list of lists whose size doubles with each level.
    let doubling = "{{ $x := list 1 }}{{ range 60 }}{{ $x = list $x $x }}{{ end }}{{ $x }}";
    assert!(limit(doubling).ends_with(too_large));
}

#[test]
fn a_value_is_printed_up_to_a_depth_and_a_size() {
    let too_large = "the value is too deep or too large to print; does it contain itself?";
    let within = |text: &str| {
        let mut set = TemplateSet::new();
        set.parse("t", &Text::from(text), &TestFunctions).unwrap();
        let made = on_large_stack(|| {
            execute(&set, "t", Value::Nil, &TestFunctions, Options::default()).map(|text| text.to_string())
        });
        made.map_err(|error| error.to_string())
    };
    let deep = |levels: usize| {
        within(&format!(
            "{{{{ $x := list }}}}{{{{ range {levels} }}}}{{{{ $x = list $x }}}}{{{{ end }}}}{{{{ len (print $x) }}}}"
        ))
    };
    assert_eq!(deep(10_000), Ok("20002".to_owned()));
    assert!(deep(10_001).unwrap_err().ends_with(too_large));
    let half = "{{ $x := repeat 8388608 \"a\" }}";
    assert_eq!(within(&format!("{half}{{{{ len (print $x $x) }}}}")), Ok("16777216".to_owned()));
    assert!(within(&format!("{half}{{{{ len (print $x $x \"b\") }}}}")).unwrap_err().ends_with(too_large));
}

#[test]
fn deep_values_are_dropped() {
    let text = "{{ $x := list }}{{ $y := dict }}{{ range 60000 }}{{ $x = list $x }}{{ $y = dict \"y\" $y }}{{ end }}{{ len $x }}{{ len $y }}";
    assert_eq!(within(2_000_000, text).unwrap(), "11");
    let compared = "{{ $x := list }}{{ $y := list }}{{ range 60000 }}{{ $x = list $x }}{{ $y = list $y }}{{ end }}{{ deep $x $y }}";
    assert!(within(2_000_000, compared).is_ok());
}

#[test]
fn a_budget_is_for_the_whole_rendering() {
    let mut set = TemplateSet::new();
    set.parse("t", &Text::from("{{ range 100 }}{{ end }}"), &TestFunctions).unwrap();
    let limits = Limits { steps: 1000, output: 1000 };
    let mut exec = Exec::new(&set, &TestFunctions, Options { limits, ..Options::default() });
    let runs = (0..100).take_while(|_| exec.run("t", Value::Nil).is_ok()).count();
    assert!((2..10).contains(&runs), "{runs}");
}
