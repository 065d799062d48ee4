//! `pin` under fire: over generated workspaces, killed at any moment, with others at work beside it, on files of every kind.

mod beside;
mod chart;
mod compose;
mod image;
mod killed;
mod laws;
mod on_disk;
mod slots;
mod world;
