//! A small file that the command line names: a password, a key, authorities.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;

use camino::Utf8Path;
use nix::fcntl::OFlag;
use signing::Zeroizing;

use crate::context::Ctx;
use crate::exit::{Failure, Result};

/// All of it, if that is no more than `most` bytes.
pub(in crate::commands) fn read(file: &Utf8Path, most: u64, ctx: &Ctx) -> Result<Zeroizing<Vec<u8>>> {
    let unreadable = |cause: &dyn std::fmt::Display| Failure::input(format!("cannot read `{file}`")).because(cause);
    // Opening a pipe would wait for who writes into it.
    let mut options = OpenOptions::new();
    let opened = options.read(true).custom_flags(OFlag::O_NONBLOCK.bits()).open(ctx.cwd().join(file));
    let handle = opened.map_err(|error| match error.kind() {
        ErrorKind::NotFound => unreadable(&"it does not exist"),
        kind => unreadable(&kind),
    })?;
    let metadata = handle.metadata().map_err(|error| unreadable(&error.kind()))?;
    if !metadata.is_file() {
        return Err(unreadable(&"it is not a regular file"));
    }
    // Room for all of it at once: growing would leave copies of a password behind.
    let room = usize::try_from(metadata.len().min(most)).unwrap_or(0) + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    handle.take(most + 1).read_to_end(&mut bytes).map_err(|error| unreadable(&error.kind()))?;
    if bytes.len() as u64 > most {
        return Err(unreadable(&format!("it is larger than {} KiB", most >> 10)));
    }
    Ok(bytes)
}
