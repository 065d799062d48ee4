//! Everything that needs more than one module: projects against recorded output, and against the real tool.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test fails by panicking, and says what it skips")]

mod hostile;
mod places;
mod projects;
mod schema_table;
