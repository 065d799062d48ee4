//! What the command line says of plans, approvals and signatures of a move.

use camino::{Utf8Path, Utf8PathBuf};
use rollout::{Approval, Plan};
use signing::{PrivateKey, PublicKey};

use crate::commands::key;
use crate::context::Ctx;
use crate::exit::{Failure, Result};
use crate::given;
use crate::policy::{Policy, PolicyArgs};
use crate::records::{Records, Seal};
use crate::session::Session;
use crate::write::{self, NewFile};

/// As large as a plan may be, and larger than any approval.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

#[derive(Debug, clap::Args)]
pub(crate) struct ConsentArgs {
    /// Write the plan to this file, for `collimate approve`
    #[arg(long, value_name = "FILE", requires = "dry_run")]
    plan: Option<Utf8PathBuf>,

    /// Somebody's approval of the plan, as `collimate approve` writes it (repeatable)
    #[arg(long = "approval", value_name = "FILE")]
    approvals: Vec<Utf8PathBuf>,

    /// Sign the new manifest and the ledger's entry with this private key
    #[arg(long, value_name = "KEY")]
    sign_with: Option<Utf8PathBuf>,

    #[command(flatten)]
    policy: PolicyArgs,
}

impl ConsentArgs {
    /// Whether the command line says anything of it.
    pub(crate) fn is_used(&self) -> bool {
        self.plan.is_some() || !self.approvals.is_empty() || self.sign_with.is_some() || self.policy.is_used()
    }
}

/// The rules that count, and who signs.
pub(crate) struct Consent<'a> {
    pub(crate) policy: Policy,
    args: &'a ConsentArgs,
    signer: Option<PrivateKey>,
}

impl<'a> Consent<'a> {
    pub(crate) fn read(ctx: &Ctx, records: &Records, args: &'a ConsentArgs) -> Result<Self> {
        let policy = Policy::read(ctx, &records.session, &args.policy)?;
        let signer = match &args.sign_with {
            Some(file) => Some(key::read_private(file, ctx)?),
            None => None,
        };
        if let (Some(signer), Some(trust)) = (&signer, policy.trust()) {
            let public = signer.public();
            let entry = trust.entry(&public).ok_or_else(|| rollout::KeyFault::Unknown(public.id()));
            entry.and_then(|entry| entry.counts_on(records.now.day())).map_err(|fault| {
                Failure::untrusted("what this key signs would be trusted by nobody")
                    .because(fault)
                    .hint("sign with another one, or let `trust.yaml` name it; nothing was written")
            })?;
        }
        Ok(Self { policy, args, signer })
    }

    /// Whether approvals are asked for by this run, so that none can be there.
    pub(crate) fn is_planning(&self) -> bool {
        self.args.plan.is_some()
    }

    /// The key that signs, in place of its holder.
    pub(crate) fn signer(&self) -> Option<PublicKey> {
        self.signer.as_ref().map(PrivateKey::public)
    }

    /// The approvals that the command line names, each with its file.
    pub(crate) fn approvals(&self, ctx: &Ctx) -> Result<Vec<(&'a Utf8Path, Approval)>> {
        self.args.approvals.iter().map(|file| Ok((file.as_path(), approval(ctx, file)?))).collect()
    }

    /// Writes the plan where the command line asks for it.
    pub(crate) fn write_plan(&self, ctx: &Ctx, plan: &Plan) -> Result<()> {
        let Some(file) = &self.args.plan else { return Ok(()) };
        write::replace_all(&[NewFile { path: ctx.cwd().join(file), content: plan.to_json().into_bytes() }])?;
        ctx.print(&format!("wrote `{file}`: plan {}\n", plan.hash()))
    }

    /// What signs the change: its entries, and the manifest of this text.
    pub(crate) fn seal<'s>(&'s self, manifest: Option<(&'s str, String)>) -> Option<Seal<'s>> {
        self.signer.as_ref().map(|key| Seal { key, manifest })
    }
}

/// Reads a plan.
pub(crate) fn plan(ctx: &Ctx, file: &Utf8Path) -> Result<Plan> {
    Plan::parse(&given::read(file, MOST_BYTES, ctx)?).map_err(|error| {
        Failure::input(format!("`{file}` is no plan"))
            .because(error)
            .hint("`--dry-run --plan FILE` of the move writes one")
    })
}

fn approval(ctx: &Ctx, file: &Utf8Path) -> Result<Approval> {
    let unusable = |why: String| {
        Failure::input(format!("`{file}` is no approval")).because(why).hint("`collimate approve` writes one")
    };
    let bytes = given::read(file, MOST_BYTES, ctx)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| unusable("it is no text".to_owned()))?;
    text.parse().map_err(|error: rollout::CanonicalError| unusable(error.to_string()))
}

/// Says what is left to do where signatures are asked for and the new manifest has none.
pub(crate) fn remind(ctx: &Ctx, session: &Session, channel: &str, is_signed: bool) {
    let gates = session
        .workspace
        .channels
        .iter()
        .flat_map(|known| std::iter::once(&known.gates).chain(known.rings.iter().map(|ring| &ring.gates)));
    let is_asked = gates.map(|gates| &gates.signed_by).any(Option::is_some);
    if is_asked && !is_signed {
        ctx.say(&format!(
            "note: nobody has signed the new manifest yet: `collimate release sign {channel} --key KEY`, or next time `--sign-with KEY`\n"
        ));
    }
}
