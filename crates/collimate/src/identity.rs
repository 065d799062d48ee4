//! Who changes something, as the ledger records it. A claim: nobody proves it here.

use crate::context::Ctx;
use crate::exit::{Failure, Result};

/// Where a name comes from, the first one that is there.
const VARIABLES: [&str; 2] = ["COLLIMATE_BY", "USER"];

#[derive(Debug, clap::Args)]
pub(crate) struct IdentityArgs {
    /// Who does this, for the ledger; by default COLLIMATE_BY, else USER, of the environment
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
}

impl IdentityArgs {
    pub(crate) fn resolve(&self, ctx: &Ctx) -> Result<String> {
        let named = self.by.as_ref();
        let found = named.or_else(|| {
            VARIABLES.iter().find_map(|name| ctx.environment().get(*name).filter(|value| !value.is_empty()))
        });
        found.filter(|name| !name.trim().is_empty()).cloned().ok_or_else(|| {
            Failure::usage("nobody is named who does this")
                .hint("name somebody with `--by NAME` or the variable COLLIMATE_BY: the ledger records it")
        })
    }
}
