//! Files that a client is told of: small, regular, read once.

use std::fs::File;
use std::io::{ErrorKind, Read as _};

use camino::Utf8Path;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use source::system;

use crate::fault::{Fault, Kind};
use crate::limits::LARGEST_FILE;

/// The content, or `None` where there is no such file.
pub(crate) fn read_if_there(path: &Utf8Path) -> Result<Option<Vec<u8>>, Fault> {
    let unreadable = |why: &str| Fault::new(Kind::FileUnreadable, format!("cannot read `{path}`: {why}"));
    let metadata = match path.metadata() {
        Ok(metadata) => metadata,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(unreadable(&system::reason(&error))),
    };
    if !metadata.is_file() {
        // Opening a pipe would wait for whoever writes into it.
        return Err(unreadable("it is no regular file"));
    }
    let file = File::open(path).map_err(|error| unreadable(&system::reason(&error)))?;
    let mut content = Vec::new();
    file.take(LARGEST_FILE + 1).read_to_end(&mut content).map_err(|error| unreadable(&system::reason(&error)))?;
    if content.len() as u64 > LARGEST_FILE {
        return Err(Fault::new(Kind::FileMalformed, format!("`{path}` is larger than 1 MiB")));
    }
    Ok(Some(content))
}

/// The content of a file that has to be there.
pub(crate) fn read(path: &Utf8Path) -> Result<Vec<u8>, Fault> {
    let missing = || Fault::new(Kind::FileUnreadable, format!("cannot read `{path}`: there is no such file"));
    read_if_there(path)?.ok_or_else(missing)
}

pub(crate) fn certificates(path: &Utf8Path) -> Result<Vec<CertificateDer<'static>>, Fault> {
    let text = read(path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(Fault::new(Kind::FileMalformed, format!("`{path}` holds no certificate"))),
        // The parser's own message may quote what stands in the file.
        Err(_) => Err(Fault::new(Kind::FileMalformed, format!("`{path}` is damaged PEM"))),
    }
}

pub(crate) fn private_key(path: &Utf8Path) -> Result<PrivateKeyDer<'static>, Fault> {
    let text = read(path)?;
    let has = |needle: &str| text.windows(needle.len()).any(|window| window == needle.as_bytes());
    if has("-----BEGIN ENCRYPTED PRIVATE KEY-----") || has("Proc-Type: 4,ENCRYPTED") {
        return Err(Fault::new(Kind::KeyEncrypted, format!("the key in `{path}` is encrypted with a passphrase")));
    }
    PrivateKeyDer::from_pem_slice(&text)
        .map_err(|_| Fault::new(Kind::FileMalformed, format!("`{path}` holds no private key that can be read")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_reasons_are_in_our_words() {
        let name = "x".repeat(300);
        let fault = read(Utf8Path::new(&name)).err().unwrap();
        assert_eq!(fault.message, format!("cannot read `{name}`: the system takes no such name"));
        let fault = read(Utf8Path::new("/none")).err().unwrap();
        assert_eq!(fault.message, "cannot read `/none`: there is no such file");
    }
}
