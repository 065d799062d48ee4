//! The report for programs.

use std::collections::BTreeMap;

use mirror::usage::{Key, Kind, REFUSALS, Row};
use serde::Serialize;

use super::Report;

#[derive(Serialize)]
struct Answer<'a> {
    schema: u32,
    requests: u64,
    damaged_lines: u64,
    usage: Vec<UsageRow<'a>>,
    /// What is in `usage` too: the busiest hours that were over a budget.
    over: Vec<OverRow<'a>>,
    /// Domains and tenants that `mirror.yaml` and the htpasswd files do not have, in words.
    unknown: Vec<String>,
    wrong_credentials: WrongRow<'a>,
}

#[derive(Serialize)]
struct UsageRow<'a> {
    day: String,
    domain: &'a str,
    /// Empty for what was refused before a tenant was known.
    tenant: &'a str,
    requests: u64,
    bytes: u64,
    hits: u64,
    cacheable: u64,
    refused: BTreeMap<&'static str, u64>,
    index: Option<BusiestRow>,
    downloads: Option<BusiestRow>,
}

#[derive(Serialize)]
struct BusiestRow {
    /// Of the day, in UTC.
    hour: usize,
    requests: u64,
    budget: Option<u64>,
    /// Negative where the budget was exceeded.
    left: Option<i128>,
}

#[derive(Serialize)]
struct OverRow<'a> {
    day: String,
    domain: &'a str,
    tenant: &'a str,
    kind: &'static str,
    hour: usize,
    requests: u64,
    budget: u64,
}

#[derive(Serialize)]
struct WrongRow<'a> {
    attempts: u64,
    /// Whether there were more addresses than are kept; each count is exact all the same.
    is_sample: bool,
    addresses: Vec<AddressRow<'a>>,
}

#[derive(Serialize)]
struct AddressRow<'a> {
    day: String,
    address: &'a str,
    attempts: u64,
}

pub(super) fn json(report: &Report<'_>) -> String {
    let addresses = report.usage.wrong_credentials();
    let answer = Answer {
        schema: 1,
        requests: report.usage.lines(),
        damaged_lines: report.usage.damaged(),
        usage: report.usage.rows().map(|(key, row)| usage_row(report, key, row)).collect(),
        over: report
            .overruns
            .iter()
            .map(|overrun| OverRow {
                day: overrun.key.day.to_string(),
                domain: &overrun.key.domain,
                tenant: &overrun.key.tenant,
                kind: if overrun.kind == Kind::Index { "index" } else { "downloads" },
                hour: overrun.hour,
                requests: overrun.requests,
                budget: overrun.budget,
            })
            .collect(),
        unknown: report.known.unknown(report.usage),
        wrong_credentials: WrongRow {
            attempts: addresses.attempts(),
            is_sample: addresses.is_sample(),
            addresses: addresses
                .sorted()
                .into_iter()
                .map(|(day, address, attempts)| AddressRow { day: day.to_string(), address, attempts })
                .collect(),
        },
    };
    let mut json = serde_json::to_string_pretty(&answer).unwrap_or_default();
    json.push('\n');
    json
}

fn usage_row<'a>(report: &Report<'_>, key: &'a Key, row: &Row) -> UsageRow<'a> {
    let busiest = |kind| {
        let (hour, requests) = row.busiest(kind)?;
        let budget = report.known.budgets.of(kind, &key.domain).filter(|_| !key.tenant.is_empty());
        let left = budget.map(|budget| i128::from(budget) - i128::from(requests));
        Some(BusiestRow { hour, requests, budget, left })
    };
    UsageRow {
        day: key.day.to_string(),
        domain: &key.domain,
        tenant: &key.tenant,
        requests: row.requests,
        bytes: row.bytes,
        hits: row.hits,
        cacheable: row.cacheable,
        refused: REFUSALS.into_iter().zip(row.refused).filter(|(_, count)| *count > 0).collect(),
        index: busiest(Kind::Index),
        downloads: busiest(Kind::Download),
    }
}
