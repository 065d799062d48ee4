//! Where things lie in this checkout.

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};

/// The root of the checkout.
pub(crate) fn root() -> Result<Utf8PathBuf> {
    let manifest = Utf8Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().map(Utf8Path::to_owned).context("the checkout has no root")
}

/// Where cargo builds, and everything else that is made here.
pub(crate) fn target() -> Result<Utf8PathBuf> {
    match std::env::var("CARGO_TARGET_DIR") {
        Ok(target) => Ok(root()?.join(target)),
        Err(_) => Ok(root()?.join("target")),
    }
}

/// Where `cargo xtask peers` puts programs.
pub(crate) fn peers() -> Result<Utf8PathBuf> {
    Ok(target()?.join("peers/bin"))
}

/// Where programs that only checks need are installed.
pub(crate) fn tools() -> Result<Utf8PathBuf> {
    Ok(target()?.join("tools"))
}
