//! Input that was made to hang, crash, fill the memory, reach out of the workspace or speak to a terminal.

pub(crate) mod chart;
mod compose;
mod files;
mod named;
mod printed;
mod template;
mod untrusted;
mod watch;
mod workspace;
mod yaml;
