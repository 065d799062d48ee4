//! Fixtures, a command runner and peers for tests.
//!
//! Dev only: nothing that ships depends on it, and it depends on nothing that ships. Everything here panics rather than returns
//! errors, with the place of the caller: it runs in tests only. Start from [`Sandbox`] and [`Cli`]; [`peer`] and [`tool`] find the real ones.

mod accepting;
mod cli;
mod exports;
mod nginx;
mod notify;
mod peer;
mod redis;
pub mod registry;
mod registry_real;
mod sandbox;
mod server;
mod tree;

pub use cli::{Cli, Output};
pub use exports::{
    Asked, DomainRecipe, Exports, FrontAnswer, FrontDomain, MirrorFront, Misbehaviour, Recipe, Signature,
};
pub use nginx::Nginx;
pub use notify::{Answer, Notify};
pub use peer::{peer, skip, tool};
pub use redis::Redis;
pub use registry_real::{DockerRegistry, Secured};
pub use sandbox::Sandbox;
pub use server::{Server, free_ports};
pub use tree::{Difference, assert_same_tree, first_difference};
