//! Source files, byte spans, and strings that know which source bytes they came from.
//!
//! Start with [`Files`], the only door to files, and [`Text`], the string that templates and interpolation carry around.
//! This crate knows nothing of YAML, templates, charts or releases.

mod files;
pub mod letters;
mod map;
pub mod octets;
mod span;
pub mod system;
mod text;

pub use files::{Entry, EntryKind, FileError, FileKind, Files, MemoryFiles, normalize, text_of};
pub use map::{
    Excerpt, Position, SourceFile, SourceMap, is_plain_address, is_secret_name, printable, quoted, redact,
    words_of_name,
};
pub use span::{FileId, Span};
pub use text::{Origin, Segment, Text, TextBuf, Via};
