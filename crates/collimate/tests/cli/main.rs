//! The program as people run it.

mod init;
mod mutations;
mod peers;
mod requirements;
mod tree;
