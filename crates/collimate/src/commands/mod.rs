//! One file per command: `Args`, whose doc comment is the help, and `run`.

pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod init;
pub(crate) mod pin;
pub(crate) mod render;
pub(crate) mod schema;
pub(crate) mod show;
pub(crate) mod why;
