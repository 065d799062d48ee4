//! `mirror auth`, asked over its socket as nginx asks it.

mod arguments;
mod flood;
mod life;
mod protocol;
mod secrecy;
mod tenants;
pub(crate) mod world;
