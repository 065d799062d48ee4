//! Checksums of what is handed out, and the signatures over them.

use anyhow::{Context as _, Result, anyhow};
use camino::Utf8Path;
use sha2::{Digest as _, Sha256};
use signing::{Minisig, PrivateKey};

/// As `sha256sum --check` reads it.
const SUMS: &str = "SHA256SUMS";

/// The private key of `collimate key new`.
pub(crate) fn read_key(file: &Utf8Path) -> Result<PrivateKey> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read `{file}`"))?;
    PrivateKey::from_pem(&text)
        .map_err(|error| anyhow!("cannot use the key `{file}`: {error}; `collimate key new FILE` makes one"))
}

/// `SHA256SUMS` of these files; with a key also its signatures for `openssl pkeyutl` and `minisign`.
pub(crate) fn of(files: &[(String, Vec<u8>)], key: Option<&PrivateKey>) -> Vec<(String, Vec<u8>)> {
    let text = text(files);
    let mut made = vec![(SUMS.to_owned(), text.clone().into_bytes())];
    if let Some(key) = key {
        let comment = concat!("collimate ", env!("CARGO_PKG_VERSION"));
        made.push((format!("{SUMS}.sig"), key.sign(text.as_bytes()).0.to_vec()));
        let minisig = Minisig::sign(text.as_bytes(), comment, key);
        made.push((format!("{SUMS}.minisig"), minisig.to_string().into_bytes()));
    }
    made
}

/// One line per archive.
pub(crate) fn text(files: &[(String, Vec<u8>)]) -> String {
    let mut lines: Vec<String> = files
        .iter()
        .filter(|(name, _)| !name.starts_with(SUMS))
        .map(|(name, bytes)| {
            let digest: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            format!("{digest}  {name}\n")
        })
        .collect();
    lines.sort_by(|a, b| a.split("  ").last().cmp(&b.split("  ").last()));
    lines.concat()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn other_tools_verify_them() {
        let folder = tempfile::tempdir().unwrap();
        let key = PrivateKey::from_seed(&[7; 32]);
        let mut files = vec![("b.tar.gz".to_owned(), b"two".to_vec()), ("a.tar.gz".to_owned(), b"one".to_vec())];
        files.extend(of(&files, Some(&key)));
        files.push(("key.pem".to_owned(), key.public().to_pem().into_bytes()));
        for (name, bytes) in &files {
            std::fs::write(folder.path().join(name), bytes).unwrap();
        }
        let minisign_key = key.public().to_minisign();
        let judges: [&[&str]; 3] = [
            &["sha256sum", "--check", "--strict", SUMS],
            &[
                "openssl",
                "pkeyutl",
                "-verify",
                "-pubin",
                "-inkey",
                "key.pem",
                "-rawin",
                "-in",
                SUMS,
                "-sigfile",
                "SHA256SUMS.sig",
            ],
            &["minisign", "-V", "-P", &minisign_key, "-m", SUMS],
        ];
        let accepted = |judge: &[&str]| {
            let program = testkit::tool(judge[0])?;
            Some(Command::new(program).args(&judge[1..]).current_dir(folder.path()).output().unwrap().status.success())
        };
        for judge in judges {
            assert_ne!(accepted(judge), Some(false), "{judge:?}");
        }
        // One bit of an archive, and of the sums.
        std::fs::write(folder.path().join("a.tar.gz"), "onf").unwrap();
        assert_ne!(accepted(judges[0]), Some(true));
        std::fs::write(folder.path().join(SUMS), text(&files[..1])).unwrap();
        for judge in &judges[1..] {
            assert_ne!(accepted(judge), Some(true), "{judge:?}");
        }
    }
}
