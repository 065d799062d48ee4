//! A packed chart: the tar file inside it is any bytes.

use std::io::Write as _;

use camino::Utf8Path;
use flate2::Compression;
use flate2::write::GzEncoder;
use helmchart::Chart;
use source::MemoryFiles;

pub(crate) fn check(bytes: &[u8]) {
    // As it is, for what reads the outer layer, and wrapped.
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    let written = packed.write_all(bytes).and_then(|()| packed.finish());
    for archive in [bytes.to_vec(), written.unwrap_or_default()] {
        let files = MemoryFiles::new([("c.tgz", archive)]);
        if let Ok(chart) = Chart::load(Utf8Path::new("c.tgz"), &files) {
            assert!(!chart.name().is_empty());
        }
    }
}
