//! An archive with the same bytes on every machine: sorted, owned by nobody, of one time.

use anyhow::{Context as _, Result};
use camino::{Utf8Path, Utf8PathBuf};
use flate2::{Compression, GzBuilder};

/// A file of the archive.
#[derive(Clone)]
pub(crate) struct Entry {
    /// Below the archive's one folder.
    pub(crate) path: Utf8PathBuf,
    pub(crate) bytes: Vec<u8>,
    pub(crate) is_program: bool,
}

/// A file, or all files below a folder, as entries below `path`.
pub(crate) fn collect(from: &Utf8Path, path: &Utf8Path, entries: &mut Vec<Entry>) -> Result<()> {
    if !from.is_dir() {
        let bytes = std::fs::read(from).with_context(|| format!("cannot read `{from}`"))?;
        entries.push(Entry { path: path.to_owned(), bytes, is_program: false });
        return Ok(());
    }
    for entry in from.read_dir_utf8().with_context(|| format!("cannot list `{from}`"))? {
        let entry = entry.with_context(|| format!("cannot list `{from}`"))?;
        collect(entry.path(), &path.join(entry.file_name()), entries)?;
    }
    Ok(())
}

/// The entries in a folder named `name`, modified at `moment`.
pub(crate) fn tar_gz(name: &str, mut entries: Vec<Entry>, moment: u64) -> Result<Vec<u8>> {
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    // Neither a name nor a time in the compressed file's own header.
    let mut tar = tar::Builder::new(GzBuilder::new().write(Vec::new(), Compression::best()));
    for entry in &entries {
        let mut header = tar::Header::new_ustar();
        header.set_size(entry.bytes.len() as u64);
        header.set_mode(if entry.is_program { 0o755 } else { 0o644 });
        header.set_mtime(moment);
        header.set_uid(0);
        header.set_gid(0);
        let path = Utf8Path::new(name).join(&entry.path);
        tar.append_data(&mut header, &path, entry.bytes.as_slice()).with_context(|| format!("cannot pack `{path}`"))?;
    }
    tar.into_inner().and_then(flate2::write::GzEncoder::finish).context("cannot pack the archive")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_files_give_the_same_bytes() {
        let entry = |path: &str, is_program| Entry { path: path.into(), bytes: path.into(), is_program };
        let one = tar_gz("a-1", vec![entry("b/c", false), entry("a", true)], 7).unwrap();
        let two = tar_gz("a-1", vec![entry("a", true), entry("b/c", false)], 7).unwrap();
        assert_eq!(one, two);
        assert_ne!(one, tar_gz("a-1", vec![entry("a", true), entry("b/c", false)], 8).unwrap());
        let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(one.as_slice()));
        let read: Vec<(String, u32, u64, u64)> = archive
            .entries()
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let header = entry.header();
                let path = entry.path().unwrap().to_str().unwrap().to_owned();
                (path, header.mode().unwrap(), header.mtime().unwrap(), header.uid().unwrap())
            })
            .collect();
        assert_eq!(read, [("a-1/a".to_owned(), 0o755, 7, 0), ("a-1/b/c".to_owned(), 0o644, 7, 0)]);
    }
}
