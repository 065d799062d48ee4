//! Pipelines, commands, fields and arguments.

use std::sync::Arc;

use source::{Span, Text};

use super::operand::{Operand, fit, zero};
use super::{Exec, Frame, MissingKey};
use crate::format::quote;
use crate::parse::{Command, Constant, NodeRef, Number, Pipe, StringWord, Variable, Word};
use crate::{Error, Kind, Type, Value};

/// What a command is given beside its own words: all of them (the first one is the function), and the value of the
/// command before it in the pipeline.
pub(super) struct Given<'t> {
    pub(super) words: &'t [Word],
    pub(super) last: Option<Operand>,
}

impl<'t> Given<'t> {
    pub(super) const NOTHING: Self = Self { words: &[], last: None };

    /// The arguments without the function's name.
    pub(super) fn arguments(&self) -> &'t [Word] {
        self.words.get(1..).unwrap_or_default()
    }

    fn is_empty(&self) -> bool {
        self.words.len() <= 1 && self.last.is_none()
    }
}

impl Exec<'_> {
    /// The value of a pipeline. Its variables are declared, and stay.
    pub(super) fn pipeline<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Operand,
        pipe: &'t Pipe,
    ) -> Result<Operand, Error> {
        frame.node = NodeRef::Pipe(pipe);
        self.descend(frame)?;
        let mut value = None;
        for command in &pipe.commands {
            value = Some(self.command(frame, dot, command, value)?.stripped());
        }
        let value = value.unwrap_or(Operand::Nothing);
        for variable in &pipe.variables {
            if pipe.assigns {
                self.assign(frame, &variable.name, value.clone())?;
            } else {
                frame.variables.push((&variable.name, value.clone()));
            }
        }
        Ok(value)
    }

    pub(super) fn assign(&self, frame: &mut Frame<'_>, name: &str, value: Operand) -> Result<(), Error> {
        match frame.variables.iter_mut().rev().find(|(declared, _)| *declared == name) {
            Some((_, place)) => {
                *place = value;
                Ok(())
            }
            None => Err(frame.fail(&format!("undefined variable: {name}"))),
        }
    }

    fn command<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Operand,
        command: &'t Command,
        last: Option<Operand>,
    ) -> Result<Operand, Error> {
        self.step(frame)?;
        let Some(first) = command.words.first() else { return Ok(Operand::Nothing) };
        let given = Given { words: &command.words, last };
        match first {
            Word::Field(_, fields) => {
                frame.node = NodeRef::Word(first);
                return self.fields(frame, dot, dot.clone(), NodeRef::Word(first), fields, given);
            }
            Word::Chain(_, head, fields) => return self.chain(frame, dot, first, head, fields, given),
            Word::Function(_, function) => {
                frame.node = NodeRef::Word(first);
                return self.call(frame, dot, function, NodeRef::Command(command), given);
            }
            Word::Pipe(pipe) => {
                self.not_a_function(frame, &given)?;
                return self.pipeline(frame, dot, pipe);
            }
            Word::Variable(variable) => return self.variable(frame, dot, variable, given),
            Word::Bool(..) | Word::Dot(_) | Word::Nil(_) | Word::Number(_) | Word::String(_) => {}
        }
        frame.node = NodeRef::Word(first);
        self.not_a_function(frame, &given)?;
        match first {
            Word::Nil(_) => Err(frame.fail("nil is not a command")),
            _ => self.constant(frame, dot, first),
        }
    }

    fn not_a_function(&self, frame: &Frame<'_>, given: &Given<'_>) -> Result<(), Error> {
        if given.is_empty() {
            return Ok(());
        }
        let spelled = given.words.first().map_or_else(String::new, |word| NodeRef::Word(word).spelled(frame.tree));
        Err(frame.fail(&format!("can't give argument to non-function {spelled}")))
    }

    /// Dot, or a constant where no type is asked for.
    fn constant(&self, frame: &mut Frame<'_>, dot: &Operand, word: &Word) -> Result<Operand, Error> {
        Ok(match word {
            Word::Bool(_, value) => Operand::Plain(Value::Bool(*value)),
            Word::Dot(_) => dot.clone(),
            Word::Number(number) => return number_constant(frame, number).map(Operand::Plain),
            Word::String(string) => Operand::Plain(self.string_constant(frame, string)),
            _ => Operand::Nothing,
        })
    }

    /// In a traced run, a literal's bytes come from the template.
    fn string_constant(&self, frame: &Frame<'_>, string: &StringWord) -> Value {
        let text = match &string.value {
            Constant::Text(text) => text,
            Constant::Bytes(bytes) => return Value::string_from_bytes(bytes.to_vec()),
        };
        if !self.options.trace || !frame.tree.source.is_traced() {
            return Value::Str(text.clone());
        }
        let quoted = string.piece.range();
        let inside = quoted.start + 1..quoted.end.saturating_sub(1).max(quoted.start + 1);
        if string.is_verbatim {
            return Value::Str(frame.tree.source.slice(inside));
        }
        let spans: Vec<Span> = frame
            .tree
            .source
            .segments_in(inside.clone())
            .flat_map(|segment| segment.origin.spans().iter().copied())
            .collect();
        let spans = frame.tree.source.exact_span(inside).map_or(spans, |span| vec![span]);
        Value::Str(Text::derived(text.to_arc(), &spans))
    }

    fn variable<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Operand,
        variable: &'t Variable,
        given: Given<'t>,
    ) -> Result<Operand, Error> {
        let node = NodeRef::Variable(variable);
        frame.node = node;
        // Also `$`, which a template may declare anew.
        let found = frame.variables.iter().rev().find(|(name, _)| **name == *variable.name);
        let Some((_, value)) = found else {
            return Err(frame.fail(&format!("undefined variable: {}", variable.name)));
        };
        let value = value.clone();
        if variable.fields.is_empty() {
            self.not_a_function(frame, &given)?;
            return Ok(value);
        }
        self.fields(frame, dot, value, node, &variable.fields, given)
    }

    fn chain<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Operand,
        word: &'t Word,
        head: &'t Word,
        fields: &'t [Arc<str>],
        given: Given<'t>,
    ) -> Result<Operand, Error> {
        let node = NodeRef::Word(word);
        frame.node = node;
        if matches!(head, Word::Nil(_)) {
            let spelled = node.spelled(frame.tree);
            return Err(frame.fail(&format!("indirection through explicit nil in {spelled}")));
        }
        let receiver = self.expression(frame, dot, head)?;
        self.fields(frame, dot, receiver, node, fields, given)
    }

    /// `.a.b.c`: only the last one gets the arguments.
    fn fields<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Operand,
        mut receiver: Operand,
        node: NodeRef<'t>,
        fields: &'t [Arc<str>],
        given: Given<'t>,
    ) -> Result<Operand, Error> {
        let Some((last, before)) = fields.split_last() else { return Ok(receiver) };
        for name in before {
            receiver = self.field(frame, dot, receiver, node, name, Given::NOTHING)?;
        }
        self.field(frame, dot, receiver, node, last, given)
    }

    fn field<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Operand,
        receiver: Operand,
        node: NodeRef<'t>,
        name: &'t str,
        given: Given<'t>,
    ) -> Result<Operand, Error> {
        let value = match &receiver {
            Operand::Nothing => {
                if self.options.missing_key == MissingKey::Error {
                    let key = quote(name.as_bytes());
                    return Err(frame.fail(&format!("nil data; no entry for key {key}")));
                }
                return Ok(Operand::Nothing);
            }
            Operand::Interface(Value::Nil) => {
                return Err(frame.fail(&format!("nil pointer evaluating interface {{}}.{name}")));
            }
            Operand::Interface(value) | Operand::Plain(value) => self.of_this_run(frame, value)?,
        };
        let map = match value {
            Value::Map(map) => {
                if let Type::Named(named) = map.go_type()
                    && let Some(method) = named.method(name)
                {
                    let map = Value::Map(map.clone());
                    return self.call_method(frame, dot, map, method, node, given);
                }
                Some(map.clone())
            }
            Value::Object(object) => {
                if let Some(signature) = object.method(name) {
                    let object = std::rc::Rc::clone(object);
                    let args = self.arguments(frame, dot, name, signature, given)?;
                    let result = self.check_arguments(&args).and_then(|()| object.call_method(name, self, args));
                    return match result {
                        Ok(value) => Ok(Operand::result(value)),
                        Err(error) => {
                            frame.node = node;
                            Err(frame.fail_with(name, error))
                        }
                    };
                }
                if object.is_nil() && object.kind() == Kind::Pointer {
                    let type_name = receiver.type_name();
                    return Err(frame.fail(&format!("nil pointer evaluating {type_name}.{name}")));
                }
                if let Some(field) = object.field(name) {
                    if !given.is_empty() {
                        return Err(frame.fail(&format!("{name} has arguments but cannot be invoked as function")));
                    }
                    return Ok(match field {
                        Value::Nil => Operand::Interface(Value::Nil),
                        field => Operand::Plain(field),
                    });
                }
                value.as_map()
            }
            _ => None,
        };
        let Some(map) = map else {
            let type_name = receiver.type_name();
            return Err(frame.fail(&format!("can't evaluate field {name} in type {type_name}")));
        };
        if !given.is_empty() {
            return Err(frame.fail(&format!("{name} is not a method but has arguments")));
        }
        if let Some(value) = map.get(name) {
            return Ok(Operand::element(map.element_type(), value));
        }
        match self.options.missing_key {
            MissingKey::NoValue => Ok(Operand::Nothing),
            MissingKey::Zero => Ok(zero(map.element_type())),
            MissingKey::Error => {
                let key = quote(name.as_bytes());
                Err(frame.fail(&format!("map has no entry for key {key}")))
            }
        }
    }

    /// An argument of whatever type it has: Go's `reflect.Value` parameters.
    pub(super) fn expression<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Operand,
        word: &'t Word,
    ) -> Result<Operand, Error> {
        frame.node = NodeRef::Word(word);
        match word {
            Word::Field(_, fields) => {
                // Go passes the word itself as the function's name here: there are no arguments.
                self.fields(frame, dot, dot.clone(), NodeRef::Word(word), fields, Given::NOTHING)
            }
            Word::Variable(variable) => self.variable(frame, dot, variable, Given::NOTHING),
            Word::Pipe(pipe) => self.pipeline(frame, dot, pipe),
            Word::Function(_, function) => self.call(frame, dot, function, NodeRef::Word(word), Given::NOTHING),
            Word::Chain(_, head, fields) => self.chain(frame, dot, word, head, fields, Given::NOTHING),
            Word::Nil(_) => Ok(Operand::Nothing),
            Word::Bool(..) | Word::Dot(_) | Word::Number(_) | Word::String(_) => self.constant(frame, dot, word),
        }
    }

    /// An argument for a parameter of this type.
    pub(super) fn argument<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Operand,
        expected: Type,
        word: &'t Word,
    ) -> Result<Value, Error> {
        frame.node = NodeRef::Word(word);
        match word {
            Word::Nil(_) => {
                if expected.can_be_nil() {
                    return Ok(zero(expected).into_value());
                }
                return Err(frame.fail(&format!("cannot assign nil to {expected}")));
            }
            Word::Bool(..) | Word::Number(_) | Word::String(_) => {}
            _ => {
                let value = self.expression(frame, dot, word)?;
                return self.validated(frame, value, expected);
            }
        }
        let spelled = |frame: &Frame<'_>| NodeRef::Word(word).spelled(frame.tree);
        let found = match (expected.underlying(), word) {
            (Type::Any, _) => return self.constant(frame, dot, word).map(Operand::into_value),
            (Type::Bool, Word::Bool(_, value)) => return Ok(Value::Bool(*value)),
            (Type::Bool, _) => "bool",
            (Type::String, Word::String(string)) => return Ok(self.string_constant(frame, string)),
            (Type::String, _) => "string",
            (Type::Int(kind), Word::Number(number)) if number.int.is_some() => {
                return Ok(Value::Int(kind, number.int.unwrap_or_default()));
            }
            (Type::Int(_), _) => "integer",
            (Type::Uint(kind), Word::Number(number)) if number.uint.is_some() => {
                return Ok(Value::Uint(kind, number.uint.unwrap_or_default()));
            }
            (Type::Uint(_), _) => "unsigned integer",
            (Type::Float64, Word::Number(number)) if number.float.is_some() => {
                return Ok(Value::Float(number.float.unwrap_or_default()));
            }
            (Type::Float64, _) => "float",
            _ => {
                let spelled = spelled(frame);
                return Err(frame.fail(&format!("can't handle {spelled} for arg of type {expected}")));
            }
        };
        let spelled = spelled(frame);
        Err(frame.fail(&format!("expected {found}; found {spelled}")))
    }

    /// Go's check that a value fits a parameter.
    pub(super) fn validated(&self, frame: &Frame<'_>, value: Operand, expected: Type) -> Result<Value, Error> {
        let value = match value {
            Operand::Nothing => {
                if expected.can_be_nil() {
                    return Ok(zero(expected).into_value());
                }
                return Err(frame.fail(&format!("invalid value; expected {expected}")));
            }
            Operand::Interface(Value::Nil) if expected != Type::Any => {
                let message = format!("wrong type for value; expected {expected}; got interface {{}}");
                return Err(frame.fail(&message));
            }
            Operand::Interface(value) | Operand::Plain(value) => value,
        };
        fit(value, expected).map_err(|value| {
            let got = value.type_name();
            frame.fail(&format!("wrong type for value; expected {expected}; got {got}"))
        })
    }
}

/// A number where no type is asked for: its spelling decides.
fn number_constant(frame: &Frame<'_>, number: &Number) -> Result<Value, Error> {
    match (number.float, number.int) {
        (Some(float), _) if number.looks_float => Ok(Value::Float(float)),
        (_, Some(int)) => Ok(Value::int(int)),
        _ => {
            let text = frame.tree.source.as_str().get(number.piece.range()).unwrap_or_default();
            Err(frame.fail(&format!("{text} overflows int")))
        }
    }
}
