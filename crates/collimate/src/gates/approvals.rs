use std::collections::{BTreeMap, BTreeSet};

use release::Gates;
use rollout::{Approval, ApprovalFault, Due, Moment, Plan};

use super::Verdict;
use crate::consent::Consent;
use crate::context::Ctx;
use crate::exit::Result;

/// What is to be approved, and by whom not.
pub(crate) struct Asked<'a> {
    pub(crate) gates: &'a [&'a Gates],
    pub(crate) plan: &'a Plan,
    /// Who moves the release.
    pub(crate) by: &'a str,
    pub(crate) now: &'a Moment,
    /// The glass is broken, and a freeze stands: what is missing falls due.
    pub(crate) is_emergency: bool,
}

/// How the approvals stand.
#[derive(Default)]
pub(crate) struct Consented {
    pub(crate) verdicts: Vec<Verdict>,
    /// Those that count.
    pub(crate) approvals: Vec<Approval>,
    /// Those that are missing in an emergency.
    pub(crate) due: Vec<Due>,
}

/// Role → how many of it must approve. Where channel and ring name the same role, the larger number counts.
pub(crate) fn wanted<'g>(gates: &[&'g Gates]) -> BTreeMap<&'g str, u32> {
    let mut roles: BTreeMap<&str, u32> = BTreeMap::new();
    for approvals in gates.iter().flat_map(|gates| &gates.approvals) {
        let count = roles.entry(&approvals.role.value).or_default();
        *count = approvals.count.max(*count);
    }
    roles
}

/// Enough of every role must have signed this plan, on this base, each of them once, and none of them moves it.
pub(crate) fn approvals(ctx: &Ctx, consent: &Consent<'_>, asked: &Asked<'_>) -> Result<Consented> {
    let mut consented = Consented::default();
    let mut known: BTreeSet<String> = BTreeSet::new();
    for (file, approval) in consent.approvals(ctx)? {
        let gate = format!("approval {file}");
        match refused(consent, asked, &approval) {
            Some(Refused { why, way_out, is_untrusted }) => {
                let why = format!("`{file}` does not count: {why}");
                consented.verdicts.push(if is_untrusted {
                    Verdict::untrusted(&gate, why, way_out)
                } else {
                    Verdict::failed(&gate, why, way_out)
                });
            }
            None if known.insert(approval.by.clone()) => consented.approvals.push(approval),
            None => consented.verdicts.push(Verdict::failed(
                &gate,
                format!("`{file}` does not count: `{}` approves twice", approval.by),
                "leave one out; nobody counts twice, in whatever role",
            )),
        }
    }
    for (role, count) in wanted(asked.gates) {
        let gate = format!("approvals {role}");
        let names: Vec<&str> =
            consented.approvals.iter().filter(|own| own.role == role).map(|own| own.by.as_str()).collect();
        let missing = count.saturating_sub(u32::try_from(names.len()).unwrap_or(u32::MAX));
        let standing = format!("{} of {count}", names.len());
        let standing = if names.is_empty() { standing } else { format!("{standing}: {}", names.join(", ")) };
        consented.verdicts.push(if missing == 0 {
            Verdict::passed_by(&gate, format!("passed, {standing}"))
        } else if consent.policy.trust().is_none() {
            Verdict::failed(
                &gate,
                format!("`{role}` must approve, and nobody's key is trusted"),
                "let `trust` in `collimate.yaml` name them",
            )
        } else if asked.is_emergency {
            consented.due.push(Due { role: role.to_owned(), count: missing });
            Verdict::passed_by(&gate, format!("DUE, {standing}"))
        } else if consent.is_planning() {
            Verdict::passed_by(&gate, format!("wanted, {standing}"))
        } else {
            let what = findings::plural(missing as usize, "approval");
            Verdict::failed(
                &gate,
                format!("{what} by `{role}` missing"),
                "`--dry-run --plan FILE` writes what `collimate approve FILE --key KEY` signs, and `--approval` takes",
            )
        });
    }
    Ok(consented)
}

/// Why an approval does not count, and what to do.
struct Refused {
    why: String,
    way_out: String,
    is_untrusted: bool,
}

fn refused(consent: &Consent<'_>, asked: &Asked<'_>, approval: &Approval) -> Option<Refused> {
    let plan = asked.plan;
    let stale = |why: String, way_out: &str| Some(Refused { why, way_out: way_out.to_owned(), is_untrusted: false });
    if approval.plan != plan.hash() {
        let (theirs, ours) = (approval.plan.short(), plan.hash());
        return stale(
            format!("it approves the plan `{theirs}`, and this is `{}`", ours.short()),
            "something is another than it was when it was approved; write the plan anew and have it approved",
        );
    }
    if approval.base != plan.base.sha256 {
        return stale("it approves a move from another base".to_owned(), "have the plan approved anew");
    }
    let Some(trust) = consent.policy.trust() else {
        return stale("nobody's key is trusted".to_owned(), "let `trust` in `collimate.yaml` name them");
    };
    match trust.judge_approval(approval, asked.now) {
        Err(fault @ ApprovalFault::Over(_)) => stale(fault.to_string(), "have it approved again"),
        Err(fault) => Some(Refused {
            why: fault.to_string(),
            way_out: "do not use it; ask whoever is named there, by another way".to_owned(),
            is_untrusted: true,
        }),
        Ok((entry, _)) => {
            let is_signer = consent.signer().is_some_and(|signer| {
                entry.key == signer || trust.entry(&signer).is_some_and(|own| own.name.value == approval.by)
            });
            if approval.by != asked.by && !is_signer {
                return None;
            }
            stale(
                format!("it is by `{}`, who moves the release", approval.by),
                "who approves does not move it: somebody else must do one of both",
            )
        }
    }
}
