//! Where a new password comes from.

use std::fs::File;
use std::io::{self, Read};

use camino::Utf8Path;
use mirror::htpasswd::{LEAST_CHARACTERS, MOST_PASSWORD_BYTES, Password, RANDOM_BYTES, Zeroizing};
use source::system;

use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};

/// What is longer is no password, and is not read to its end.
const MOST_BYTES: usize = 4096;

/// A new password, and whether we made it: then it has to be shown.
pub(super) struct Word {
    pub(super) password: Password,
    pub(super) is_generated: bool,
}

impl Word {
    pub(super) fn of(prompt: bool, file: Option<&Utf8Path>, tenant: &str, ctx: &Ctx) -> Result<Self> {
        let (text, from) = match file {
            None if !prompt => return Self::generated(),
            None => (asked(tenant, ctx)?, "the password".to_owned()),
            Some(file) if file == "-" => (read(io::stdin().lock(), "stdin")?, "the password from stdin".to_owned()),
            Some(file) => (read_file(file, ctx)?, format!("the password in `{file}`")),
        };
        let password = Password::chosen(text, tenant).map_err(|error| {
            Failure::usage(format!("{from} cannot be used")).because(error).hint(format!(
                "{LEAST_CHARACTERS} characters to {MOST_PASSWORD_BYTES} bytes; without `--password-prompt` and \
                 `--password-file` a good one is generated"
            ))
        })?;
        Ok(Self { password, is_generated: false })
    }

    fn generated() -> Result<Self> {
        let mut random = Zeroizing::new([0; RANDOM_BYTES]);
        getrandom::fill(random.as_mut()).map_err(|error| Failure::outside("cannot make a password").because(error))?;
        Ok(Self { password: Password::generated(&random), is_generated: true })
    }
}

fn asked(tenant: &str, ctx: &Ctx) -> Result<Zeroizing<String>> {
    let ask = |question: &str| {
        ctx.ask_unseen(question)
            .map_err(|error| match error.kind() {
                io::ErrorKind::Unsupported => {
                    Failure::usage("`--password-prompt` asks on a terminal, and stdin is none")
                        .hint("`--password-file -` reads the password from stdin")
                }
                _ => Failure::outside("cannot ask for the password").because(system::reason(&error)),
            })?
            .ok_or_else(|| Failure::new(Exit::Usage, "cancelled; nothing was changed"))
    };
    let first = ask(&format!("new password for `{tenant}`: "))?;
    let second = ask("once more: ")?;
    if *first != *second {
        return Err(Failure::usage("the two passwords differ; nothing was changed"));
    }
    Ok(first)
}

fn read_file(file: &Utf8Path, ctx: &Ctx) -> Result<Zeroizing<String>> {
    let unreadable = |cause: &dyn std::fmt::Display| Failure::input(format!("cannot read `{file}`")).because(cause);
    // A pipe is fine: `--password-file <(pass show mirror/acme)`.
    let handle = File::open(ctx.cwd().join(file)).map_err(|error| unreadable(&system::reason(&error)))?;
    if handle.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return Err(unreadable(&"it is a folder"));
    }
    read(handle, file.as_str())
}

/// All of it but one line end.
fn read(mut from: impl Read, name: &str) -> Result<Zeroizing<String>> {
    let unreadable = |cause: &dyn std::fmt::Display| Failure::input(format!("cannot read `{name}`")).because(cause);
    // Room for all of it at once: growing would leave copies behind.
    let mut bytes = Zeroizing::new(vec![0; MOST_BYTES + 1]);
    let mut length = 0;
    while length < bytes.len() {
        match from.read(&mut bytes[length..]) {
            Ok(0) => break,
            Ok(more) => length += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(&system::reason(&error))),
        }
    }
    if length > MOST_BYTES {
        return Err(unreadable(&format!("it has more than {MOST_BYTES} bytes, which no password has")));
    }
    let text = std::str::from_utf8(&bytes[..length]).map_err(|_| unreadable(&"it is not UTF-8"))?;
    let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    Ok(Zeroizing::new(text.to_owned()))
}
