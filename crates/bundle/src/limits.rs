//! How much of everything there may be. A telemetry bundle has about 100 files and 1 MiB; each limit leaves room for a hundred
//! times that and still ends every attack within seconds and within memory.

/// An archive is held in memory whole: what was verified is then what is read, whoever changes the file meanwhile.
pub const MOST_ARCHIVE_BYTES: u64 = 64 * 1024 * 1024;

/// A file beside the archive. The largest is the statement, with one subject of about 150 bytes for each file.
pub const MOST_BESIDE_BYTES: u64 = 8 * 1024 * 1024;

/// One file of a bundle: what the program reads of a workspace at most.
pub const MOST_FILE_BYTES: u64 = 32 * 1024 * 1024;

/// All files of a bundle, unpacked, with their headers.
pub(crate) const MOST_UNPACKED_BYTES: u64 = 256 * 1024 * 1024;

/// Files of a bundle. Some file systems slow down, and people stop reading lists, long before.
pub(crate) const MOST_FILES: usize = 10_000;

/// The manifest is the one file that is held in memory: about 250 bytes for each of [`MOST_FILES`].
pub(crate) const MOST_MANIFEST_BYTES: u64 = 4 * 1024 * 1024;

/// A path, with the bundle's own folder. An old tar header has room for 100 + 155 bytes.
pub(crate) const MOST_PATH_BYTES: usize = 200;

/// Unpacked bytes per packed byte. Text packs 4 to 10 times, headers of small files 30 times, and deflate cannot do more than
/// 1032 times: what goes beyond this was made to.
pub(crate) const MOST_RATIO: u64 = 200;

/// What is not counted for [`MOST_RATIO`]: a small bundle may well be all zeros.
pub(crate) const FREE_OF_RATIO_BYTES: u64 = 1024 * 1024;

/// The last second that a tar header can hold, in the year 2242.
pub const MOST_SOURCE_DATE: u64 = 0o77_777_777_777;
