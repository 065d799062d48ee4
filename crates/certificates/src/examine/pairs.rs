//! Which key belongs to which certificate.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};

use super::{KeyMatch, Read, folder_of};

/// What was found of one file.
pub(super) struct Pair {
    /// Of its first certificate.
    pub(super) key: KeyMatch,
    /// The file of the key that should belong to its first certificate and does not.
    pub(super) wrong_key: Option<usize>,
    /// For each of its keys the file whose first certificate it belongs to.
    pub(super) belongs_to: Vec<Option<usize>>,
}

/// By folder and public key: the first file that has it.
type ByKey<'f> = BTreeMap<(Utf8PathBuf, &'f [u8]), usize>;

/// For each file, in the same order.
pub(super) fn pair(files: &[Read]) -> Vec<Pair> {
    let mut certificates = ByKey::new();
    let mut keys = ByKey::new();
    // By folder and what remains of a name without what says "key" or "certificate".
    let mut keys_by_name: BTreeMap<(Utf8PathBuf, String), usize> = BTreeMap::new();
    for (index, file) in files.iter().enumerate() {
        let folder = folder_of(&file.file);
        if let Some(certificate) = file.certificates.first() {
            certificates.entry((folder.clone(), certificate.public_key.as_slice())).or_insert(index);
        }
        for key in file.keys.iter().flatten() {
            keys.entry((folder.clone(), key.bits.as_slice())).or_insert(index);
            keys_by_name.entry((folder.clone(), stem(&file.file))).or_insert(index);
        }
    }
    let pair = |file: &Read| {
        let folder = folder_of(&file.file);
        let (key, wrong_key) = match file.certificates.first() {
            None => (KeyMatch::Absent, None),
            Some(certificate) if keys.contains_key(&(folder.clone(), certificate.public_key.as_slice())) => {
                (KeyMatch::Matches, None)
            }
            Some(_) => match keys_by_name.get(&(folder.clone(), stem(&file.file))) {
                Some(key) => (KeyMatch::Differs, Some(*key)),
                None => (KeyMatch::Absent, None),
            },
        };
        let belongs_to = |key: &Result<super::Public, &str>| {
            let key = key.as_ref().ok()?;
            certificates.get(&(folder.clone(), key.bits.as_slice())).copied()
        };
        Pair { key, wrong_key, belongs_to: file.keys.iter().map(belongs_to).collect() }
    };
    files.iter().map(pair).collect()
}

/// What the names of a certificate and of its key have in common: `tls.crt` and `tls.key`, `a.pem` and `a-key.pem` (mkcert), `cert.pem` and
/// `key.pem` (minica), `fullchain.pem` and `privkey.pem` (certbot).
fn stem(file: &Utf8Path) -> String {
    let stem = file.file_stem().unwrap_or_default();
    match stem {
        "cert" | "key" | "fullchain" | "privkey" => String::new(),
        _ => ["-key", "_key", ".key", "-cert", "_cert", ".crt"]
            .iter()
            .find_map(|end| stem.strip_suffix(end))
            .unwrap_or(stem)
            .to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::stem;

    #[test]
    fn names_that_belong_together() {
        for (certificate, key) in [
            ("tls.crt", "tls.key"),
            ("localhost+2.pem", "localhost+2-key.pem"),
            ("cert.pem", "key.pem"),
            ("fullchain.pem", "privkey.pem"),
            ("server-cert.pem", "server-key.pem"),
        ] {
            assert_eq!(stem(certificate.into()), stem(key.into()), "{certificate}");
        }
        assert_ne!(stem("tls.crt".into()), stem("ca.key".into()));
    }
}
