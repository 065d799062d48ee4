//! What builds a static program for one target, and how.

use std::process::Command;

use anyhow::{Context as _, Result, bail};
use camino::{Utf8Path, Utf8PathBuf};

use crate::terminal::say;
use crate::{process, repository};

/// Where paths of this machine are said to lie, so that a program built elsewhere is the same.
const SOURCES: &str = "/collimate";
const CRATES: &str = "/cargo";
const RUST: &str = "/rust";
const MADE: &str = "/target";

/// The parts of a build for one target.
pub(crate) struct Toolchain {
    /// `x86_64-unknown-linux-musl`.
    target: String,
    /// Compiles the C and the assembler of the cryptography, and the allocator.
    cc: &'static str,
}

impl Toolchain {
    /// Finds all parts, and names what is missing with the way to get it.
    pub(crate) fn find(target: &str) -> Result<Self> {
        let (cc, package) = match target {
            "x86_64-unknown-linux-musl" => ("musl-gcc", "musl-tools"),
            "aarch64-unknown-linux-musl" => ("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu libc6-dev-arm64-cross"),
            other => bail!(
                "there is no recipe for `{other}`; there are x86_64-unknown-linux-musl and aarch64-unknown-linux-musl"
            ),
        };
        let libraries = rustc(&["--print", "target-libdir", "--target", target])?;
        if !Utf8Path::new(&libraries).is_dir() {
            bail!("Rust's library for `{target}` is not installed; `rustup target add {target}` installs it");
        }
        if Command::new(cc).arg("--version").output().is_err() {
            bail!(
                "there is no `{cc}`, which compiles C for `{target}`; on Debian `apt-get install {package}` installs it"
            );
        }
        Ok(Self { target: target.to_owned(), cc })
    }

    /// `x86_64-linux`: static programs do not ask which C library a system has.
    pub(crate) fn platform(&self) -> String {
        format!("{}-linux", self.architecture())
    }

    pub(crate) fn is_of_this_machine(&self) -> bool {
        self.architecture() == std::env::consts::ARCH
    }

    fn architecture(&self) -> &str {
        self.target.split('-').next().unwrap_or_default()
    }

    /// Builds the program, and gives its path.
    pub(crate) fn build(&self, root: &Utf8Path, moment: u64) -> Result<Utf8PathBuf> {
        say(&format!("\n== {}", self.target));
        let target = repository::target()?.join("dist-build");
        let cargo_home = match std::env::var("CARGO_HOME") {
            Ok(home) => Utf8PathBuf::from(home),
            Err(_) => Utf8PathBuf::from(std::env::var("HOME").context("neither `CARGO_HOME` nor `HOME` is set")?)
                .join(".cargo"),
        };
        let sysroot = rustc(&["--print", "sysroot"])?;
        // Of several that match the last one counts.
        let remapped = [
            (root.as_str(), SOURCES),
            (cargo_home.as_str(), CRATES),
            (sysroot.as_str(), RUST),
            (target.as_str(), MADE),
        ];
        let mut rust = vec![
            "-Clink-self-contained=yes".to_owned(),
            "-Clinker=rust-lld".to_owned(),
            "-Clink-arg=--build-id=none".to_owned(),
        ];
        rust.extend(remapped.iter().map(|(from, to)| format!("--remap-path-prefix={from}={to}")));
        let c: Vec<String> = remapped.iter().map(|(from, to)| format!("-ffile-prefix-map={from}={to}")).collect();
        // The flags of C are split at spaces, those of Rust at `\u{1f}`, and a pair of paths at its `=`; shells take quotes away.
        let cannot_be_passed = |letter: char| letter.is_whitespace() || "'\"\\$`=\u{1f}".contains(letter);
        if let Some((odd, _)) = remapped.iter().find(|(from, _)| from.contains(cannot_be_passed)) {
            bail!(
                "`{odd}` holds a character that cannot be passed on to the compilers; use a folder with another name"
            );
        }
        let variable = self.target.replace('-', "_");
        let mut command = Command::new("cargo");
        command.args(["build", "--release", "--locked", "--package", "collimate", "--target", &self.target]);
        command.current_dir(root).env("CARGO_TARGET_DIR", &target);
        command.env("CARGO_ENCODED_RUSTFLAGS", rust.join("\u{1f}")).env_remove("RUSTFLAGS");
        command.env(format!("CC_{variable}"), self.cc).env(format!("CFLAGS_{variable}"), c.join(" "));
        if self.architecture() == "aarch64" {
            // The allocator takes pages of up to so many bytes as a power of two: some arm64 kernels have pages of 64 KiB.
            command.env("JEMALLOC_SYS_WITH_LG_PAGE", "16");
            // One such page is a large enough run: `.cargo/config.toml` counts small ones.
            command.env("JEMALLOC_SYS_WITH_MALLOC_CONF", "lg_tcache_max:12");
        }
        command.env("SOURCE_DATE_EPOCH", moment.to_string()).env("LC_ALL", "C").env("TZ", "UTC");
        if !process::watch(&mut command, |_| {})? {
            bail!("`cargo build` for `{}` failed", self.target);
        }
        Ok(target.join(&self.target).join("release/collimate"))
    }
}

fn rustc(arguments: &[&str]) -> Result<String> {
    let output = Command::new("rustc").args(arguments).output().context("cannot run `rustc`")?;
    if !output.status.success() {
        bail!("`rustc {}` failed: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr).trim_end());
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_without_a_recipe_is_refused_before_anything_is_built() {
        let refused = Toolchain::find("riscv64gc-unknown-linux-musl").err().map(|error| error.to_string());
        let known = "x86_64-unknown-linux-musl and aarch64-unknown-linux-musl";
        let expected = format!("there is no recipe for `riscv64gc-unknown-linux-musl`; there are {known}");
        assert_eq!(refused, Some(expected));
    }
}
