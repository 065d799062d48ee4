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
