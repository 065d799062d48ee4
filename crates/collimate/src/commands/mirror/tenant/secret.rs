//! `--as-secret`: the same tenants for Kubernetes.

use mirror::htpasswd::kubernetes_secret;

use super::domains::Domain;
use crate::context::Ctx;
use crate::exit::{Failure, Result};

/// What the chart's verifier mounts.
const NAME: &str = "stellaops-mirror-passwords";

/// A label, as Kubernetes names namespaces.
const MOST_LABEL_BYTES: usize = 63;

/// A subdomain, as Kubernetes names objects.
const MOST_NAME_BYTES: usize = 253;

#[derive(Debug, clap::Args)]
pub(super) struct SecretArgs {
    /// Then print the Kubernetes Secret with the files of all domains on stdout, to be applied or sealed; a generated password goes to
    /// stderr. The files stay what the Secret is made from: keep them
    #[arg(long)]
    as_secret: bool,

    /// The Secret's namespace; without it, whoever applies the Secret decides
    #[arg(long, value_name = "NS", requires = "as_secret")]
    namespace: Option<String>,

    /// The Secret's name
    #[arg(long = "name", value_name = "NAME", id = "secret_name", requires = "as_secret", default_value = NAME)]
    name: String,
}

impl SecretArgs {
    pub(super) fn is_wanted(&self) -> bool {
        self.as_secret
    }

    /// Before anything is changed.
    pub(super) fn check(&self) -> Result<()> {
        let refuse = |option: &str, value: &str, kind: &str| {
            Err(Failure::usage(format!("`{option} {}` is not a name that Kubernetes takes", value.escape_debug()))
                .hint(format!("lower-case letters, digits{kind}, with a letter or digit at both ends")))
        };
        let is_label = |text: &str| {
            let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
            (1..=MOST_LABEL_BYTES).contains(&text.len())
                && text.bytes().all(inner)
                && !text.starts_with('-')
                && !text.ends_with('-')
        };
        match &self.namespace {
            Some(namespace) if !is_label(namespace) => return refuse("--namespace", namespace, " and `-`"),
            _ => {}
        }
        if self.name.len() > MOST_NAME_BYTES || !self.name.split('.').all(is_label) {
            return refuse("--name", &self.name, ", `-` and `.`");
        }
        Ok(())
    }

    /// The files of all domains as they are now: one Secret is mounted as one folder.
    pub(super) fn print(&self, domain: &Domain, ctx: &Ctx) -> Result<()> {
        let mut files = Vec::new();
        for domain in domain.with_siblings() {
            let store = domain.store()?;
            match store.read()? {
                Some(bytes) => files.push((domain.file_name(), bytes)),
                None => ctx.say(&format!(
                    "warning: `{}` does not exist and is not in the Secret: the verifier lets nobody of domain `{}` in\n",
                    store.shown(),
                    domain.id
                )),
            }
        }
        if domain.is_alone() {
            ctx.say(&format!(
                "warning: the Secret has `{}` only; applied over one that has other domains, it removes them\n",
                domain.file_name()
            ));
        }
        files.sort();
        ctx.print(&kubernetes_secret(&self.name, self.namespace.as_deref(), &files))
    }
}
