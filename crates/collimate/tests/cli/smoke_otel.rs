//! `smoke otel` before a real collector that runs the shipped configuration.

mod arguments;
mod backends;
mod collector;
mod faults;
mod green;
mod load;
