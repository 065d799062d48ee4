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
    /// Workflow commands, for annotations in a pipeline's log
    Github,
}

/// What one check found.
pub(crate) struct Report<'a> {
    pub(crate) findings: &'a [Finding<Location>],
    /// What a baseline accepts: said to programs, counted for people.
    pub(crate) known: &'a [Finding<Location>],
    pub(crate) verdicts: &'a [ProfileVerdict],
    pub(crate) sources: &'a SourceMap,
    /// Lines of talk that belong to the result, such as how a file was looked at.
    pub(crate) remarks: &'a [String],
}

impl<'a> Report<'a> {
    pub(crate) fn of(checked: &'a Checked, remarks: &'a [String]) -> Self {
        let Checked { findings, known, verdicts, sources, .. } = checked;
        Self { findings, known, verdicts, sources, remarks }
    }

    /// Prints the report and gives the exit code.
    pub(crate) fn print(&self, ctx: &Ctx, format: Format, deny_warnings: bool, notes: bool) -> Result<Exit> {
        match format {
            Format::Text => ctx.print(&self.text(ctx, notes))?,
            Format::Json => ctx.print(&findings::json(&self.all(), self.verdicts, self.sources))?,
            Format::Sarif => ctx.print(&sarif(&self.all(), self.sources))?,
            Format::Github => ctx.print(&findings::github(self.findings, self.sources))?,
        }
        let bar = if deny_warnings { Severity::Warning } else { Severity::Error };
        let failed = self.findings.iter().any(|finding| finding.severity >= bar);
        Ok(if failed { Exit::Findings } else { Exit::Fine })
    }

    /// Findings that count and those that do not, in one order.
    fn all(&self) -> Vec<Finding<Location>> {
        let mut all = [self.findings, self.known].concat();
        findings::sort(&mut all, self.sources);
        all
    }

    fn text(&self, ctx: &Ctx, notes: bool) -> String {
        let counts = Counts::of(self.findings);
        let shown: Vec<Finding<Location>> =
            self.findings.iter().filter(|finding| notes || finding.severity > Severity::Note).cloned().collect();
        let mut text = findings::text(&shown, self.sources, TextOptions { colour: ctx.color() });
        text.push_str(&self.table());
        for remark in self.remarks {
            let _ = writeln!(text, "{remark}");
        }
        let hint = if counts.notes > 0 && !notes { " (`--notes` shows the notes)" } else { "" };
        let _ = writeln!(text, "{}: {counts}{hint}", plural(self.verdicts.len(), "profile"));
        text
    }

    fn table(&self) -> String {
        let row = |row: &ProfileVerdict| {
            let known = self.known.iter().filter(|finding| finding.profiles.contains(row.name.as_str())).count();
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
        let mut text = columns::align(&self.verdicts.iter().map(row).collect::<Vec<_>>());
        if !self.verdicts.is_empty() {
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
            _ if profile.release.is_none() => Verdict::Failed,
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

fn sarif(findings: &[Finding<Location>], sources: &SourceMap) -> String {
    let rules: Vec<RuleInfo<'_>> =
        RULES.iter().map(|rule| RuleInfo { id: rule.id(), summary: rule.summary() }).collect();
    let tool = Tool { name: "collimate", version: env!("CARGO_PKG_VERSION"), rules: &rules };
    findings::sarif(findings, sources, tool)
}
