//! `promote`, `rollback`, `mark-good`, `hold` and `history`: what they write, what they refuse, and what is left when they are killed.

mod archived;
pub(crate) mod fixture;
pub(crate) mod killed;
mod ledger;
pub(crate) mod model;
mod moves;
mod planted;
mod refusals;
mod rings;
mod shipped;
