//! The program as people run it.

mod init;
mod mutations;
mod requirements;
mod tree;
