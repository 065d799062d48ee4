//! Settings of a mirror that contradict each other.

use yamlspan::strict::{Problem, Spanned};

use super::{HOUR, Mirror, Seconds};

pub(super) fn check(mirror: &Mirror, problems: &mut Vec<Problem>) {
    unique(mirror.domains.iter().map(|domain| &domain.id), "the id", problems);
    unique(mirror.domains.iter().map(|domain| &domain.host), "the host", problems);
    folders(mirror, problems);
    budgets(mirror, problems);
    let gateway = &mirror.gateway;
    if gateway.https_port.value == gateway.inside_port.value {
        problems.push(Problem {
            span: Some(gateway.inside_port.span),
            message: format!("`gateway.inside_port` is the port of tenants too: {}", gateway.inside_port.value),
            help: Some("status and health are for the inside; give them a port that is not published".to_owned()),
        });
    }
}

fn unique<'m>(values: impl Iterator<Item = &'m Spanned<String>>, what: &str, problems: &mut Vec<Problem>) {
    let mut seen: Vec<&str> = Vec::new();
    for value in values {
        if seen.contains(&value.value.as_str()) {
            problems.push(Problem {
                span: Some(value.span),
                message: format!("two domains have {what} `{}`", value.value),
                help: Some("give each domain its own".to_owned()),
            });
        }
        seen.push(&value.value);
    }
}

/// No folder is written for two purposes: what one of them removes as stale is the other's.
fn folders(mirror: &Mirror, problems: &mut Vec<Problem>) {
    let all: Vec<_> = mirror.deployments.iter().flat_map(|one| [&one.gateway, &one.environment]).collect();
    for (index, folder) in all.iter().enumerate() {
        if all
            .iter()
            .take(index)
            .any(|earlier| folder.starts_with(&earlier.value) || earlier.starts_with(&folder.value))
        {
            problems.push(Problem {
                span: Some(folder.span),
                message: format!("`{}` is in, around or the same as another folder that is written", folder.value),
                help: Some("give each its own folder".to_owned()),
            });
        }
    }
}

/// Concelier counts requests per hour, and all that it sees of a mirror are the gateway's own questions whether something is new. A
/// budget that is smaller than these would lock the gateway out.
fn budgets(mirror: &Mirror, problems: &mut Vec<Problem>) {
    let replicas = mirror.replicas.value.get();
    let asked = |lifetime: Seconds| HOUR.div_ceil(lifetime.0).saturating_mul(replicas);
    let (index, bundle) = (asked(mirror.lifetimes.index.value), asked(mirror.lifetimes.bundle.value));
    // The index of each server name is an object of its own.
    let domains = u32::try_from(mirror.domains.len()).unwrap_or(u32::MAX);
    let mut hold = |budget: &Spanned<std::num::NonZeroU32>, needed: u32, what: &str| {
        if needed > budget.value.get() {
            problems.push(Problem {
                span: Some(budget.span),
                message: format!("{what} is {} an hour, and the gateway alone asks up to {needed} times", budget.value),
                help: Some("raise it, or let `lifetimes.index` and `lifetimes.bundle` be longer".to_owned()),
            });
        }
    };
    hold(&mirror.index_requests_per_hour, index.saturating_mul(domains), "`index_requests_per_hour`");
    for domain in &mirror.domains {
        // The manifest, the bundle and its signature.
        let needed = index.saturating_add(bundle.saturating_mul(2));
        hold(&domain.downloads_per_hour, needed, &format!("`downloads_per_hour` of `{}`", domain.id.value));
    }
}
