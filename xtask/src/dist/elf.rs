//! Whether a program runs on any Linux of its architecture.

use anyhow::{Result, bail};

/// The program header that names a dynamic linker.
const INTERPRETER: u32 = 3;
/// What marks a note with the build's own id.
const BUILD_ID: &[u8] = b"\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0";

/// Refuses what needs libraries of the system, and what names the machine or the folder that it was built in.
pub(crate) fn check(bytes: &[u8]) -> Result<()> {
    if needs_interpreter(bytes)? {
        bail!("it is linked dynamically, and would need the C library of the system that it was built on");
    }
    if has(bytes, BUILD_ID) {
        bail!("it has a build id");
    }
    let root = crate::repository::root()?;
    let home = std::env::var("HOME").unwrap_or_default();
    for private in [root.as_str(), home.as_str()] {
        if private.len() > 1 && has(bytes, format!("{private}/").as_bytes()) {
            bail!("it holds a path below `{private}`");
        }
    }
    Ok(())
}

fn has(bytes: &[u8], needle: &[u8]) -> bool {
    let Some(first) = needle.first() else { return true };
    let starts = bytes.iter().enumerate().filter(|(_, byte)| *byte == first);
    starts.map(|(at, _)| at).any(|at| bytes[at..].starts_with(needle))
}

/// Reads the table of program headers of a 64-bit little-endian file.
fn needs_interpreter(bytes: &[u8]) -> Result<bool> {
    let number = |at: usize, length: usize| {
        let raw = bytes.get(at..at + length)?;
        Some(raw.iter().rev().fold(0_u64, |value, byte| value << 8 | u64::from(*byte)))
    };
    let header = (|| {
        let is_elf = bytes.get(..6)? == b"\x7fELF\x02\x01";
        is_elf.then_some((number(32, 8)?, number(54, 2)?, number(56, 2)?))
    })();
    let Some((table, size, count)) = header else { bail!("it is no 64-bit little-endian ELF file") };
    for index in 0..count {
        let at = usize::try_from(table + index * size)?;
        match number(at, 4) {
            Some(kind) if kind == u64::from(INTERPRETER) => return Ok(true),
            Some(_) => {}
            None => bail!("its table of program headers is cut off"),
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_of_this_system_is_refused() {
        // This test is linked against the system's C library, in this folder.
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        let refused = check(&own).unwrap_err().to_string();
        assert!(refused.starts_with("it is linked dynamically"), "{refused}");
        let refused = check(b"#!/bin/sh\n").unwrap_err().to_string();
        assert_eq!(refused, "it is no 64-bit little-endian ELF file");
        assert!(check(&own[..70]).is_err());
    }

    #[test]
    fn what_tells_of_the_machine_is_refused() {
        // A header without program headers, and what is to be found behind it.
        let program = |tail: &[u8]| [b"\x7fELF\x02\x01".as_slice(), &[0; 58], tail].concat();
        assert!(check(&program(b"")).is_ok());
        assert_eq!(check(&program(BUILD_ID)).unwrap_err().to_string(), "it has a build id");
        let root = crate::repository::root().unwrap();
        let refused = check(&program(format!("x{root}/src/main.rs").as_bytes())).unwrap_err().to_string();
        assert_eq!(refused, format!("it holds a path below `{root}`"));
    }
}
