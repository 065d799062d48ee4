//! Findings and verdicts on their way out.

use std::fmt::Write as _;

use alignment::{ProfileSurvey, RULES, Survey};
use findings::{Counts, Finding, Location, ProfileVerdict, RuleInfo, Severity, TextOptions, Tool, Verdict, plural};
use source::SourceMap;

use crate::checking::Checked;
use crate::columns;
use crate::context::Ctx;
use crate::exit::{Exit, Result};

/// How findings are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// For programs; has a schema number
    Json,
    /// For code scanners
    Sarif,
    /// For build servers, beside their other tests
    Junit,
    /// Workflow commands, for annotations in a pipeline's log
    Github,
    /// For the comment on a change request
    Markdown,
}

/// What one check found.
pub(crate) struct Report<'a> {
    pub(crate) checked: &'a Checked,
    /// Lines of talk that belong to the result, such as how a file was looked at.
    pub(crate) remarks: &'a [String],
    pub(crate) format: Format,
    /// Whether a warning fails the check too.
    pub(crate) deny_warnings: bool,
    /// Whether notes are shown too.
    pub(crate) notes: bool,
}

impl Report<'_> {
    /// Prints the report and gives the exit code.
    pub(crate) fn print(&self, ctx: &Ctx) -> Result<Exit> {
        ctx.print(&self.text(ctx))?;
        let failed = self.checked.findings.iter().any(|finding| finding.severity >= self.bar());
        Ok(if failed { Exit::Findings } else { Exit::Fine })
    }

    /// What fails the check.
    fn bar(&self) -> Severity {
        if self.deny_warnings { Severity::Warning } else { Severity::Error }
    }

    /// The report.
    pub(crate) fn text(&self, ctx: &Ctx) -> String {
        let Checked { findings, verdicts, sources, workspace, .. } = self.checked;
        let least = if self.notes { Severity::Note } else { Severity::Warning };
        match self.format {
            Format::Text => self.for_people(ctx, least),
            Format::Json => findings::json(&self.all(), verdicts, sources),
            Format::Sarif => sarif(&self.all(), sources, workspace.as_str()),
            Format::Junit => findings::junit(findings, verdicts, sources, self.bar()),
            Format::Github => findings::github(findings, sources),
            Format::Markdown => findings::markdown(findings, verdicts, sources, least),
        }
    }

    /// Findings that count and those that a baseline accepts, in one order: said to programs, counted for people.
    fn all(&self) -> Vec<Finding<Location>> {
        let mut all = [self.checked.findings.as_slice(), &self.checked.known].concat();
        findings::sort(&mut all, &self.checked.sources);
        all
    }

    fn for_people(&self, ctx: &Ctx, least: Severity) -> String {
        let Checked { findings, verdicts, sources, .. } = self.checked;
        let counts = Counts::of(findings);
        let shown: Vec<Finding<Location>> =
            findings.iter().filter(|finding| finding.severity >= least).cloned().collect();
        let mut text = findings::text(&shown, sources, TextOptions { colour: ctx.color() });
        text.push_str(&self.table());
        for remark in self.remarks {
            let _ = writeln!(text, "{remark}");
        }
        let hint = if counts.notes > 0 && least > Severity::Note { " (`--notes` shows the notes)" } else { "" };
        let _ = writeln!(text, "{}: {counts}{hint}", plural(verdicts.len(), "profile"));
        text
    }

    fn table(&self) -> String {
        let row = |row: &ProfileVerdict| {
            let known =
                self.checked.known.iter().filter(|finding| finding.profiles.contains(row.name.as_str())).count();
            let verdict = match row.verdict {
                Verdict::Failed => "NOT ALIGNED".to_owned(),
                Verdict::Aligned | Verdict::Warnings if known > 0 => {
                    format!("aligned, but for {}", plural(known, "known finding"))
                }
                Verdict::Aligned => "aligned".to_owned(),
                Verdict::Warnings => "aligned, with warnings".to_owned(),
            };
            vec![row.channel.clone(), row.name.clone(), plural(row.images, "image"), verdict]
        };
        let mut text = columns::align(&self.checked.verdicts.iter().map(row).collect::<Vec<_>>());
        if !self.checked.verdicts.is_empty() {
            text.push('\n');
        }
        text
    }
}

/// One line per profile: what is worst in it.
pub(crate) fn verdicts(survey: &Survey<'_>, found: &[Finding<Location>]) -> Vec<ProfileVerdict> {
    let verdict = |profile: &ProfileSurvey<'_>| {
        let own = found.iter().filter(|finding| finding.profiles.contains(profile.name()));
        let worst = own.map(|finding| finding.severity).max();
        let verdict = match worst {
            // What could not be held against a release is not in line with it; the manifest has the finding.
            _ if profile.release.is_none_or(|held| held.input.sound().is_none()) => Verdict::Failed,
            Some(Severity::Error) => Verdict::Failed,
            Some(Severity::Warning) => Verdict::Warnings,
            Some(Severity::Note) | None => Verdict::Aligned,
        };
        ProfileVerdict {
            name: profile.name().to_owned(),
            channel: profile.channel().to_owned(),
            images: profile.image_count(),
            verdict,
        }
    };
    survey.profiles.iter().map(verdict).collect()
}

fn sarif(findings: &[Finding<Location>], sources: &SourceMap, home: &str) -> String {
    let rules: Vec<RuleInfo<'_>> =
        RULES.iter().map(|rule| RuleInfo { id: rule.id(), summary: rule.summary() }).collect();
    let tool = Tool { name: "collimate", version: env!("CARGO_PKG_VERSION"), rules: &rules, home };
    findings::sarif(findings, sources, tool)
}
