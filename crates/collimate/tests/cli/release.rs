//! `release new`, `set`, `diff`, `show`, `sign` and `verify`: what they write, what they refuse, and what is left when they are killed.

mod compared;
mod edited;
mod killed;
mod made;
mod refused;
mod shipped;
mod signed;
