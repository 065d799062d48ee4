//! One file per command: `Args`, whose doc comment is the help, and `run`.

pub(crate) mod advance;
pub(crate) mod approve;
pub(crate) mod bundle;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod history;
pub(crate) mod hold;
pub(crate) mod init;
pub(crate) mod key;
pub(crate) mod man;
pub(crate) mod mark_good;
pub(crate) mod mirror;
pub(crate) mod pin;
pub(crate) mod promote;
pub(crate) mod record;
pub(crate) mod release;
pub(crate) mod render;
pub(crate) mod rollback;
pub(crate) mod schema;
pub(crate) mod show;
pub(crate) mod smoke;
pub(crate) mod tls;
pub(crate) mod why;
