//! Generated templates: random trees over the whole grammar, valid and damaged ones.

use serde_json::json;

use super::{Case, compare};

/// A small fixed generator (xorshift): the same cases on every run.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from((self.0 >> 11) % bound as u64).unwrap()
    }

    pub(crate) fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }
}

fn data() -> serde_json::Value {
    json!({
        "a": {"b": {"c": "deep", "n": 3, "nil": null}, "list": [1, 2.5, "x", null, {"k": "v"}], "t": true},
        "s": "text with <html> & \"quotes\"", "empty": "", "zero": 0, "big": 1234567, "neg": -1.5, "small": 0.00001,
        "list": ["one", "two", "three"], "mixed": [1, "a", true, null, [1, 2], {"z": 1}], "none": [],
        "map": {"b": 2, "a": 1, "c": {"d": null}}, "nomap": {}, "nil": null, "f": false, "t": true, "u": "é☃😀\t\n",
    })
}

struct Generator {
    random: Random,
    variables: Vec<String>,
    in_range: usize,
}

impl Generator {
    fn space(&mut self) -> &'static str {
        self.random.pick(&[" ", " ", " ", " ", "  ", "\t", "\n"])
    }

    fn open(&mut self) -> &'static str {
        self.random.pick(&["{{", "{{", "{{", "{{- ", "{{-\n", "{{ "])
    }

    fn close(&mut self) -> &'static str {
        self.random.pick(&["}}", "}}", "}}", " -}}", "\n-}}", " }}"])
    }

    fn text(&mut self) -> &'static str {
        self.random.pick(&["x", " ", "\n", "  y\n", "", "é", "} {", "a: b\n", "\t\r\n", "{ {", "-"])
    }

    fn field(&mut self) -> &'static str {
        self.random.pick(&[
            ".",
            ".a",
            ".a.b",
            ".a.b.c",
            ".a.b.c.d",
            ".s",
            ".list",
            ".mixed",
            ".map",
            ".map.c",
            ".missing",
            ".missing.more",
            ".nil",
            ".nil.x",
            ".zero",
            ".big",
            ".neg",
            ".small",
            ".t",
            ".f",
            ".u",
            ".none",
            ".nomap.x",
            ".k",
            ".b",
            ".empty",
            "$",
            "$.a.b.n",
            "$.s",
            ".a.list",
            "$.missing.x.y",
        ])
    }

    fn constant(&mut self) -> &'static str {
        self.random.pick(&[
            "1",
            "0",
            "-3",
            "2.5",
            "1e3",
            "0x10",
            "1_000",
            "'a'",
            "'\\n'",
            "\"str\"",
            "`raw\\n`",
            "\"esc\\t\\u00e9\"",
            "true",
            "false",
            "nil",
            "\"\"",
            "3.0",
            "007",
            "1e400",
            "0b11",
            "9223372036854775808",
            "0x1p-2",
            "\"%d|%s\"",
            "\"%v %q\"",
            "\"%5.2f|%-5v|%05d\"",
            "\"a\"",
            "\"b\"",
            "'",
            "18446744073709551615",
            ".5",
        ])
    }

    fn operand(&mut self, depth: usize) -> String {
        match self.random.below(12) {
            0..=4 => self.field().to_owned(),
            5..=7 => self.constant().to_owned(),
            8 if !self.variables.is_empty() => {
                let at = self.random.below(self.variables.len());
                let name = self.variables[at].clone();
                format!("{name}{}", self.random.pick(&["", "", ".a", ".b.c", ".k"]))
            }
            9 | 10 if depth > 0 => {
                let inner = self.pipeline(depth - 1);
                format!("({inner}){}", self.random.pick(&["", "", "", ".b", ".c.d"]))
            }
            11 => self.random.pick(&["nilmap", "nothing", "nillist", "print", "list", "dict", "nofunc"]).to_owned(),
            _ => self.field().to_owned(),
        }
    }

    fn command(&mut self, depth: usize) -> String {
        if self.random.below(3) == 0 {
            return self.operand(depth);
        }
        let name = self.random.pick(&[
            "print",
            "printf",
            "println",
            "len",
            "index",
            "slice",
            "eq",
            "ne",
            "lt",
            "le",
            "gt",
            "ge",
            "and",
            "or",
            "not",
            "html",
            "js",
            "urlquery",
            "list",
            "dict",
            "set",
            "int",
            "int64",
            "uint8",
            "double",
            "upper",
            "repeat",
            "fail",
            "yes",
            "kindOf",
            "typeOf",
            "deep",
            "include",
            "printf \"%v|%T\"",
            "printf \"%d\"",
            "printf \"%s\"",
            "strings",
            "printf \"%q\"",
            "index .list",
            "index .map",
            "eq .s",
            "smap \"k\"",
            "bytes",
            "wait",
            "unsign",
            "call",
            "include \"t\"",
            "index .mixed",
            "slice .s",
            "slice .list",
            "eq 1",
            "lt .zero",
            "smap",
        ]);
        let mut out = name.to_owned();
        for _ in 0..self.random.below(4) {
            out.push_str(self.space());
            out.push_str(&self.operand(depth));
        }
        out
    }

    fn pipeline(&mut self, depth: usize) -> String {
        let mut out = self.command(depth);
        while self.random.below(4) == 0 {
            out.push_str(self.random.pick(&[" | ", "|", " |", "| "]));
            out.push_str(&self.command(depth));
        }
        out
    }

    fn declaration(&mut self) -> String {
        if self.random.below(4) != 0 {
            return String::new();
        }
        let name = self.random.pick(&["$x", "$y", "$zé"]).to_owned();
        self.variables.push(name.clone());
        format!("{name}{}", self.random.pick(&[" := ", ":=", " = ", " :="]))
    }

    fn action(&mut self, depth: usize) -> String {
        let (open, close) = (self.open(), self.close());
        let before = self.variables.len();
        let out = match self.random.below(16) {
            0 | 1 if depth > 0 => {
                let word = self.random.pick(&["if", "with"]);
                let head = format!("{open}{word} {}{}{close}", self.declaration(), self.pipeline(1));
                let body = self.body(depth - 1);
                let tail = match self.random.below(4) {
                    0 => format!("{open}else{close}{}", self.body(depth - 1)),
                    1 => format!("{open}else {word} {}{close}{}", self.pipeline(1), self.body(depth - 1)),
                    _ => String::new(),
                };
                format!("{head}{body}{tail}{open}end{close}")
            }
            2..=4 if depth > 0 => {
                let declared = match self.random.below(4) {
                    0 => {
                        self.variables.extend(["$k".to_owned(), "$v".to_owned()]);
                        "$k, $v := "
                    }
                    1 => {
                        self.variables.push("$v".to_owned());
                        "$v := "
                    }
                    _ => "",
                };
                let over = match self.random.below(3) {
                    0 => self.pipeline(1),
                    1 => self
                        .random
                        .pick(&["3", "0", "(uint8 3)", "(list 1 \"a\" nil)", "(strings \"a\" \"b\")", "-1"])
                        .to_owned(),
                    _ => self.random.pick(&[".list", ".mixed", ".map", ".none", ".a", "$.a.list", "$.map"]).to_owned(),
                };
                self.in_range += 1;
                let body = self.body(depth - 1);
                self.in_range -= 1;
                let tail = if self.random.below(3) == 0 {
                    format!("{open}else{close}{}", self.body(depth - 1))
                } else {
                    String::new()
                };
                format!("{open}range {declared}{over}{close}{body}{tail}{open}end{close}")
            }
            5 if self.in_range > 0 || self.random.below(8) == 0 => {
                let word = self.random.pick(&["break", "continue"]);
                format!("{open}if {}{close}{{{{{word}}}}}{open}end{close}", self.pipeline(0))
            }
            6 => format!("{open}template \"t\" {}{close}", self.pipeline(1)),
            7 => format!("{open}/* comment */{close}"),
            8 if depth > 0 => {
                let outer = std::mem::take(&mut self.variables);
                let body = self.body(depth - 1);
                self.variables = outer;
                format!("{open}block \"b{}\" {}{close}{body}{open}end{close}", self.random.below(3), self.pipeline(0))
            }
            9 => {
                let declared = self.declaration();
                return format!("{open}{declared}{}{close}", self.pipeline(2));
            }
            _ => format!("{open}{}{close}", self.pipeline(2)),
        };
        self.variables.truncate(before);
        out
    }

    fn body(&mut self, depth: usize) -> String {
        let mut out = String::new();
        let before = self.variables.len();
        for _ in 0..self.random.below(4) {
            out.push_str(self.text());
            out.push_str(&self.action(depth));
        }
        out.push_str(self.text());
        self.variables.truncate(before);
        out
    }
}

