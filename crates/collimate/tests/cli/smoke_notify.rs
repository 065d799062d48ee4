//! `smoke notify` against a real Redis and a stand-in for Notify, in each way in which the chain can break.

mod configuration;
mod deliveries;
mod reading;
mod redis;
mod reports;
mod world;
