//! The walk over a tree: output, control structures, calls of other templates.

use source::Text;

use super::follow::Out;
use super::operand::Operand;
use super::{Exec, Frame, USUAL_VARIABLES};
use crate::format::{self, Cut, TOO_LARGE};
use crate::limits::MOST_TEMPLATES_INSIDE;
use crate::parse::{Action, Branch, Call, Node, NodeRef, Place, Tree};
use crate::{Error, FunctionError, Kind, UintKind, Value};

/// How a list of nodes ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Flow {
    Through,
    Break,
    Continue,
}

impl Exec<'_> {
    /// Runs a template over `dot`, with fresh variables.
    pub(super) fn run_tree(&mut self, tree: &Tree, dot: Operand, out: &mut Out) -> Result<(), Error> {
        let Some(first) = tree.root.first() else { return Ok(()) };
        let mut variables = Vec::with_capacity(USUAL_VARIABLES);
        variables.push(("$", dot.clone()));
        let mut frame = Frame { tree, variables, node: NodeRef::Node(first) };
        if self.depth == MOST_TEMPLATES_INSIDE {
            return Err(frame.too_deep());
        }
        self.depth += 1;
        let result = self.walk(&mut frame, &dot, &tree.root, out);
        self.depth -= 1;
        result.map(|_| ())
    }

    fn walk<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Operand,
        nodes: &'t [Node],
        out: &mut Out,
    ) -> Result<Flow, Error> {
        self.descend(frame)?;
        for node in nodes {
            frame.node = NodeRef::Node(node);
            self.step(frame)?;
            match node {
                Node::Text(piece) => {
                    let range = piece.range();
                    self.spend(frame, range.len())?;
                    if self.options.trace {
                        out.first.push_slice(&frame.tree.source, range);
                    } else {
                        out.push_str(frame.tree.source.as_str().get(range).unwrap_or_default());
                    }
                }
                Node::Action(action) => self.action(frame, dot, action, out)?,
                Node::Break => return Ok(Flow::Break),
                Node::Continue => return Ok(Flow::Continue),
                Node::If(branch) => match self.condition(frame, dot, branch, false, out)? {
                    Flow::Through => {}
                    exit => return Ok(exit),
                },
                Node::With(branch) => match self.condition(frame, dot, branch, true, out)? {
                    Flow::Through => {}
                    exit => return Ok(exit),
                },
                // Only the else part can leave the loop around this one.
                Node::Range(branch) => match self.range(frame, dot, branch, out)? {
                    Flow::Through => {}
                    exit => return Ok(exit),
                },
                Node::Template(call) => self.call_template(frame, dot, call, out)?,
            }
        }
        Ok(Flow::Through)
    }

    fn spend(&mut self, frame: &Frame<'_>, bytes: usize) -> Result<(), Error> {
        self.charge(bytes).map_err(|FunctionError { message, .. }| frame.fail(&message).with_limit(true))
    }

    fn action<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Operand,
        action: &'t Action,
        out: &mut Out,
    ) -> Result<(), Error> {
        self.call_site = action.place.span;
        let value = self.pipeline(frame, dot, &action.pipe)?;
        if !action.pipe.variables.is_empty() {
            return Ok(());
        }
        frame.node = NodeRef::Action(action);
        let before = out.first.len();
        match value {
            Operand::Nothing => write(out, &Text::from("<no value>"), &action.place, self.options.trace),
            Operand::Interface(value) | Operand::Plain(value) => {
                if value.kind() == Kind::Func {
                    let spelled = frame.node.spelled(frame.tree);
                    return Err(frame.fail(&format!("can't print {spelled} of type {}", value.type_name())));
                }
                match &value {
                    Value::Str(text) => write(out, text, &action.place, self.options.trace),
                    value if self.followed && self.write_both(frame, value, out)? => {}
                    _ => {
                        let text =
                            format::try_printed(&value).map_err(|Cut(_)| frame.fail(TOO_LARGE).with_limit(true))?;
                        write(out, &text, &action.place, self.options.trace);
                    }
                }
            }
        }
        self.spend(frame, out.first.len() - before)
    }

    fn condition<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Operand,
        branch: &'t Branch,
        sets_dot: bool,
        out: &mut Out,
    ) -> Result<Flow, Error> {
        let mark = frame.variables.len();
        self.call_site = branch.place.span;
        let value = self.pipeline(frame, dot, &branch.pipe)?;
        let flow = if self.truth(frame, &value)? {
            self.walk(frame, if sets_dot { &value } else { dot }, &branch.list, out)?
        } else if let Some(otherwise) = &branch.otherwise {
            self.walk(frame, dot, otherwise, out)?
        } else {
            Flow::Through
        };
        frame.variables.truncate(mark);
        Ok(flow)
    }

    fn range<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Operand,
        branch: &'t Branch,
        out: &mut Out,
    ) -> Result<Flow, Error> {
        let mark = frame.variables.len();
        self.call_site = branch.place.span;
        let value = self.pipeline(frame, dot, &branch.pipe)?.into_value();
        let value = self.of_this_run(frame, &value)?;
        let below = match &value {
            Value::Object(object) => object.underlying(),
            _ => None,
        };
        let mut ran = false;
        match below.as_ref().unwrap_or(value) {
            Value::Nil => {}
            Value::Int(kind, count) => {
                self.one_variable_only(frame, branch, value)?;
                for at in 0..*count {
                    ran = true;
                    let item = Operand::Plain(Value::Int(*kind, at));
                    if self.iteration(frame, branch, Operand::Nothing, item, out)? == Flow::Break {
                        break;
                    }
                }
            }
            Value::Uint(kind, count) => {
                self.one_variable_only(frame, branch, value)?;
                for at in 0..*count {
                    ran = true;
                    let item = Operand::Plain(Value::Uint(*kind, at));
                    if self.iteration(frame, branch, Operand::Nothing, item, out)? == Flow::Break {
                        break;
                    }
                }
            }
            Value::List(list) => {
                let element_type = list.element_type();
                for (at, item) in list.items().iter().enumerate() {
                    ran = true;
                    let item = Operand::element(element_type, item.clone());
                    if self.iteration(frame, branch, index(at), item, out)? == Flow::Break {
                        break;
                    }
                }
            }
            Value::Bytes(bytes) => {
                for (at, byte) in bytes.iter().enumerate() {
                    ran = true;
                    let item = Operand::Plain(Value::Uint(UintKind::Uint8, u64::from(*byte)));
                    if self.iteration(frame, branch, index(at), item, out)? == Flow::Break {
                        break;
                    }
                }
            }
            Value::Map(map) => {
                let element_type = map.element_type();
                for (key, item) in map.entries() {
                    ran = true;
                    let item = Operand::element(element_type, item);
                    let key = Operand::Plain(Value::Str(key));
                    if self.iteration(frame, branch, key, item, out)? == Flow::Break {
                        break;
                    }
                }
            }
            // A nil pointer is printed by Go as an invalid value would be walked: not at all.
            Value::Object(object) if object.is_nil() => {}
            _ => {
                let value = format::value_text(value);
                return Err(frame.fail(&format!("range can't iterate over {value}")));
            }
        }
        let flow = match &branch.otherwise {
            Some(otherwise) if !ran => self.walk(frame, dot, otherwise, out)?,
            _ => Flow::Through,
        };
        frame.variables.truncate(mark);
        // In Go the inner loop catches a `break` of its own else part, but not a `continue`.
        Ok(if flow == Flow::Break { Flow::Through } else { flow })
    }

    fn one_variable_only(&self, frame: &Frame<'_>, branch: &Branch, value: &Value) -> Result<(), Error> {
        if branch.pipe.variables.len() < 2 {
            return Ok(());
        }
        let value = format::value_text(value);
        Err(frame.fail(&format!("can't use {value} to iterate over more than one variable")))
    }

    fn iteration<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        branch: &'t Branch,
        index: Operand,
        item: Operand,
        out: &mut Out,
    ) -> Result<Flow, Error> {
        let mark = frame.variables.len();
        let pipe = &branch.pipe;
        match pipe.variables.as_slice() {
            [] => {}
            [one] if pipe.assigns => self.assign(frame, &one.name, item.clone())?,
            [first, second, ..] if pipe.assigns => {
                self.assign(frame, &first.name, index)?;
                self.assign(frame, &second.name, item.clone())?;
            }
            declared => {
                set_top(frame, 1, item.clone());
                if declared.len() > 1 {
                    set_top(frame, 2, index);
                }
            }
        }
        self.step(frame)?;
        let flow = self.walk(frame, &item, &branch.list, out)?;
        frame.variables.truncate(mark);
        Ok(flow)
    }

    fn call_template<'t>(
        &mut self,
        frame: &mut Frame<'t>,
        dot: &Operand,
        call: &'t Call,
        out: &mut Out,
    ) -> Result<(), Error> {
        frame.node = NodeRef::Call(call);
        let Some(template) = self.set.lookup(&call.name).cloned() else {
            let name = format::quote(call.name.as_bytes());
            return Err(frame.fail(&format!("template {name} not defined")));
        };
        self.descend(frame)?;
        self.call_site = call.place.span;
        let dot = match &call.pipe {
            Some(pipe) => self.pipeline(frame, dot, pipe)?,
            None => Operand::Nothing,
        };
        if !self.options.trace {
            return self.run_tree(&template.0, dot, out);
        }
        let mut written = Out::new();
        self.run_tree(&template.0, dot, &mut written)?;
        let written = written.first.finish();
        match call.place.span {
            Some(span) => out.first.push(&written.carried_by(span)),
            None => out.first.push(&written),
        }
        Ok(())
    }
}

fn index(at: usize) -> Operand {
    Operand::Plain(Value::int(i64::try_from(at).unwrap_or(i64::MAX)))
}

fn set_top(frame: &mut Frame<'_>, from_top: usize, value: Operand) {
    let at = frame.variables.len().checked_sub(from_top);
    if let Some(variable) = at.and_then(|at| frame.variables.get_mut(at)) {
        variable.1 = value;
    }
}

/// Writes what an action printed. In a traced run, bytes without origin come from the action itself.
fn write(out: &mut Out, text: &Text, place: &Place, trace: bool) {
    match place.span {
        _ if !trace => out.push_str(text),
        Some(span) if text.is_traced() => out.first.push(&text.carried_by(span)),
        Some(span) if !text.is_empty() => out.first.push(&Text::derived(text.to_arc(), &[span])),
        _ => out.first.push(text),
    }
}
