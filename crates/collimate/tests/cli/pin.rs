//! `pin` under fire: over generated workspaces, killed at any moment, with others at work beside it, on files of every kind.

mod beside;
mod beyond;
mod chart;
mod compose;
mod empty;
mod image;
mod judged;
mod killed;
mod labels;
mod laws;
mod on_disk;
mod packed;
mod reasons;
mod refused;
mod slots;
mod unresolved;
mod world;
