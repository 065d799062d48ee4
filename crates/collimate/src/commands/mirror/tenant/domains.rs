//! Which domain is meant, and where its tenants are kept.

use camino::{Utf8Path, Utf8PathBuf};
use findings::plural;

use super::super::settings::Settings;
use super::store::Store;
use crate::context::Ctx;
use crate::exit::{Failure, Result};

#[derive(Debug, clap::Args)]
pub(super) struct DomainArgs {
    /// The htpasswd file, where there is no workspace; DOMAIN then only names it in the Secret
    #[arg(long, value_name = "FILE")]
    file: Option<Utf8PathBuf>,
}

/// One domain, with all that are configured beside it.
#[derive(Clone)]
pub(super) struct Domain {
    pub(super) id: String,
    /// On disk, and as it is shown.
    path: Utf8PathBuf,
    shown: Utf8PathBuf,
    siblings: Vec<Self>,
    is_alone: bool,
}

impl DomainArgs {
    /// The domain of this id.
    pub(super) fn domain(&self, id: &str, ctx: &Ctx) -> Result<Domain> {
        if let Some(file) = &self.file {
            return named(id, file, ctx);
        }
        let all = of_workspace(ctx)?;
        let found = all.domains.iter().find(|domain| domain.id == id).cloned();
        found.map(|domain| Domain { siblings: all.domains.clone(), ..domain }).ok_or_else(|| {
            let known: Vec<String> = all.domains.iter().map(|domain| format!("`{}`", domain.id)).collect();
            Failure::usage(format!("there is no domain `{}` in `{}`", id.escape_debug(), all.file)).hint(format!(
                "it has {}: {}",
                plural(known.len(), "domain"),
                known.join(", ")
            ))
        })
    }

    /// That one, or all that are configured.
    pub(super) fn domains(&self, id: Option<&str>, ctx: &Ctx) -> Result<Vec<Domain>> {
        match (id, &self.file) {
            (Some(id), _) => Ok(vec![self.domain(id, ctx)?]),
            (None, Some(file)) => {
                let name = file.file_name().unwrap_or_default();
                let id = name.strip_prefix("mirror-").and_then(|name| name.strip_suffix(".htpasswd"));
                Ok(vec![named(id.unwrap_or("-"), file, ctx).or_else(|_| named("unnamed", file, ctx))?])
            }
            (None, None) => {
                let all = of_workspace(ctx)?.domains;
                let with_siblings = |domain: &Domain| Domain { siblings: all.clone(), ..domain.clone() };
                Ok(all.iter().map(with_siblings).collect())
            }
        }
    }
}

impl Domain {
    pub(super) fn store(&self) -> Result<Store> {
        Store::open(&self.path, self.shown.clone())
    }

    /// Its file's name where the verifier looks for it.
    pub(super) fn file_name(&self) -> String {
        format!("mirror-{}.htpasswd", self.id)
    }

    /// Itself among all that are configured with it.
    pub(super) fn with_siblings(&self) -> Vec<Self> {
        if self.is_alone { vec![self.clone()] } else { self.siblings.clone() }
    }

    /// Whether others cannot be known, because the file was named.
    pub(super) fn is_alone(&self) -> bool {
        self.is_alone
    }
}

/// A file of the command line.
fn named(id: &str, file: &Utf8Path, ctx: &Ctx) -> Result<Domain> {
    let is_id =
        !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    if !is_id {
        return Err(Failure::usage(format!("`{}` is not a domain's id", id.escape_debug()))
            .hint("lower-case letters, digits and `-`, as in `mirror.yaml`"));
    }
    Ok(Domain {
        id: id.to_owned(),
        path: ctx.cwd().join(file),
        shown: file.to_owned(),
        siblings: Vec::new(),
        is_alone: true,
    })
}

struct OfWorkspace {
    file: Utf8PathBuf,
    domains: Vec<Domain>,
}

fn of_workspace(ctx: &Ctx) -> Result<OfWorkspace> {
    let settings = Settings::of_workspace(ctx).map_err(|failure| {
        let is_missing = failure.is_missing_workspace();
        if is_missing { failure.hint("`--file` names an htpasswd file without a workspace") } else { failure }
    })?;
    let domains = settings.mirror.domains.iter().filter_map(|domain| {
        let (path, shown) = settings.htpasswd(domain, ctx)?;
        Some(Domain { id: domain.id.value.clone(), path, shown, siblings: Vec::new(), is_alone: false })
    });
    Ok(OfWorkspace { domains: domains.collect(), file: settings.file })
}
