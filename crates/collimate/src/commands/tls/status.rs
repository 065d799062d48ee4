use camino::Utf8PathBuf;
use certificates::{Chain, Examination, ExaminedCertificate, ExaminedKey, KeyMatch, Question};
use findings::{Counts, Finding, Location, Severity, TextOptions, plural};
use jiff::Timestamp;
use serde::Serialize;
use source::SourceMap;

use super::MOST_DAYS;
use crate::columns;
use crate::context::Ctx;
use crate::exit::{Exit, Result};

/// Judge certificates and keys, from wherever they come
///
/// Looks through files and folders and shows every certificate and key: names, use, days left, whether the key belongs to it, who may
/// read the key, and whether the certificate leads to the `ca.crt` beside it. Exits with 1 if something is wrong or ends soon.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files and folders; `deploy/telemetry/certs` of the workspace by default
    #[arg(value_name = "PATH")]
    paths: Vec<Utf8PathBuf>,

    /// Trust this file's CAs, and not the `ca.crt` beside a certificate
    #[arg(long, value_name = "FILE")]
    ca: Option<Utf8PathBuf>,

    /// A certificate that ends within so many days is a finding
    #[arg(long, value_name = "DAYS", default_value_t = WARN, value_parser = clap::value_parser!(u32).range(0..=MOST_DAYS))]
    warn: u32,

    /// Judge as of this moment, such as 2026-01-31T12:00:00Z, and not of now
    #[arg(long, value_name = "TIME", value_parser = moment)]
    at: Option<Timestamp>,

    /// Output format
    #[arg(long, default_value = "text")]
    format: Format,
}

/// Two weeks: half of the 30 days in which `tls generate` renews, so a warning means that renewing does not work.
const WARN: u32 = 14;

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs; has a schema number
    Json,
}

#[derive(Serialize)]
struct Answer<'a> {
    schema: u32,
    at: String,
    certificates: Vec<CertificateRow<'a>>,
    keys: Vec<KeyRow<'a>>,
    findings: Vec<FindingRow<'a>>,
}

#[derive(Serialize)]
struct CertificateRow<'a> {
    file: &'a str,
    /// Which certificate of its file, from 1.
    position: usize,
    subject: &'a str,
    issuer: &'a str,
    names: &'a [String],
    usages: &'a [&'static str],
    algorithm: &'a str,
    not_before: String,
    not_after: String,
    days_left: i64,
    chain: ChainRow<'a>,
    /// `matches`, `differs` or `absent`.
    key: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
enum ChainRow<'a> {
    Verified { to: &'a str },
    SelfSigned,
    Broken { reason: &'a str },
    Unchecked,
}

#[derive(Serialize)]
struct KeyRow<'a> {
    file: &'a str,
    algorithm: Option<&'a str>,
    /// As `chmod` takes it.
    mode: String,
    belongs_to: Option<&'a str>,
}

#[derive(Serialize)]
struct FindingRow<'a> {
    rule: &'static str,
    severity: &'static str,
    file: &'a str,
    message: &'a str,
    help: &'a str,
}

pub(crate) fn run(args: Args, ctx: &Ctx) -> Result<Exit> {
    let paths = if args.paths.is_empty() { vec![super::folder(None, ctx)?] } else { args.paths };
    let now = args.at.unwrap_or_else(|| ctx.now());
    let question = Question { paths: &paths, trusted: args.ca.as_deref(), warn: args.warn, now };
    let found = certificates::examine(&question).map_err(|error| super::failure(&error))?;
    match args.format {
        Format::Text => ctx.print(&text(&found, ctx.color()))?,
        Format::Json => ctx.print(&json(&found, now))?,
    }
    Ok(if found.is_wrong() { Exit::Findings } else { Exit::Fine })
}

/// A moment with date, time and zone.
fn moment(text: &str) -> std::result::Result<Timestamp, String> {
    text.parse().map_err(|_| "a date, a time and a zone are needed, such as 2026-01-31T12:00:00Z".to_owned())
}

