//! The format string of `Sprintf`.

use source::Text;

use super::printer::{Printer, Spec};
use crate::Value;

/// Widths and precisions beyond this are refused: Go's own limit.
const LARGEST: usize = 1_000_000;

/// Where the walk over the format is.
struct Walk<'f> {
    format: &'f str,
    at: usize,
    /// The next operand.
    arg: usize,
    arg_count: usize,
    /// Whether operands were asked for by number.
    reordered: bool,
    good_arg: bool,
}

impl Walk<'_> {
    fn byte(&self) -> Option<u8> {
        self.format.as_bytes().get(self.at).copied()
    }

    /// `[3]`: which operand is next. Gives whether there was one.
    fn arg_number(&mut self) -> bool {
        if self.byte() != Some(b'[') {
            return false;
        }
        self.reordered = true;
        let rest = self.format.as_bytes().get(self.at..).unwrap_or_default();
        let (index, len, ok) = match rest.iter().position(|byte| *byte == b']') {
            Some(end) if rest.len() >= 3 => {
                let digits = self.format.get(self.at + 1..self.at + end).unwrap_or_default();
                let number = if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None };
                let number = number.filter(|number: &usize| *number <= LARGEST);
                (number.and_then(|number| number.checked_sub(1)), end + 1, number.is_some())
            }
            _ => (None, 1, false),
        };
        self.at += len;
        match index.filter(|index| *index < self.arg_count) {
            Some(index) => {
                self.arg = index;
                true
            }
            None => {
                self.good_arg = false;
                ok
            }
        }
    }

    /// Digits. A number that is too large is none, and its digits are left for the verb to stumble over.
    fn number(&mut self) -> Option<usize> {
        let start = self.at;
        let mut number = None;
        while let Some(byte @ b'0'..=b'9') = self.byte() {
            let value = number.unwrap_or(0);
            if value > LARGEST {
                // Go gives up in the middle, at the end of the format.
                self.at = self.format.len();
                return None;
            }
            number = Some(value * 10 + usize::from(byte - b'0'));
            self.at += 1;
        }
        if start == self.at { None } else { number }
    }

    /// `*`: an operand as a number, with its sign.
    fn star(&mut self, args: &[Value]) -> Option<i64> {
        let value = args.get(self.arg)?;
        self.arg += 1;
        let below = match value {
            Value::Object(object) => object.underlying(),
            _ => None,
        };
        let number = match below.as_ref().unwrap_or(value) {
            Value::Int(_, value) => Some(*value),
            Value::Uint(_, value) => i64::try_from(*value).ok(),
            _ => None,
        };
        number.filter(|number| number.unsigned_abs() <= LARGEST as u64)
    }
}

/// Prints `args` as `format` says.
pub(super) fn run(printer: &mut Printer, format: &Text, args: &[Value]) {
    let mut walk =
        Walk { format: format.as_str(), at: 0, arg: 0, arg_count: args.len(), reordered: false, good_arg: true };
    let mut after_index = false;
    while walk.at < walk.format.len() {
        walk.good_arg = true;
        let rest = walk.format.get(walk.at..).unwrap_or_default();
        let plain = rest.find('%').unwrap_or(rest.len());
        if plain > 0 {
            printer.out.push_slice(format, walk.at..walk.at + plain);
            walk.at += plain;
        }
        if walk.at >= walk.format.len() {
            break;
        }
        walk.at += 1;
        printer.spec = flags(&mut walk);
        // The common case: one lower-case letter, taken before anything else is looked at.
        if let Some(verb @ b'a'..=b'z') = walk.byte()
            && let Some(arg) = args.get(walk.arg)
        {
            walk.at += 1;
            walk.arg += 1;
            verb_arg(printer, arg, char::from(verb));
            continue;
        }
        after_index = walk.arg_number();
        after_index = width(&mut walk, printer, args, after_index);
        after_index = precision(&mut walk, printer, args, after_index);
        if !after_index {
            after_index = walk.arg_number();
        }
        let Some(verb) = walk.format.get(walk.at..).and_then(|rest| rest.chars().next()) else {
            printer.write("%!(NOVERB)");
            break;
        };
        walk.at += verb.len_utf8();
        match args.get(walk.arg) {
            _ if verb == '%' => printer.write("%"),
            _ if !walk.good_arg => complain(printer, verb, "(BADINDEX)"),
            None => complain(printer, verb, "(MISSING)"),
            Some(arg) => {
                walk.arg += 1;
                verb_arg(printer, arg, verb);
            }
        }
    }
    let _ = after_index;
    if !walk.reordered && walk.arg < args.len() {
        extra(printer, args.get(walk.arg..).unwrap_or_default());
    }
}

fn complain(printer: &mut Printer, verb: char, what: &str) {
    printer.write("%!");
    printer.write(verb.encode_utf8(&mut [0; 4]));
    printer.write(what);
}

fn verb_arg(printer: &mut Printer, arg: &Value, verb: char) {
    if matches!(verb, 'v' | 'w') {
        // Go syntax, and field names.
        printer.spec.sharp_v = std::mem::take(&mut printer.spec.sharp);
        printer.spec.plus_v = std::mem::take(&mut printer.spec.plus);
    }
    printer.arg(arg, verb);
}

fn flags(walk: &mut Walk<'_>) -> Spec {
    let mut spec = Spec::default();
    loop {
        match walk.byte() {
            Some(b'#') => spec.sharp = true,
            Some(b'0') => spec.zero = true,
            Some(b'+') => spec.plus = true,
            Some(b'-') => spec.minus = true,
            Some(b' ') => spec.space = true,
            _ => return spec,
        }
        walk.at += 1;
    }
}

fn width(walk: &mut Walk<'_>, printer: &mut Printer, args: &[Value], after_index: bool) -> bool {
    if walk.byte() != Some(b'*') {
        printer.spec.width = walk.number();
        if after_index && printer.spec.width.is_some() {
            walk.good_arg = false;
        }
        return after_index;
    }
    walk.at += 1;
    match walk.star(args) {
        None => printer.write("%!(BADWIDTH)"),
        Some(width) => {
            if width < 0 {
                printer.spec.minus = true;
                printer.spec.zero = false;
            }
            printer.spec.width = usize::try_from(width.unsigned_abs()).ok();
        }
    }
    false
}

fn precision(walk: &mut Walk<'_>, printer: &mut Printer, args: &[Value], after_index: bool) -> bool {
    if walk.byte() != Some(b'.') || walk.at + 1 >= walk.format.len() {
        return after_index;
    }
    walk.at += 1;
    if after_index {
        walk.good_arg = false;
    }
    let after_index = walk.arg_number();
    if walk.byte() != Some(b'*') {
        printer.spec.precision = Some(walk.number().unwrap_or(0));
        return after_index;
    }
    walk.at += 1;
    // A negative precision counts as none, and is complained about.
    printer.spec.precision = walk.star(args).and_then(|precision| usize::try_from(precision).ok());
    if printer.spec.precision.is_none() {
        printer.write("%!(BADPREC)");
    }
    false
}

/// `%!(EXTRA string=a, int=1)`
fn extra(printer: &mut Printer, args: &[Value]) {
    printer.spec = Spec::default();
    printer.write("%!(EXTRA ");
    for (at, arg) in args.iter().enumerate() {
        if at > 0 {
            printer.write(", ");
        }
        if matches!(arg, Value::Nil) {
            printer.write("<nil>");
        } else {
            printer.write(&arg.type_name());
            printer.write("=");
            printer.arg(arg, 'v');
        }
    }
    printer.write(")");
}
