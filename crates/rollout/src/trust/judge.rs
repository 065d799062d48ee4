//! Whether an approval counts, at the moment of a move or of its entry in the ledger.

use release::Date;

use super::{KeyFault, Trust, TrustedKey};
use crate::Moment;
use crate::entry::Approval;

/// How an approval stands that nothing speaks against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Counts,
    /// Its key was revoked later: nobody can tell whether it was signed before it was stolen.
    Doubtful {
        revoked: Date,
    },
}

/// Why an approval does not count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ApprovalFault {
    #[error("nobody called `{0}` is trusted")]
    Nobody(String),
    #[error("its signature is not one of `{by}` under these words: a bit of it was changed, or another key signed")]
    Signature { by: String },
    #[error("it says that it is by `{by}`, and the key of `{signer}` signed it")]
    OtherName { by: String, signer: String },
    #[error(transparent)]
    Key(#[from] KeyFault),
    #[error("it counted until {0}")]
    Over(Moment),
}

impl Trust {
    /// Judges an approval as of a moment: the one at which it is used, or of the entry that holds it.
    ///
    /// # Errors
    /// The first reason against it.
    pub fn judge_approval(&self, approval: &Approval, at: &Moment) -> Result<(&TrustedKey, Standing), ApprovalFault> {
        let Some(entry) = self.keys.iter().find(|known| approval.is_signed_by(&known.key)) else {
            return Err(match self.of(&approval.by).next() {
                Some(_) => ApprovalFault::Signature { by: approval.by.clone() },
                None => ApprovalFault::Nobody(approval.by.clone()),
            });
        };
        let signer = &entry.name.value;
        if *signer != approval.by {
            return Err(ApprovalFault::OtherName { by: approval.by.clone(), signer: signer.clone() });
        }
        entry.counts_on(at.day())?;
        entry.may_be(&approval.role)?;
        if approval.until < *at {
            return Err(ApprovalFault::Over(approval.until.clone()));
        }
        let standing = match &entry.revoked {
            Some(revoked) => Standing::Doubtful { revoked: revoked.value },
            None => Standing::Counts,
        };
        Ok((entry, standing))
    }
}
