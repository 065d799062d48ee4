//! What signatures in the ledger are worth: approvals, and entries as a whole.
//!
//! Every signature is judged as of the moment of its entry. A key that was revoked later makes it doubtful and not wrong: whoever stole the key can have
//! written an old date, but not have put the entry before others that were noted elsewhere.

use rollout::{Approval, Kind, Recorded, Standing, Trust};
use signing::Signature;

use crate::exit::Result;
use crate::records::Records;

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Vouched {
    /// What is wrong: a changed signature, an unknown or revoked key, a role that somebody has not.
    pub(crate) faults: Vec<String>,
    /// What nobody can tell any more.
    pub(crate) doubts: Vec<String>,
    pub(crate) approvals: usize,
    pub(crate) signed: usize,
}

/// Looks at every approval and every signed entry.
pub(crate) fn look(records: &Records, trust: &Trust) -> Result<Vouched> {
    let mut vouched = Vouched::default();
    for recorded in records.ledger.entries() {
        for approval in &recorded.entry.approvals {
            vouched.approvals += 1;
            let told =
                |why: &dyn std::fmt::Display| format!("`{}`: the approval of `{}`: {why}", recorded.name, approval.by);
            match trust.judge_approval(approval, &recorded.entry.at) {
                Err(fault) => vouched.faults.push(told(&fault)),
                Ok(_) if !belongs(records, recorded, approval) => {
                    vouched.faults.push(told(&"it is about something else, or of whoever moved the release"));
                }
                Ok((_, Standing::Doubtful { revoked })) => {
                    vouched.doubts.push(told(&format!("doubtful, since the key was revoked later, on {revoked}")));
                }
                Ok((_, Standing::Counts)) => {}
            }
        }
        if let Some(bytes) = records.signature(recorded)? {
            vouched.signed += 1;
            entry(records, trust, recorded, &bytes, &mut vouched)?;
        }
    }
    Ok(vouched)
}

/// Whether an approval is about the move that its entry tells of, and by somebody else.
fn belongs(records: &Records, recorded: &Recorded, approval: &Approval) -> bool {
    let moved = match &recorded.entry.approves {
        None => Some(recorded),
        Some(hash) => records.ledger.entries().iter().find(|moved| moved.hash == *hash),
    };
    moved.map(|moved| &moved.entry).is_some_and(|moved| {
        moved.kind != Kind::Approval
            && moved.plan.as_ref() == Some(&approval.plan)
            && moved.from.as_ref().map(|base| &base.sha256) == Some(&approval.base)
            && moved.by != approval.by
    })
}

fn entry(records: &Records, trust: &Trust, recorded: &Recorded, bytes: &[u8], vouched: &mut Vouched) -> Result<()> {
    let told = |why: &dyn std::fmt::Display| format!("`{}`: its signature: {why}", recorded.name);
    let Some(signature) = Signature::from_slice(bytes) else {
        let why = format!("it has {} bytes instead of {}", bytes.len(), Signature::LENGTH);
        vouched.faults.push(told(&why));
        return Ok(());
    };
    let text = records.bytes(recorded)?;
    let Some(known) = trust.keys.iter().find(|known| known.key.verify(&text, &signature).is_ok()) else {
        vouched.faults.push(told(&"a bit of it was changed, or a key made it that is not trusted"));
        return Ok(());
    };
    match (known.counts_on(recorded.entry.at.day()), &known.revoked) {
        (Err(fault), _) => vouched.faults.push(told(&fault)),
        (Ok(()), Some(revoked)) => {
            let (name, on) = (&known.name.value, revoked.value);
            vouched.doubts.push(told(&format!("doubtful, since the key of `{name}` was revoked later, on {on}")));
        }
        (Ok(()), None) => {}
    }
    Ok(())
}
