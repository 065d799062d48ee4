//! `smoke mirror` before a stand-in of the gateway that a test makes bad, and before the real one with the shipped configuration.

mod arguments;
mod content;
mod gateway;
mod reach;
mod real;
mod world;
