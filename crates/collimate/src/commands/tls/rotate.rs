use camino::{Utf8Path, Utf8PathBuf};
use certificates::{Algorithm, CA_DAYS, Component, DAYS, Phase, Rotated, Rotation};

use super::MOST_DAYS;
use crate::columns;
use crate::context::Ctx;
use crate::exit::{Exit, Result};

/// Change the CA without an outage, in three phases
///
/// `trust` makes a new CA that every component trusts beside the old one; `leaf` gives every component a certificate of the new CA;
/// `retire` ends the trust in the old one and removes its key. After each phase, reload or restart what the output names before you run the
/// next one. A phase that was killed is finished by running it again.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder; `deploy/telemetry/certs` of the workspace by default
    #[arg(value_name = "DIR")]
    folder: Option<Utf8PathBuf>,

    /// The phase to run: trust, leaf, retire, in this order
    #[arg(long, value_name = "PHASE")]
    phase: Phase,

    /// Kind of new keys: p256, ed25519 or rsa (3072 bits); by default that of the present ones
    #[arg(long, value_name = "KIND")]
    algorithm: Option<Algorithm>,

    /// Days that certificates live; never longer than their CA
    #[arg(long, value_name = "DAYS", default_value_t = DAYS, value_parser = clap::value_parser!(u32).range(1..=MOST_DAYS))]
    days: u32,

    /// Days that the new CA lives
    #[arg(long, value_name = "DAYS", default_value_t = CA_DAYS, value_parser = clap::value_parser!(u32).range(1..=MOST_DAYS))]
    ca_days: u32,
}

pub(crate) fn run(args: Args, ctx: &Ctx) -> Result<Exit> {
    let folder = super::folder(args.folder, ctx)?;
    let rotation = Rotation { phase: args.phase, algorithm: args.algorithm, days: args.days, ca_days: args.ca_days };
    let rotated = certificates::rotate(&rotation, &folder, ctx.now()).map_err(|error| super::failure(&error))?;
    ctx.print(&text(&rotated, &folder))?;
    Ok(Exit::Fine)
}

fn text(rotated: &Rotated, folder: &Utf8Path) -> String {
    let new = &rotated.new;
    let old = rotated.old.as_ref().map_or_else(|| "the old CA".to_owned(), |old| format!("`{old}`"));
    let mut text = match rotated.phase {
        Phase::Trust => format!("every component trusts the new CA `{new}` beside {old}\n"),
        Phase::Leaf => format!("every certificate is from the new CA `{new}`; {old} is still trusted\n"),
        Phase::Retire => format!("`{new}` is the CA; {old} is trusted no more, and its key is removed\n"),
    };
    let names =
        |components: &[Component]| components.iter().map(|component| component.folder()).collect::<Vec<_>>().join(", ");
    if rotated.changed.is_empty() {
        text.push_str("nothing had to be done: this phase was finished before\n");
    } else {
        text.push_str(&format!("changed: {}\n", names(&rotated.changed)));
    }
    text.push_str("\nwhat each component needs now:\n");
    let needs = rotated
        .components
        .iter()
        .map(|component| vec![format!("  {}", component.folder()), component.after(rotated.phase).to_owned()]);
    text.push_str(&columns::align(&needs.collect::<Vec<_>>()));
    text.push_str(&match rotated.next {
        Some(next) => {
            let next = super::command_line("rotate", folder, &format!(" --phase {next}"));
            format!("\nnext: {next}, when all of that is done\n")
        }
        None => "\nthe rotation is done\n".to_owned(),
    });
    text
}
