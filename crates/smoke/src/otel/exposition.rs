//! Prometheus' text format, as a collector's metrics port shows it.
//!
//! Threat: the port may be anybody's. Lines, samples and labels have limits, and what is no exposition is an error with its line,
//! never half a result: a counter that was overlooked would prove the wrong thing.

use std::collections::BTreeMap;

/// A collector with many services shows some ten thousand samples.
const MOST_SAMPLES: usize = 200_000;

/// Far above any line with sensible labels.
const LONGEST_LINE: usize = 64 * 1024;

/// Prometheus itself refuses more by default where a limit is set; sixty-four are plenty.
const MOST_LABELS: usize = 64;

/// One sample.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) value: f64,
}

impl Sample {
    pub(crate) fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }
}

/// What is wrong with a text, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    pub(crate) line: usize,
    pub(crate) what: &'static str,
}

/// All samples whose name `wanted` likes; the others are checked too.
pub(crate) fn parse(text: &str, wanted: impl Fn(&str) -> bool) -> Result<Vec<Sample>, Malformed> {
    let mut samples = Vec::new();
    let mut seen = 0_usize;
    for (index, line) in text.lines().enumerate() {
        let wrong = |what| Malformed { line: index + 1, what };
        if line.len() > LONGEST_LINE {
            return Err(wrong("the line is longer than 64 KiB"));
        }
        let line = line.trim_matches([' ', '\t']);
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let sample = Cursor { rest: line }.sample().map_err(wrong)?;
        seen += 1;
        if seen > MOST_SAMPLES {
            return Err(wrong("there are more than 200000 samples"));
        }
        if wanted(&sample.name) {
            samples.push(sample);
        }
    }
    Ok(samples)
}

struct Cursor<'a> {
    rest: &'a str,
}

type Parsed<T> = Result<T, &'static str>;

impl<'a> Cursor<'a> {
    fn sample(mut self) -> Parsed<Sample> {
        let name = self.name(true)?.to_owned();
        let labels = if self.take('{') { self.labels()? } else { BTreeMap::new() };
        let mut words = self.rest.split([' ', '\t']).filter(|word| !word.is_empty());
        let value = words.next().and_then(value).ok_or("the value is no number")?;
        if let Some(time) = words.next() {
            time.parse::<i64>().map_err(|_| "the time is no number")?;
        }
        if words.next().is_some() {
            return Err("something follows the time");
        }
        Ok(Sample { name, labels, value })
    }

    /// A metric's name may hold colons, a label's may not.
    fn name(&mut self, colons: bool) -> Parsed<&'a str> {
        let good = |(index, char): (usize, char)| {
            char.is_ascii_alphabetic() || char == '_' || (colons && char == ':') || (index > 0 && char.is_ascii_digit())
        };
        let end = self.rest.char_indices().find(|at| !good(*at)).map_or(self.rest.len(), |(index, _)| index);
        let (name, rest) = self.rest.split_at(end);
        if name.is_empty() {
            return Err("a name is missing");
        }
        self.rest = rest;
        Ok(name)
    }

    fn labels(&mut self) -> Parsed<BTreeMap<String, String>> {
        let mut labels = BTreeMap::new();
        loop {
            self.space();
            if self.take('}') {
                return Ok(labels);
            }
            let name = self.name(false)?.to_owned();
            self.space();
            if !self.take('=') {
                return Err("a label has no `=`");
            }
            self.space();
            if !self.take('"') {
                return Err("a label's value is not quoted");
            }
            let value = self.quoted()?;
            if labels.insert(name, value).is_some() {
                return Err("a label stands twice");
            }
            if labels.len() > MOST_LABELS {
                return Err("there are more than 64 labels");
            }
            self.space();
            if !self.take(',') && !self.rest.starts_with('}') {
                return Err("labels are not separated");
            }
        }
    }

    fn quoted(&mut self) -> Parsed<String> {
        let mut out = String::new();
        let mut chars = self.rest.chars();
        loop {
            match chars.next().ok_or("a label's value has no end")? {
                '"' => break,
                '\\' => match chars.next() {
                    Some('n') => out.push('\n'),
                    Some(char @ ('"' | '\\')) => out.push(char),
                    _ => return Err("an escape is unknown"),
                },
                char => out.push(char),
            }
        }
        self.rest = chars.as_str();
        Ok(out)
    }

    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    fn take(&mut self, char: char) -> bool {
        match self.rest.strip_prefix(char) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }
}

/// Go's spelling of numbers: `NaN`, `+Inf`, `1e+06`. Rust's parser takes `infinity` and the like too, which no exposition has.
fn value(word: &str) -> Option<f64> {
    match word {
        "NaN" => Some(f64::NAN),
        "+Inf" | "Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        word if word.chars().all(|char| char.is_ascii_digit() || matches!(char, '+' | '-' | '.' | 'e' | 'E')) => {
            word.parse().ok()
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<Vec<Sample>, Malformed> {
        parse(text, |_| true)
    }

    #[test]
    fn samples_labels_and_escapes() {
        let text = "# HELP a b\n# TYPE a counter\na{x=\"1\\n\\\"\\\\\", y=\"}\",} 1.5e+06 1700000000000\nb_total 3\n\nc{} NaN\n";
        let samples = all(text).unwrap();
        assert_eq!(samples[0].value, 1_500_000.0);
        assert_eq!(samples[0].label("x"), "1\n\"\\");
        assert_eq!(samples[0].label("y"), "}");
        assert_eq!((samples[1].name.as_str(), samples[1].value), ("b_total", 3.0));
        assert!(samples[2].value.is_nan());
    }

    #[test]
    fn only_wanted_samples_are_kept_but_all_are_checked() {
        assert_eq!(parse("a 1\nb 2\n", |name| name == "b").unwrap().len(), 1);
        assert_eq!(parse("a x\nb 2\n", |name| name == "b").unwrap_err().line, 1);
    }

    #[test]
    fn what_is_no_exposition_is_refused_with_its_line() {
        for wrong in [
            "<html>",
            "a",
            "a{",
            "a{b} 1",
            "a{b=1} 1",
            "a{b=\"1} 1",
            "a{b=\"1\"c=\"2\"} 1",
            "a{b=\"1\",b=\"2\"} 1",
            "a 1 2 3",
            "a 1 x",
            "a infinity",
            "1a 2",
            "a{b=\"\\x\"} 1",
            "a{b:c=\"1\"} 1",
        ] {
            let error = all(&format!("ok 1\n{wrong}\n")).unwrap_err();
            assert_eq!(error.line, 2, "{wrong}");
        }
    }

    #[test]
    fn lines_labels_and_samples_have_a_limit() {
        let refused = |text: &str| all(text).map(|samples| samples.len()).map_err(|wrong| (wrong.line, wrong.what));
        let long = |length: usize| format!("ok 1\na{{b=\"{}\"}} 1", "x".repeat(length - 9));
        assert_eq!(refused(&long(64 * 1024)), Ok(2));
        assert_eq!(refused(&long(64 * 1024 + 1)), Err((2, "the line is longer than 64 KiB")));
        let labels = |count: usize| (0..count).map(|number| format!("l{number}=\"x\",")).collect::<String>();
        assert_eq!(refused(&format!("a{{{}}} 1", labels(64))), Ok(1));
        assert_eq!(refused(&format!("a{{{}}} 1", labels(65))), Err((1, "there are more than 64 labels")));
        assert_eq!(refused(&"a 1\n".repeat(200_000)), Ok(200_000));
        assert_eq!(refused(&"a 1\n".repeat(200_001)), Err((200_001, "there are more than 200000 samples")));
    }
}
