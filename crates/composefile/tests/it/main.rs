//! Everything that needs more than one module: projects against recorded output, and against the real tool.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod hostile;
mod layers;
mod places;
mod projects;
mod schema_table;
