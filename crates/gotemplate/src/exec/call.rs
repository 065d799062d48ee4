//! Calls of functions and methods: how many arguments, of which types.

use super::builtins::{Arity, Builtin, Failure, Params};
use super::eval::Given;
use super::operand::Operand;
use super::{Exec, Frame};
use crate::format::TOO_LARGE;
use crate::parse::{Function, NodeRef, Target};
use crate::{Error, FunctionError, Method, Signature, Type, Value};

/// So many arguments of a built-in function are kept without a list of their own.
const FEW_ARGUMENTS: usize = 4;

impl Exec<'_> {
    /// Calls a function; its errors are put at `node`.
    pub(super) fn call<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Operand,
        function: &'t Function,
        node: NodeRef<'t>,
        given: Given<'t>,
    ) -> Result<Operand, Error> {
        self.step(frame)?;
        let name = &*function.name;
        match function.target {
            Target::Added(id) => {
                let signature = self.functions.signature(id);
                let args = self.arguments(frame, dot, name, signature, given)?;
                let call_site = self.call_site;
                self.descend(frame)?;
                let weighed = args.iter().try_for_each(|arg| self.weigh(arg));
                let result = weighed.and_then(|()| match self.followed {
                    true => self.function_for_both(id, args),
                    false => self.functions.call(id, self, args),
                });
                self.call_site = call_site;
                self.called(frame, name, node, result)
            }
            Target::Builtin(builtin) => self.call_builtin(frame, dot, builtin, node, given),
        }
    }

    /// Calls a method of a map of a defined type; its errors are put at `node`.
    pub(super) fn call_method<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Operand,
        receiver: Value,
        method: &'static Method,
        node: NodeRef<'t>,
        given: Given<'t>,
    ) -> Result<Operand, Error> {
        self.step(frame)?;
        let mut args = vec![receiver];
        args.extend(self.arguments(frame, dot, method.name, &method.signature, given)?);
        let result = match self.followed {
            true => self.for_both(method.twins, args, method.body),
            false => (method.body)(self, args),
        };
        self.called(frame, method.name, node, result)
    }

    /// What a call has given, or its error at `node`.
    fn called<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        name: &str,
        node: NodeRef<'t>,
        result: Result<Value, FunctionError>,
    ) -> Result<Operand, Error> {
        match result {
            Ok(value) => {
                self.charge_result(frame, &value)?;
                Ok(Operand::result(value))
            }
            Err(error) => {
                frame.node = node;
                Err(frame.fail_with(name, error))
            }
        }
    }

    /// Evaluates and checks the arguments of a call with a signature.
    pub(super) fn arguments<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Operand,
        name: &str,
        signature: &Signature,
        given: Given<'t>,
    ) -> Result<Vec<Value>, Error> {
        let Signature { params, variadic } = *signature;
        let words = given.arguments();
        let arity =
            if variadic { Arity::AtLeast(params.len().saturating_sub(1)) } else { Arity::Exactly(params.len()) };
        check_count(frame, name, arity, words.len(), given.last.is_some())?;
        let param = |at: usize| params.get(at).or(params.last()).copied().unwrap_or(Type::Any);
        let mut args = Vec::with_capacity(words.len() + 1);
        for (at, word) in words.iter().enumerate() {
            args.push(self.argument(frame, dot, param(at), word)?);
        }
        if let Some(last) = given.last {
            args.push(self.validated(frame, last, param(words.len()))?);
        }
        Ok(args)
    }

    fn call_builtin<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Operand,
        builtin: Builtin,
        node: NodeRef<'t>,
        given: Given<'t>,
    ) -> Result<Operand, Error> {
        let name = builtin.name();
        let words = given.arguments();
        check_count(frame, name, builtin.arity(), words.len(), given.last.is_some())?;
        if let Builtin::And | Builtin::Or = builtin {
            // These two stop at the first argument that decides.
            let mut value = Operand::Nothing;
            for word in words {
                value = self.expression(frame, dot, word)?;
                if self.truth(frame, &value)? == (builtin == Builtin::Or) {
                    return Ok(value);
                }
            }
            return Ok(given.last.unwrap_or(value));
        }
        let count = words.len() + usize::from(given.last.is_some());
        let mut few = [const { Operand::Nothing }; FEW_ARGUMENTS];
        let mut many = Vec::new();
        let args = if count <= FEW_ARGUMENTS {
            few.get_mut(..count).unwrap_or_default()
        } else {
            many.resize_with(count, || Operand::Nothing);
            many.as_mut_slice()
        };
        for (at, (arg, word)) in args.iter_mut().zip(words).enumerate() {
            *arg = match builtin.params() {
                Params::Typed if at == 0 => Operand::Plain(self.argument(frame, dot, Type::String, word)?),
                Params::Values => self.expression(frame, dot, word)?,
                Params::Typed | Params::Any => Operand::plain(self.argument(frame, dot, Type::Any, word)?),
            };
        }
        if let (Some(arg), Some(last)) = (args.get_mut(words.len()), given.last) {
            *arg = match builtin.params() {
                Params::Typed if words.is_empty() => Operand::Plain(self.validated(frame, last, Type::String)?),
                _ => last,
            };
        }
        let callee = match (builtin, words.first(), args.first()) {
            (Builtin::Call, Some(word), _) => NodeRef::Word(word).spelled(frame.tree),
            // Go names it by what `reflect.Value` prints.
            (Builtin::Call, None, Some(Operand::Plain(Value::Str(text)))) => text.to_string(),
            (Builtin::Call, None, Some(arg)) => format!("<{} Value>", arg.type_name()),
            _ => String::new(),
        };
        let result = match self.followed {
            true => self
                .builtin_for_both(builtin, args, &callee)
                .map_err(|FunctionError { message, .. }| frame.fail(&message).with_limit(true))?,
            false => builtin.run(args, &callee),
        };
        let result = result.map_err(|failure| {
            frame.node = node;
            match failure {
                Failure::Go(message) => frame.fail(&format!("error calling {name}: {message}")),
                Failure::Cut => frame.fail(&format!("error calling {name}: {TOO_LARGE}")).with_limit(true),
            }
        })?;
        self.charge_result(frame, result.value())?;
        Ok(result)
    }

    /// Text that a function made counts, for a template can double it again and again without printing any.
    fn charge_result(&mut self, frame: &Frame<'_>, value: &Value) -> Result<(), Error> {
        let len = value.string_bytes().map_or(0, <[u8]>::len);
        self.charge(len).map_err(|FunctionError { message, .. }| frame.fail(&message).with_limit(true))
    }
}

fn check_count(frame: &Frame<'_>, name: &str, arity: Arity, words: usize, has_last: bool) -> Result<(), Error> {
    let given = words + usize::from(has_last);
    match arity {
        Arity::Exactly(want) if given != want => {
            Err(frame.fail(&format!("wrong number of args for {name}: want {want} got {given}")))
        }
        Arity::AtLeast(want) if given < want => {
            // Go counts only the words here.
            Err(frame.fail(&format!("wrong number of args for {name}: want at least {want} got {words}")))
        }
        _ => Ok(()),
    }
}
