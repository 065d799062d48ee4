//! Who may: signed plans, signed manifests, signed entries, and whose keys count.

mod approvals;
mod due;
mod killed;
mod policy;
mod signatures;
mod vouched;
mod world;