fn text(found: &Examination, colour: bool) -> String {
    let mut text = String::new();
    if !found.certificates.is_empty() {
        let titles = ["certificate", "subject", "issuer", "use", "days", "key", "chain", "names"];
        let rows = found.certificates.iter().map(certificate_row);
        text.push_str(&columns::align(&with_titles(&titles, rows)));
        text.push('\n');
    }
    if !found.keys.is_empty() {
        let rows = found.keys.iter().map(key_row);
        text.push_str(&columns::align(&with_titles(&["key", "kind", "mode", "belongs to"], rows)));
        text.push('\n');
    }
    let findings: Vec<Finding<Location>> = found.findings.iter().map(finding).collect();
    text.push_str(&findings::text(&findings, &SourceMap::default(), TextOptions { colour }));
    text.push_str(&format!(
        "{}, {}: {}\n",
        plural(found.certificates.len(), "certificate"),
        plural(found.keys.len(), "key"),
        Counts::of(&findings)
    ));
    text
}

fn with_titles(titles: &[&str], rows: impl Iterator<Item = Vec<String>>) -> Vec<Vec<String>> {
    std::iter::once(titles.iter().map(|title| (*title).to_owned()).collect()).chain(rows).collect()
}

fn certificate_row(certificate: &ExaminedCertificate) -> Vec<String> {
    let place = if certificate.position == 1 {
        certificate.file.to_string()
    } else {
        format!("{} #{}", certificate.file, certificate.position)
    };
    vec![
        place,
        certificate.subject.clone(),
        certificate.issuer.clone(),
        if certificate.usages.is_empty() { "any".to_owned() } else { certificate.usages.join("+") },
        certificate.days_left.to_string(),
        match certificate.key {
            KeyMatch::Matches => "yes",
            KeyMatch::Differs => "NO",
            KeyMatch::Absent => "-",
        }
        .to_owned(),
        match certificate.chain {
            Chain::Verified(_) => "ok",
            Chain::SelfSigned => "self",
            Chain::Broken(_) => "BROKEN",
            Chain::Unchecked => "-",
        }
        .to_owned(),
        certificate.names.join(", "),
    ]
}

fn key_row(key: &ExaminedKey) -> Vec<String> {
    vec![
        key.file.to_string(),
        key.algorithm.clone().unwrap_or_else(|| "-".to_owned()),
        format!("{:04o}", key.mode),
        key.belongs_to.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string),
    ]
}

fn finding(finding: &certificates::Finding) -> Finding<Location> {
    let place = Location::File(finding.file.clone());
    Finding::new(finding.rule, severity(finding), place, finding.message.clone()).help(finding.help.clone())
}

fn severity(finding: &certificates::Finding) -> Severity {
    if finding.is_note { Severity::Note } else { Severity::Error }
}

fn json(found: &Examination, now: Timestamp) -> String {
    let answer = Answer {
        schema: 1,
        at: now.to_string(),
        certificates: found.certificates.iter().map(certificate_json).collect(),
        keys: found.keys.iter().map(key_json).collect(),
        findings: found.findings.iter().map(finding_json).collect(),
    };
    let mut json = serde_json::to_string_pretty(&answer).unwrap_or_default();
    json.push('\n');
    json
}

fn certificate_json(certificate: &ExaminedCertificate) -> CertificateRow<'_> {
    CertificateRow {
        file: certificate.file.as_str(),
        position: certificate.position,
        subject: &certificate.subject,
        issuer: &certificate.issuer,
        names: &certificate.names,
        usages: &certificate.usages,
        algorithm: &certificate.algorithm,
        not_before: certificate.not_before.to_string(),
        not_after: certificate.not_after.to_string(),
        days_left: certificate.days_left,
        chain: match &certificate.chain {
            Chain::Verified(to) => ChainRow::Verified { to },
            Chain::SelfSigned => ChainRow::SelfSigned,
            Chain::Broken(reason) => ChainRow::Broken { reason },
            Chain::Unchecked => ChainRow::Unchecked,
        },
        key: match certificate.key {
            KeyMatch::Matches => "matches",
            KeyMatch::Differs => "differs",
            KeyMatch::Absent => "absent",
        },
    }
}

fn key_json(key: &ExaminedKey) -> KeyRow<'_> {
    KeyRow {
        file: key.file.as_str(),
        algorithm: key.algorithm.as_deref(),
        mode: format!("{:04o}", key.mode),
        belongs_to: key.belongs_to.as_ref().map(|file| file.as_str()),
    }
}

fn finding_json(finding: &certificates::Finding) -> FindingRow<'_> {
    FindingRow {
        rule: finding.rule,
        severity: severity(finding).as_str(),
        file: finding.file.as_str(),
        message: &finding.message,
        help: &finding.help,
    }
}
