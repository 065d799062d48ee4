//! The last line: between which two parts the chain is broken, and where to look.

use super::Request;
use super::redis::Group;
use super::verdict::{Survey, named, reference};
use crate::report::{Class, Finding, Verdict};

/// `None` where all is well.
pub(crate) fn conclusion(
    request: &Request,
    survey: &Survey,
    verdicts: &[Verdict],
    findings: &[Finding],
) -> Option<String> {
    // What could not be seen comes first: with it, what else looks broken may not be.
    let blind = findings.iter().filter(|finding| finding.class > Class::Wrong).max_by_key(|finding| finding.class);
    if let Some(blind) = blind {
        let look = blind.help.as_deref().map(|help| format!("; {help}")).unwrap_or_default();
        return Some(format!("not known: {}{look}", blind.message));
    }
    findings.iter().find(|finding| finding.class == Class::Wrong)?;
    if survey.seen.kinds.iter().any(|kind| kind.events == 0) {
        return Some(before_redis(request, survey));
    }
    if verdicts.iter().all(|verdict| *verdict == Verdict::Passed) {
        // Every event arrived; what is wrong is who can see it.
        return Some(format!(
            "broken between Notify and its tenants; look at how Notify takes the tenant from the header `{}`",
            request.tenant_header
        ));
    }
    Some(behind_redis(request, survey))
}

fn before_redis(request: &Request, survey: &Survey) -> String {
    let silent = request.kinds.iter().zip(&survey.seen.kinds).filter(|(_, kind)| kind.events == 0);
    let mut publishers: Vec<&str> = silent.clone().filter_map(|(name, _)| name.split('.').next()).collect();
    publishers.dedup();
    let publishers = publishers.join(" and ");
    let foreign = silent.clone().any(|(_, kind)| kind.other_tenants + kind.without_tenant > 0);
    let look = if foreign {
        format!("the tenant that {publishers} is configured for")
    } else {
        format!("the log of {publishers}, and the Redis that it is configured for")
    };
    format!("broken between {publishers} and Redis; look at {look}")
}

fn behind_redis(request: &Request, survey: &Survey) -> String {
    let mut lost = Vec::new();
    let mut failed = Vec::new();
    let mut waiting = false;
    let mut held = false;
    for kind in 0..request.kinds.len() {
        let tally = survey.tally(kind);
        lost.extend(tally.lost.iter().map(|event| reference(event)));
        failed.extend(
            tally
                .failed
                .iter()
                .map(|(event, error)| format!("{} ({})", reference(event), error.unwrap_or("no reason given"))),
        );
        waiting |= !tally.pending.is_empty();
        held |= !tally.unknown.is_empty();
    }
    let health = survey.health.as_deref().map(|health| format!("; Notify: {health}")).unwrap_or_default();
    if !lost.is_empty() {
        let lost = named(lost.into_iter());
        return format!("{}{health}; lost: {lost}", before_notify(request, survey));
    }
    if !failed.is_empty() {
        return format!(
            "broken between Notify and its channels; look at the channels' settings{health}; failed: {}",
            named(failed.into_iter())
        );
    }
    if held && !waiting {
        return format!(
            "broken between Notify and its channels; look at what holds deliveries back (throttles, digests){health}"
        );
    }
    format!("broken between Notify's worker and its channels; look at the worker's log, deliveries are waiting{health}")
}

/// Events without a delivery: nobody read them, or nothing came of it.
fn before_notify(request: &Request, survey: &Survey) -> String {
    let Some(groups) = &survey.groups else {
        return "broken between Redis and Notify; look at Notify's worker (this user may not see the stream's consumer groups)".to_owned();
    };
    if groups.is_empty() {
        return "broken between Redis and Notify; look at Notify's worker: no consumer group reads the stream"
            .to_owned();
    }
    let newest = survey.seen.newest;
    let is_behind = |group: &&Group| {
        let by_place = || newest.is_some_and(|newest| group.last_delivered.is_some_and(|last| last < newest));
        group.pending > 0 || group.lag.map_or_else(by_place, |lag| lag > 0)
    };
    let behind: Vec<String> = groups.iter().filter(is_behind).map(state).collect();
    if behind.is_empty() {
        let tenant = &request.tenant;
        return format!(
            "broken between Notify's worker and its deliveries; look at the rules of the tenant `{tenant}`: every consumer group has read everything"
        );
    }
    format!("broken between Redis and Notify; look at Notify's worker: {}", named(behind.into_iter()))
}

/// `group `notify`: 12 not read yet, 3 not acknowledged, 1 consumer`.
pub(crate) fn state(group: &Group) -> String {
    let lag = group.lag.map_or_else(|| "an unknown number".to_owned(), |lag| lag.to_string());
    let consumers =
        if group.consumers == 1 { "1 consumer".to_owned() } else { format!("{} consumers", group.consumers) };
    format!("group `{}`: {lag} not read yet, {} not acknowledged, {consumers}", group.name, group.pending)
}
