//! What a release must meet before it moves: one file per gate. The ledger records how each stood.

mod approvals;
mod commands;
mod digests;
mod due;
mod freeze;
mod green;
mod hold;
mod hotfix;
mod ring_before;
mod signature;

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use rollout::Gate;

pub(crate) use self::approvals::{Asked, approvals, wanted};
pub(crate) use self::commands::commands;
pub(crate) use self::digests::resolved_digests;
pub(crate) use self::due::{counts, due, owed};
pub(crate) use self::freeze::{freeze, is_frozen};
pub(crate) use self::green::green;
pub(crate) use self::hold::hold;
pub(crate) use self::hotfix::{Decisions, hotfixes};
pub(crate) use self::ring_before::ring_before;
pub(crate) use self::signature::signature;
use crate::columns;
use crate::exit::{Exit, Failure};
use crate::records::Records;

/// What the command line says of the gates of any move.
#[derive(Debug, clap::Args)]
pub(crate) struct GateArgs {
    /// Take a release whose digests are stand-ins: nothing can be deployed from it
    #[arg(long)]
    pub(crate) allow_sample_digests: bool,

    /// Run the commands that `collimate.yaml` names as gates
    #[arg(long)]
    pub(crate) run_gates: bool,

    /// Move in spite of a freeze, and of no other gate; recorded with its reason
    #[arg(long, value_name = "REASON")]
    pub(crate) break_glass: Option<String>,
}

/// How one gate stands.
pub(crate) struct Verdict {
    gate: String,
    /// What the ledger says of it.
    result: String,
    /// What its command printed, secrets masked.
    output: Option<String>,
    /// Why it is not met, and the way out.
    failure: Option<(String, String)>,
    /// Whether it is not met because a signature is wrong.
    is_untrusted: bool,
}

impl Verdict {
    fn passed(gate: &str) -> Self {
        Self::passed_by(gate, "passed")
    }

    /// Met, in a way that the ledger should tell.
    fn passed_by(gate: &str, how: impl Into<String>) -> Self {
        Self { gate: gate.to_owned(), result: how.into(), output: None, failure: None, is_untrusted: false }
    }

    fn failed(gate: &str, why: impl Into<String>, way_out: impl Into<String>) -> Self {
        Self {
            gate: gate.to_owned(),
            result: "FAILED".to_owned(),
            output: None,
            failure: Some((why.into(), way_out.into())),
            is_untrusted: false,
        }
    }

    /// As [`Self::failed`], where somebody may have tampered.
    fn untrusted(gate: &str, why: impl Into<String>, way_out: impl Into<String>) -> Self {
        Self { is_untrusted: true, ..Self::failed(gate, why, way_out) }
    }

    pub(crate) fn is_met(&self) -> bool {
        self.failure.is_none()
    }
}

/// One line per gate.
pub(crate) fn table(verdicts: &[Verdict]) -> String {
    let rows: Vec<Vec<String>> =
        verdicts.iter().map(|verdict| vec![format!("gate {}", verdict.gate), verdict.result.clone()]).collect();
    columns::align(&rows)
}

/// The failure that names every gate that is not met; `None` where all are.
pub(crate) fn refusal(label: &str, verdicts: &[Verdict]) -> Option<Failure> {
    let exit = if verdicts.iter().any(|verdict| verdict.is_untrusted) { Exit::Untrusted } else { Exit::Findings };
    let mut failed = verdicts.iter().filter_map(|verdict| verdict.failure.as_ref()).peekable();
    failed.peek()?;
    let failure = Failure::new(exit, format!("`{label}` may not take this release"));
    Some(failed.fold(failure, |failure, (why, way_out)| failure.because(format!("{why} ({way_out})"))))
}

/// How the ledger records the gates. What commands printed is added to the files that are written.
pub(crate) fn recorded(
    verdicts: Vec<Verdict>,
    records: &Records,
    texts: &mut BTreeMap<Utf8PathBuf, String>,
) -> Vec<Gate> {
    let mut gates = Vec::new();
    for Verdict { gate, result, output, .. } in verdicts {
        let output = output.map(|text| {
            let (hash, path) = records.output(&text);
            texts.insert(path, text);
            hash
        });
        gates.push(Gate { gate, result, output });
    }
    gates
}
