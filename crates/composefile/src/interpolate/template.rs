//! `$V ${V} ${V:-d} ${V-d} ${V:?e} ${V?e} ${V:+r} ${V+r} $$` in one text, as compose-go's `template.Substitute`.
//!
//! compose-go finds variables with one regular expression whose default part is greedy to the last `}` of the line, then
//! cuts at the brace that it counts as the closing one and goes on with the rest. Its counting skips the byte after
//! every `{`. What follows imitates both, quirks included.

use std::ops::Range;

use source::{Text, TextBuf};

use crate::VariableSource;
use crate::budget::Budget;

/// The value of a variable and where it came from.
pub(crate) struct Found {
    pub(crate) text: Text,
    pub(crate) source: VariableSource,
}

/// Where variables are looked up, and who is told of it.
pub(crate) trait Variables {
    fn lookup(&mut self, name: &str) -> Option<Found>;

    /// A use of a variable.
    fn used(&mut self, variable: Use<'_>);

    /// The variable is unset and has no default.
    fn unset(&mut self, name: &str);
}

/// One use, as given to [`Variables::used`].
pub(crate) struct Use<'t> {
    pub(crate) name: &'t str,
    /// The template at hand (a default is a template too) and the variable's bytes in it.
    pub(crate) template: &'t Text,
    pub(crate) place: Range<usize>,
    pub(crate) operator: Option<Operator>,
    /// What follows the operator.
    pub(crate) operand: &'t str,
    pub(crate) source: VariableSource,
}

/// What follows the name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    /// `:-` and `-`
    Default { or_empty: bool },
    /// `:+` and `+`
    Presence { not_empty: bool },
    /// `:?` and `?`
    Required { not_empty: bool },
}

/// Why a text cannot be interpolated.
#[derive(Debug)]
pub(crate) enum Failure {
    /// `${` without a variable; the template that has it.
    Invalid(Text),
    /// A required variable is missing; the whole message.
    Required {
        message: String,
    },
    Limit(String),
}

/// The text with its variables replaced. All variables are looked at even after a failure; the first failure counts.
pub(crate) fn substitute(template: &Text, variables: &mut dyn Variables, budget: &Budget) -> Result<Text, Failure> {
    if !template.as_bytes().contains(&b'$') {
        return Ok(template.clone());
    }
    Substitution { variables, budget }.text(template, 0)
}

struct Substitution<'v> {
    variables: &'v mut dyn Variables,
    budget: &'v Budget,
}

/// What the regular expression finds at a `$`.
enum Match<'t> {
    Escaped,
    Named(&'t str),
    /// Name, operator and the range of what follows it; the end of the whole, and of what the expression matched.
    Braced {
        name: &'t str,
        operator: Option<(Operator, Range<usize>)>,
        end: usize,
        greedy_end: usize,
    },
    Invalid,
    Literal,
}

