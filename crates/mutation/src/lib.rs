//! Mutations: workspaces changed at every place by every operator, and what the program says of each change.
//!
//! Dev only, like `testkit`: nothing that ships depends on it. A [`Subject`] is a workspace that the program finds nothing wrong
//! with. [`mutants`] lists what can be done to it, always in the same order; [`Judge`] does one of them in a copy, runs the program
//! there, renders every profile before and after, and returns a [`Verdict`]. `docs/mutations.md` says how verdicts are defined.

mod generate;
mod judge;
mod made;
mod missed;
mod mutant;
mod operator;
mod place;
mod places;
mod rendered;
mod sample;
mod subject;
mod survivors;
mod table;
mod told;
mod verdict;

pub use generate::mutants;
pub use judge::{Judge, Judged};
pub use mutant::Mutant;
pub use operator::Operator;
pub use place::{Place, What};
pub use sample::{at_most, sample};
pub use subject::Subject;
pub use table::{tables, wrong};
pub use verdict::Verdict;
