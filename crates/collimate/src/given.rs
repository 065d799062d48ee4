//! A file that the command line names: evidence, a plan, a bundle, a key, a password.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;

use camino::Utf8Path;
use nix::fcntl::OFlag;
use signing::Zeroizing;
use source::system;

use crate::context::Ctx;
use crate::exit::{Failure, Result};

/// All of it, if that is no more than `most` bytes.
pub(crate) fn read(file: &Utf8Path, most: u64, ctx: &Ctx) -> Result<Zeroizing<Vec<u8>>> {
    read_optional(file, most, ctx)?
        .ok_or_else(|| Failure::input(format!("cannot read `{file}`")).because("it does not exist"))
}

/// As [`read`]; `None` where nothing is there.
pub(crate) fn read_optional(file: &Utf8Path, most: u64, ctx: &Ctx) -> Result<Option<Zeroizing<Vec<u8>>>> {
    let unreadable = |cause: &dyn std::fmt::Display| Failure::input(format!("cannot read `{file}`")).because(cause);
    // Opening a pipe would wait for who writes into it. What it is, is asked of what was opened: nobody can exchange it in between.
    let mut options = OpenOptions::new();
    let opened = options.read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(ctx.cwd().join(file));
    let handle = match opened {
        Ok(handle) => handle,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(&system::reason(&error))),
    };
    let metadata = handle.metadata().map_err(|error| unreadable(&system::reason(&error)))?;
    if !metadata.is_file() {
        return Err(unreadable(&"it is not a regular file"));
    }
    // Room for all of it at once: growing would leave copies of a password behind.
    let room = usize::try_from(metadata.len().min(most)).unwrap_or(0) + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    handle.take(most + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&system::reason(&error)))?;
    if bytes.len() as u64 > most {
        let size = if most >> 20 << 20 == most { format!("{} MiB", most >> 20) } else { format!("{} KiB", most >> 10) };
        return Err(unreadable(&format!("it is larger than {size}")));
    }
    Ok(Some(bytes))
}
