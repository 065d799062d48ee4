//! `mirror pull` from a stand-in for the exports of Concelier and Excititor: in step, whole at every moment, and nothing twice.

mod faults;
mod folder;
mod gateway;
mod kills;
mod step;
mod transfer;
pub(crate) mod world;
