//! The program as people run it.

mod mutations;
mod requirements;
mod tree;
