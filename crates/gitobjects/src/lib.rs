//! Files of a git revision, read without running git.
//!
//! Start with [`Repository::of`]; [`Repository::resolve`] finds the commit of a name, [`Repository::file`] what a file held there.
//!
//! Why not git itself: the configuration of a repository names programs that git runs (hooks, file-system monitors, filters), and a foreign
//! checkout brings its own. Here nothing is run and no configuration is followed but what says how objects are stored.
//!
//! Threats and answers. *A repository that was made to harm*: sizes, chains of deltas, links between references, tags of tags and
//! alternates are limited; only regular files are read; names of references cannot leave the repository. *An object that is not what its name says*:
//! every object is hashed. *Replaced objects*: `refs/replace` and grafts, by which a commit says something else than was signed and reviewed, are
//! not looked at. *A tag that hides a branch of the same name*: a name that means two commits is refused. What is not answered: whoever can
//! move the reference decides what is read; choose one that is protected, such as `origin/main` after a fetch.

mod delta;
mod error;
mod id;
mod object;
mod pack;
mod refs;
mod repository;
mod tree;

pub use error::Error;
pub use id::Id;
pub use repository::Repository;
