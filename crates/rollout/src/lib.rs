//! What happened to releases: the ledger, holds, what is known good, and changes that are made whole or not at all.
//!
//! Start with [`Ledger`]: entries as they were read, proved to hang together, and what follows from them. [`Journal`] makes a change
//! of several files whole over any [`Storage`]. [`set_ring`] and [`next_version`] are the two things that a promotion derives.
//!
//! This crate does no IO and knows no clock and no environment.
//!
//! Threats and answers. Ledger and journal come with a repository that others write to. An entry's name holds the start of its hash,
//! and every entry names the ones before it, so that a changed, removed or reordered one shows; sizes are limited; texts with control
//! characters are refused, since they are printed. A journal makes the program write files: it names only paths below the workspace,
//! none of them hidden (`.git/hooks`), and only ones that still hold what they held when it was made.

mod approval;
mod canonical;
mod crossing;
mod deployed;
mod entry;
mod evidence;
mod hash;
mod hotfix;
mod journal;
mod ledger;
mod moment;
mod plan;
mod ring;
mod running;
mod standing;
mod trust;
mod version;

pub use approval::Statement;
pub use canonical::CanonicalError;
pub use crossing::crossed;
pub use entry::{
    Approval, Deployed, Draft, Due, Entry, EntryError, Evidence, Gate, Held, Inputs, Kind, Source, is_entry_name,
};
pub use evidence::{Report, ReportError};
pub use hash::{Hash, HashError};
pub use hotfix::{hotfixes, keep};
pub use journal::{
    Before, Change, CommitError, Content, Journal, JournalError, MOST_JOURNAL_BYTES, Recovered, Storage, Write, commit,
    recover,
};
pub use ledger::{FEWEST_DIGITS, Fault, Ledger, NewEntry, Recorded};
pub use moment::{Moment, MomentError};
pub use plan::{Action, Intent, Plan};
pub use ring::{RingError, set_ring};
pub use running::{Running, RunningError, RunningImage};
pub use standing::{Debt, HeldAt, Since};
pub use trust::{ApprovalFault, KeyFault, Standing, Trust, TrustedKey, trust_schema};
pub use version::{VersionError, is_version, next_version};
