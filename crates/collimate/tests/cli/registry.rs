//! `release resolve`: a manifest and the registries that it names, real and faulty ones.

mod faulty;
mod real;
mod refusals;
mod world;
