//! The report for people.

use mirror::usage::{Key, Kind, REFUSALS, Row};

use super::Report;
use crate::columns;

/// Addresses that are shown; the JSON report has all.
const MOST_ADDRESSES: usize = 20;

pub(super) fn text(report: &Report<'_>) -> String {
    let mut text = String::new();
    table(report, &mut text);
    overruns(report, &mut text);
    unknown(report, &mut text);
    wrong_credentials(report, &mut text);
    let of_day = report.day.map_or_else(String::new, |day| format!(" on {day}"));
    let damaged = match report.usage.damaged() {
        0 => String::new(),
        damaged => format!(", {}", counted(damaged, "damaged line")),
    };
    text.push_str(&format!("{}{of_day}{damaged}\n", counted(report.usage.lines(), "request")));
    text
}

fn table(report: &Report<'_>, text: &mut String) {
    let titles = [
        "day",
        "domain",
        "tenant",
        "requests",
        "bytes",
        "hits",
        "index, busiest hour",
        "downloads, busiest hour",
        "refused",
    ];
    let mut table = vec![titles.map(str::to_owned).to_vec()];
    for (key, row) in report.usage.rows() {
        table.push(vec![
            key.day.to_string(),
            shown(&key.domain),
            shown(&key.tenant),
            row.requests.to_string(),
            bytes(row.bytes),
            ratio(row.hits, row.cacheable),
            busiest(report, key, row, Kind::Index),
            busiest(report, key, row, Kind::Download),
            refusals(row),
        ]);
    }
    if table.len() > 1 {
        text.push_str(&columns::align(&table));
        text.push('\n');
    }
}

fn overruns(report: &Report<'_>, text: &mut String) {
    for overrun in report.overruns {
        let what = if overrun.kind == Kind::Index { "index requests" } else { "downloads" };
        text.push_str(&format!(
            "over budget: tenant `{}` of domain `{}` made {} {what} in the hour from {} {:02}:00 UTC; its budget is {}\n",
            shown(&overrun.key.tenant),
            shown(&overrun.key.domain),
            overrun.requests,
            overrun.key.day,
            overrun.hour,
            overrun.budget
        ));
    }
    if !report.overruns.is_empty() {
        text.push('\n');
    }
}

fn unknown(report: &Report<'_>, text: &mut String) {
    let unknown = report.known.unknown(report.usage);
    for what in &unknown {
        text.push_str(&format!("unknown: {what}\n"));
    }
    if !unknown.is_empty() {
        text.push('\n');
    }
}

fn wrong_credentials(report: &Report<'_>, text: &mut String) {
    let addresses = report.usage.wrong_credentials();
    if addresses.attempts() == 0 {
        return;
    }
    let sorted = addresses.sorted();
    let mut table = vec![["day", "address", "without right credentials"].map(str::to_owned).to_vec()];
    table.extend(
        sorted
            .iter()
            .take(MOST_ADDRESSES)
            .map(|(day, address, count)| vec![day.to_string(), shown(address), count.to_string()]),
    );
    text.push_str(&columns::align(&table));
    let more = sorted.len().saturating_sub(MOST_ADDRESSES);
    if addresses.is_sample() {
        text.push_str(&format!("these are of a sample: more than {} addresses and days came\n", sorted.len()));
    } else if more > 0 {
        text.push_str(&format!("and {more} more; `--format json` has all\n"));
    }
    text.push('\n');
}

/// A name of the log, safe to print; `-` where there is none.
fn shown(name: &str) -> String {
    if name.is_empty() { "-".to_owned() } else { source::redact(&name.replace('\n', " ")) }
}

fn busiest(report: &Report<'_>, key: &Key, row: &Row, kind: Kind) -> String {
    let Some((hour, requests)) = row.busiest(kind) else { return "-".to_owned() };
    let at = format!("at {hour:02}:00");
    match report.known.budgets.of(kind, &key.domain).filter(|_| !key.tenant.is_empty()) {
        None => format!("{requests} {at}"),
        Some(budget) if requests > budget => format!("{requests} of {budget} {at}, OVER by {}", requests - budget),
        Some(budget) => format!("{requests} of {budget} {at}, {} left", budget - requests),
    }
}

fn refusals(row: &Row) -> String {
    let refused: Vec<String> = REFUSALS
        .iter()
        .zip(&row.refused)
        .filter(|(_, count)| **count > 0)
        .map(|(reason, count)| format!("{reason} {count}"))
        .collect();
    if refused.is_empty() { "-".to_owned() } else { refused.join(", ") }
}

/// Rounded down, so that 100 % is all.
fn ratio(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "-".to_owned();
    }
    let tenths = u128::from(part) * 1000 / u128::from(whole);
    format!("{}.{} %", tenths / 10, tenths % 10)
}

fn bytes(count: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    let mut tenths = u128::from(count) * 10;
    let mut unit = None;
    for next in UNITS {
        if tenths < 10_240 {
            break;
        }
        tenths /= 1024;
        unit = Some(next);
    }
    match unit {
        None => format!("{count} B"),
        Some(unit) => format!("{}.{} {unit}", tenths / 10, tenths % 10),
    }
}

fn counted(count: u64, what: &str) -> String {
    findings::plural(usize::try_from(count).unwrap_or(usize::MAX), what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_never_too_good() {
        for (count, expected) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1.0 KiB"),
            (1536, "1.5 KiB"),
            (1024 * 1024 - 1, "1023.9 KiB"),
            (50 << 20, "50.0 MiB"),
            (u64::MAX, "16383.9 PiB"),
        ] {
            assert_eq!(bytes(count), expected);
        }
        assert_eq!(ratio(0, 0), "-");
        assert_eq!(ratio(999_999, 1_000_000), "99.9 %");
        assert_eq!(ratio(3, 3), "100.0 %");
        assert_eq!(ratio(u64::MAX, u64::MAX), "100.0 %");
    }
}
