//! `mirror export` and `mirror import`: one generation across the gap, whole and trusted or not at all.

mod refused;
mod trip;
mod world;
