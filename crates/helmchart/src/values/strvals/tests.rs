use super::*;

fn check(reader: &Reader<'_>, text: &str, expected: Result<serde_json::Value, &str>) {
    let mut table = Table::new();
    let result = parse_into(text, &mut table, reader).map(|()| Tree::Map(table));
    match (result, expected) {
        (Ok(tree), Ok(json)) => assert_eq!(to_json(&tree), json, "{text}"),
        (Err(message), Err(expected)) => assert_eq!(message, expected, "{text}"),
        (other, _) => panic!("{text}: {other:?}"),
    }
}

fn to_json(tree: &Tree) -> serde_json::Value {
    match tree {
        Tree::Null => serde_json::Value::Null,
        Tree::Bool(value) => (*value).into(),
        Tree::Int(value) => (*value).into(),
        Tree::Float(value) => (*value).into(),
        Tree::Str(text) => text.as_str().into(),
        Tree::List(items) => items.iter().map(to_json).collect(),
        Tree::Map(table) => table.iter().map(|(key, value)| (key.to_string(), to_json(value))).collect(),
    }
}

#[test]
fn typed_values() {
    use serde_json::json;
    let reader = Reader::Typed;
    for (text, expected) in [
        ("a=1", json!({"a": 1})),
        ("a=01,b=0,c=-5,d=1.5", json!({"a": "01", "b": 0, "c": -5, "d": "1.5"})),
        ("a=TRUE,b=null,c=", json!({"a": true, "b": null, "c": ""})),
        ("a.b.c=x", json!({"a": {"b": {"c": "x"}}})),
        ("a={x,1,true}", json!({"a": ["x", 1, true]})),
        ("a={},b=1", json!({"a": [""], "b": 1})),
        ("a[0]=x,a[2]=y", json!({"a": ["x", null, "y"]})),
        ("a[0].b=1,a[0].c=2", json!({"a": [{"b": 1, "c": 2}]})),
        ("a[0][1]=1", json!({"a": [[null, 1]]})),
        ("a\\.b=c\\,d", json!({"a.b": "c,d"})),
        ("a[0].b=", json!({"a": []})),
        ("", json!({})),
        ("a=1,,b=2", json!({"a": 1})),
    ] {
        if text == "a=1,,b=2" {
            check(&reader, text, Err("key \"\" has no value (cannot end with ,)"));
            continue;
        }
        check(&reader, text, Ok(expected));
    }
}

#[test]
fn errors() {
    let reader = Reader::Typed;
    for (text, expected) in [
        ("a", "key \"a\" has no value"),
        ("a,", "key \"a\" has no value (cannot end with ,)"),
        ("a={x", "list must terminate with '}'"),
        ("a[x]=1", "error parsing index: strconv.Atoi: parsing \"x\": invalid syntax"),
        ("a[-1]=1", "negative -1 index not allowed"),
        ("a[0]x=1", "unexpected data at end of array index: \"x\""),
        ("a[99999]=1", "index of 99999 is greater than maximum supported index of 65536"),
        ("a=1,a.b=2", "unable to parse key: interface conversion: interface {} is int64, not map[string]interface {}"),
    ] {
        check(&reader, text, Err(expected));
    }
}

#[test]
fn other_readers() {
    use serde_json::json;
    check(&Reader::Text, "a=1,b=true", Ok(json!({"a": "1", "b": "true"})));
    check(&Reader::Literal, "a.b=x,y={z}\\", Ok(json!({"a": {"b": "x,y={z}\\"}})));
    check(&Reader::Json, r#"a={"b": [1, null]} ,c=true"#, Ok(json!({"a": {"b": [1.0, null]}, "c": true})));
    check(&Reader::Json, "a=,b= ", Ok(json!({"a": null, "b": null})));
    let read = |path: &str| Ok(Text::new(format!("<{path}>")));
    check(&Reader::File(&read), "a=x.txt,b=y", Ok(json!({"a": "<x.txt>", "b": "<y>"})));
}

#[test]
fn nesting_is_bounded() {
    let reader = Reader::Typed;
    check(
        &reader,
        &format!("{}a=1", "a.".repeat(31)),
        Err("value name nested level is greater than maximum supported nested level of 30"),
    );
    check(&reader, &format!("a{}=1", "[0]".repeat(510)), Err("indices are nested deeper than 500"));
}