/// Cuts, doubles or replaces a piece.
fn damage(random: &mut Random, text: &str) -> String {
    let boundaries: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let mut cut = || boundaries[random.below(boundaries.len())];
    let (a, b) = (cut(), cut());
    let (a, b) = (a.min(b), a.max(b).min(a.min(b) + 6));
    let b = if text.is_char_boundary(b) { b } else { a };
    let middle = random.pick(&[
        "",
        "}}",
        "{{",
        "(",
        ")",
        "|",
        ".",
        "\"",
        "`",
        "'",
        "$",
        ":=",
        "=",
        ",",
        "{{end}}",
        "{{else}}",
        " ",
        "#",
        "é",
        "end",
        "{{/*",
        "*/}}",
        "{{define \"t\"}}",
        "-",
        "{{break}}",
        "0x",
        "{{block",
        "\u{0}",
        "$q",
        "{{- ",
        " -}}",
    ]);
    format!("{}{middle}{}", &text[..a], &text[b..])
}

fn cases(seed: u64, count: usize, damaged: bool) -> Vec<Case> {
    let mut random = Random(seed);
    (0..count)
        .map(|_| {
            let seed = (random.below(usize::MAX >> 12) as u64) | 1;
            let mut generator = Generator { random: Random(seed), variables: Vec::new(), in_range: 0 };
            let mut text = generator.body(3);
            if damaged {
                text = damage(&mut generator.random, &text);
            }
            let called = "<{{ . }}|{{ with . }}{{ .k }}{{ end }}>".to_owned();
            let missing_key = generator.random.pick(&["zero", "zero", "error", "default"]);
            Case {
                templates: vec![
                    ("dir/t.yaml".to_owned(), "{{define \"t\"}}".to_owned() + &called + "{{end}}"),
                    ("main".to_owned(), text),
                ],
                run: "main".to_owned(),
                data: data(),
                missing_key: match missing_key {
                    "zero" => "zero",
                    "error" => "error",
                    _ => "default",
                },
            }
        })
        .collect()
}

/// More of them where asked for: `COLLIMATE_CASES`.
pub(super) fn count(default: usize) -> usize {
    std::env::var("COLLIMATE_CASES").ok().and_then(|count| count.parse().ok()).unwrap_or(default)
}

#[test]
fn generated_templates_run_as_in_go() {
    compare("generated templates", &cases(0x9e37_79b9_7f4a_7c15, count(4000), false));
}

#[test]
fn damaged_templates_fail_as_in_go() {
    compare("damaged templates", &cases(0x1234_5678_9abc_def1, count(4000), true));
}
