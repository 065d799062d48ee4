//! Go's `fmt` and the parts of `strconv` that it and templates need.
//!
//! The result is text: bytes of strings that are not UTF-8 stand in it as marks (`source::octets`; `%q` and `%x` see the bytes).
//! What a verb copies from a string keeps its trace; what it makes anew is a union of what went in.

mod float;
mod number_text;
mod pattern;
mod printer;
mod quote;
mod unicode;

use source::Text;

use crate::{Kind, Value};
use printer::Printer;

pub use float::format_float;
pub use number_text::{parse_float, parse_int, parse_uint};
pub use quote::quote;
pub(crate) use quote::{Unit, unquote, unquote_char};
pub(crate) use unicode::{is_letter_or_digit, is_printable};

/// `fmt.Sprintf`. Values that are too deep or too large (they may contain themselves) are cut.
#[must_use]
pub fn sprintf(format: &Text, args: &[Value]) -> Text {
    try_sprintf(format, args).unwrap_or_else(|cut| cut.0)
}

/// `fmt.Sprint`: a space between operands when neither is a string. Cuts as [`sprintf`] does.
#[must_use]
pub fn sprint(args: &[Value]) -> Text {
    try_sprint(args).unwrap_or_else(|cut| cut.0)
}

/// `fmt.Sprintln`: a space between all operands, and a line end. Cuts as [`sprintf`] does.
#[must_use]
pub fn sprintln(args: &[Value]) -> Text {
    try_sprintln(args).unwrap_or_else(|cut| cut.0)
}

/// `fmt.Sprint` of one value, which is `%v`.
#[must_use]
pub fn value_text(value: &Value) -> Text {
    sprint(std::slice::from_ref(value))
}

/// `%s` of one value.
#[must_use]
pub fn string_text(value: &Value) -> Text {
    let mut printer = Printer::new();
    printer.arg(value, 's');
    printer.out.finish()
}

/// A text that ends before the value did.
pub(crate) struct Cut(pub(crate) Text);

/// What is said about it.
pub(crate) const TOO_LARGE: &str = "the value is too deep or too large to print; does it contain itself?";

fn finish(printer: Printer) -> Result<Text, Cut> {
    let text = printer.out.finish();
    if printer.cut { Err(Cut(text)) } else { Ok(text) }
}

pub(crate) fn try_sprintf(format: &Text, args: &[Value]) -> Result<Text, Cut> {
    let mut printer = Printer::new();
    pattern::run(&mut printer, format, args);
    finish(printer)
}

pub(crate) fn try_sprint(args: &[Value]) -> Result<Text, Cut> {
    if let [Value::Str(text)] = args {
        return Ok(text.clone());
    }
    let mut printer = Printer::new();
    let mut after_string = false;
    for (at, arg) in args.iter().enumerate() {
        let is_string = arg.kind() == Kind::String;
        if at > 0 && !is_string && !after_string {
            printer.write(" ");
        }
        printer.arg(arg, 'v');
        after_string = is_string;
    }
    finish(printer)
}

pub(crate) fn try_sprintln(args: &[Value]) -> Result<Text, Cut> {
    let mut printer = Printer::new();
    for (at, arg) in args.iter().enumerate() {
        if at > 0 {
            printer.write(" ");
        }
        printer.arg(arg, 'v');
    }
    printer.write("\n");
    finish(printer)
}

/// What a template action prints: pointers are followed, and methods of `*T` count where Go can take the address.
pub(crate) fn try_printed(value: &Value) -> Result<Text, Cut> {
    if let Value::Object(object) = value {
        if let Some(text) = object.display_addressed() {
            return Ok(text);
        }
        if object.kind() == Kind::Pointer {
            // `{a b}`, not `&{a b}`.
            let text = try_sprint(std::slice::from_ref(value))?;
            return Ok(if text.starts_with('&') { text.slice(1..text.len()) } else { text });
        }
    }
    try_sprint(std::slice::from_ref(value))
}

#[cfg(test)]
mod tests;