impl Substitution<'_> {
    fn text(&mut self, template: &Text, depth: usize) -> Result<Text, Failure> {
        let limits = &self.budget.limits;
        if depth > limits.interpolation_depth {
            return Err(Failure::Limit(format!("variables nest deeper than {} levels", limits.interpolation_depth)));
        }
        let mut out = TextBuf::new();
        let mut failure: Option<Failure> = None;
        let mut at = 0;
        // compose-go takes up the rest of a line as a template of its own, and names that one in errors.
        let mut rest_of_line: Option<Range<usize>> = None;
        let mut literal_start = 0;
        while let Some(found) = template.get(at..).and_then(|rest| rest.find('$')) {
            let dollar = at + found;
            self.budget.searched(template.len() - dollar).map_err(Failure::Limit)?;
            let found = find(template, dollar);
            let end = match &found {
                Match::Literal => {
                    at = dollar + 1;
                    continue;
                }
                Match::Escaped | Match::Invalid => dollar + 2,
                Match::Named(name) => dollar + 1 + name.len(),
                Match::Braced { end, .. } => *end,
            };
            push_literal(template, literal_start..dollar, &mut out);
            let result = match found {
                Match::Escaped => {
                    out.push_slice(template, dollar..dollar + 1);
                    Ok(())
                }
                Match::Named(name) => {
                    self.plain(name, template, dollar..end, &mut out);
                    Ok(())
                }
                Match::Braced { name, operator: None, .. } => {
                    self.plain(name, template, dollar..end, &mut out);
                    Ok(())
                }
                Match::Braced { name, operator: Some((operator, operand)), greedy_end, .. } => {
                    rest_of_line = Some(end..greedy_end);
                    self.with_operator(name, operator, operand, template, dollar..end, depth, &mut out)
                }
                Match::Invalid => Err(Failure::Invalid(match rest_of_line.clone() {
                    Some(rest) if dollar < rest.end => template.slice(rest),
                    _ => template.clone(),
                })),
                Match::Literal => Ok(()),
            };
            if let Err(error) = result {
                failure.get_or_insert(error);
            }
            if out.len() > limits.interpolated_bytes {
                let most = limits.interpolated_bytes;
                return Err(Failure::Limit(format!("an interpolated value is longer than {most} bytes")));
            }
            at = end;
            literal_start = end;
        }
        push_literal(template, literal_start..template.len(), &mut out);
        self.budget.interpolated(out.len()).map_err(Failure::Limit)?;
        match failure {
            Some(failure) => Err(failure),
            // An empty result still has a place.
            None if out.is_empty() => Ok(Text::derived_from("", [template])),
            None => Ok(out.finish()),
        }
    }

    fn plain(&mut self, name: &str, template: &Text, place: Range<usize>, out: &mut TextBuf) {
        let found = self.variables.lookup(name);
        let source = found.as_ref().map_or(VariableSource::Unset, |found| found.source);
        self.variables.used(Use { name, template, place: place.clone(), operator: None, operand: "", source });
        match found {
            Some(found) => push_value(&found.text, template, place, out),
            None => self.variables.unset(name),
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one call; a struct would only name them twice")]
    fn with_operator(
        &mut self,
        name: &str,
        operator: Operator,
        operand: Range<usize>,
        template: &Text,
        place: Range<usize>,
        depth: usize,
        out: &mut TextBuf,
    ) -> Result<(), Failure> {
        let found = self.variables.lookup(name);
        let is_set = found.is_some();
        let is_full = found.as_ref().is_some_and(|found| !found.text.is_empty());
        let source = found.as_ref().map(|found| found.source);
        let operand_text = || template.slice(operand.clone());
        let (from, replacement) = match operator {
            Operator::Default { or_empty } => {
                if is_set && (is_full || !or_empty) {
                    (source.unwrap_or(VariableSource::Unset), None)
                } else {
                    (VariableSource::Default, Some(operand_text()))
                }
            }
            Operator::Presence { not_empty } => {
                let present = is_set && (is_full || !not_empty);
                (source.unwrap_or(VariableSource::Unset), present.then(operand_text))
            }
            Operator::Required { not_empty } => {
                let missing = !is_set || (not_empty && !is_full);
                (if missing { VariableSource::Unset } else { source.unwrap_or(VariableSource::Unset) }, None)
            }
        };
        let written = template.get(operand.clone()).unwrap_or_default();
        let place_of_use = place.clone();
        let operator_used = Some(operator);
        self.variables.used(Use {
            name,
            template,
            place: place_of_use,
            operator: operator_used,
            operand: written,
            source: from,
        });
        if let Operator::Required { not_empty } = operator
            && (!is_set || (not_empty && !is_full))
        {
            let reason = self.text(&operand_text(), depth + 1)?;
            let message = if reason.is_empty() {
                format!("required variable {name} is missing a value")
            } else {
                format!("required variable {name} is missing a value: {reason}")
            };
            return Err(Failure::Required { message });
        }
        match replacement {
            Some(template) => out.push(&self.text(&template, depth + 1)?),
            None => {
                if let Some(found) = found {
                    push_value(&found.text, template, place, out);
                }
            }
        }
        Ok(())
    }
}

/// An empty piece would leave an empty segment behind.
fn push_literal(template: &Text, range: Range<usize>, out: &mut TextBuf) {
    if !range.is_empty() {
        out.push_slice(template, range);
    }
}

/// Appends a variable's value. What comes from the host's environment has no place: in a traced text, the place of the
/// variable stands for it.
fn push_value(value: &Text, template: &Text, place: Range<usize>, out: &mut TextBuf) {
    if value.is_empty() {
        return;
    }
    if template.is_traced() && !value.is_traced() {
        out.push(&Text::derived_from(value.to_arc(), [&template.slice(place)]));
    } else {
        out.push(value);
    }
}

/// What stands at the `$` at `dollar`.
fn find(template: &str, dollar: usize) -> Match<'_> {
    let after = template.get(dollar + 1..).unwrap_or_default();
    let bytes = after.as_bytes();
    match bytes.first() {
        Some(b'$') => Match::Escaped,
        Some(b'{') => {
            let inside = &after[1..];
            let name = name_at(inside);
            if name.is_empty() {
                return Match::Invalid;
            }
            let rest = &inside[name.len()..];
            let name_end = dollar + 2 + name.len();
            if rest.starts_with('}') {
                return Match::Braced { name, operator: None, end: name_end + 1, greedy_end: name_end + 1 };
            }
            let Some((operator, width)) = operator_at(rest) else { return Match::Invalid };
            let line = rest.split('\n').next().unwrap_or_default();
            let Some(last) = line.rfind('}').filter(|last| *last >= width) else { return Match::Invalid };
            let greedy = &template[dollar..=name_end + last];
            // Without a counted closing brace, the greedy match stands.
            let length = closing_brace(greedy).map_or(greedy.len(), |closing| closing + 1);
            let operand = name_end + width;
            let operand = operand..(dollar + length - 1).max(operand);
            let greedy_end = dollar + greedy.len();
            Match::Braced { name, operator: Some((operator, operand)), end: dollar + length, greedy_end }
        }
        Some(byte) if byte.is_ascii_alphabetic() || *byte == b'_' => Match::Named(name_at(after)),
        _ => Match::Literal,
    }
}

fn name_at(text: &str) -> &str {
    let bytes = text.as_bytes();
    if !bytes.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_') {
        return "";
    }
    let end = bytes.iter().position(|byte| !(byte.is_ascii_alphanumeric() || *byte == b'_')).unwrap_or(bytes.len());
    &text[..end]
}

fn operator_at(rest: &str) -> Option<(Operator, usize)> {
    let (colon, sign) = match rest.strip_prefix(':') {
        Some(after) => (true, after),
        None => (false, rest),
    };
    let operator = match sign.as_bytes().first()? {
        b'-' => Operator::Default { or_empty: colon },
        b'+' => Operator::Presence { not_empty: colon },
        b'?' => Operator::Required { not_empty: colon },
        _ => return None,
    };
    Some((operator, 1 + usize::from(colon)))
}

/// The brace that compose-go takes for the closing one: it counts, and skips the byte after each `{`.
fn closing_brace(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut open = 0_i64;
    let mut at = 0;
    while at < bytes.len() {
        if bytes[at] == b'}' {
            open -= 1;
            if open == 0 {
                return Some(at);
            }
        }
        if bytes[at] == b'{' {
            open += 1;
            at += 1;
        }
        at += 1;
    }
    None
}
