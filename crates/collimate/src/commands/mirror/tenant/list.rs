//! `collimate mirror tenant list`.

use mirror::htpasswd::File;
use serde::Serialize;

use super::domains::{Domain, DomainArgs};
use super::secret::SecretArgs;
use crate::columns;
use crate::context::Ctx;
use crate::exit::{Exit, Result};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only this domain
    #[arg(value_name = "DOMAIN")]
    domain: Option<String>,

    #[command(flatten)]
    file: DomainArgs,

    /// Output format
    #[arg(long, default_value = "text", conflicts_with = "as_secret")]
    format: Format,

    #[command(flatten)]
    secret: SecretArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For programs; has a schema number
    Json,
}

#[derive(Serialize)]
struct Answer {
    schema: u32,
    domains: Vec<DomainRow>,
}

#[derive(Serialize)]
struct DomainRow {
    domain: String,
    file: String,
    /// Whether there is such a file.
    exists: bool,
    tenants: Vec<TenantRow>,
    problems: Vec<ProblemRow>,
}

#[derive(Serialize)]
struct TenantRow {
    name: String,
    line: usize,
    /// How the password is kept: `bcrypt`, `apr1`, …
    form: &'static str,
    cost: Option<u32>,
    /// Why the hash should be replaced, if it should.
    weak: Option<String>,
}

#[derive(Serialize)]
struct ProblemRow {
    line: usize,
    message: String,
}

pub(super) fn run(args: &Args, ctx: &Ctx) -> Result<Exit> {
    args.secret.check()?;
    let domains = args.file.domains(args.domain.as_deref(), ctx)?;
    if args.secret.is_wanted() {
        if let Some(first) = domains.first() {
            args.secret.print(first, ctx)?;
        }
        return Ok(Exit::Fine);
    }
    let rows = domains.iter().map(row).collect::<Result<Vec<_>>>()?;
    let is_wrong = rows
        .iter()
        .any(|row| !row.exists || !row.problems.is_empty() || row.tenants.iter().any(|tenant| tenant.weak.is_some()));
    match args.format {
        Format::Text => ctx.print(&text(&rows))?,
        Format::Json => {
            let mut json = serde_json::to_string_pretty(&Answer { schema: 1, domains: rows }).unwrap_or_default();
            json.push('\n');
            ctx.print(&json)?;
        }
    }
    Ok(if is_wrong { Exit::Findings } else { Exit::Fine })
}

fn row(domain: &Domain) -> Result<DomainRow> {
    let store = domain.store()?;
    let bytes = store.read()?;
    let exists = bytes.is_some();
    let file = File::parse(&bytes.unwrap_or_default());
    let tenants = file.entries().iter().map(|entry| TenantRow {
        name: entry.name().to_owned(),
        line: entry.line(),
        form: entry.hash().form().name(),
        cost: entry.hash().cost(),
        weak: entry.hash().weakness().map(|weakness| weakness.to_string()),
    });
    let problems =
        file.problems().iter().map(|problem| ProblemRow { line: problem.line, message: problem.to_string() });
    Ok(DomainRow {
        domain: domain.id.clone(),
        file: store.shown().to_string(),
        exists,
        tenants: tenants.collect(),
        problems: problems.collect(),
    })
}

fn text(rows: &[DomainRow]) -> String {
    let titles = ["domain", "tenant", "hash", "cost", "verdict"].map(str::to_owned).to_vec();
    let tenants =
        rows.iter().flat_map(|row| row.tenants.iter().map(move |tenant| (row, tenant))).map(|(row, tenant)| {
            vec![
                row.domain.clone(),
                source::redact(&tenant.name),
                tenant.form.to_owned(),
                tenant.cost.map_or_else(|| "-".to_owned(), |cost| cost.to_string()),
                tenant.weak.as_ref().map_or_else(|| "ok".to_owned(), |weak| format!("WEAK: {weak}")),
            ]
        });
    let table: Vec<_> = std::iter::once(titles).chain(tenants).collect();
    let mut text = if table.len() > 1 { columns::align(&table) } else { String::new() };
    for row in rows {
        if !row.exists {
            text.push_str(&format!("`{}` does not exist: nobody of domain `{}` gets in\n", row.file, row.domain));
        } else if row.tenants.is_empty() {
            text.push_str(&format!("`{}` has no tenants\n", row.file));
        }
        for problem in &row.problems {
            text.push_str(&format!("`{}`, line {}: {}\n", row.file, problem.line, problem.message));
        }
    }
    text
}
