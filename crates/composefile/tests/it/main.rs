//! Everything that needs more than one module: projects against recorded output, and against the real tool.

mod schema_table;
