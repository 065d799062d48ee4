mod domains;
mod list;
mod secret;
mod store;
mod word;

use camino::Utf8PathBuf;
use clap::Subcommand;
use findings::plural;
use mirror::htpasswd::{DEFAULT_COST, File, Hash, LEAST_COST, MOST_COST, Password, Zeroizing, check_name};

use self::domains::{Domain, DomainArgs};
use self::secret::SecretArgs;
use self::store::Store;
use self::word::Word;
use crate::context::Ctx;
use crate::exit::{Exit, Failure, Result};

/// Add, remove and list the tenants of a domain, and give them new passwords
///
/// A tenant is one line of the domain's htpasswd file, `deploy/compose/mirror-gateway/secrets/mirror-DOMAIN.htpasswd` of the workspace.
/// The file is replaced whole and under a lock; its owner and group stay, its mode is 0640 at most. The verifier sees the change
/// within a second or two: no restart, no reload.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Add a tenant
    ///
    /// By default the password is generated (160 bits) and printed this once, alone on stdout. A tenant that is there already keeps its
    /// password: `rotate` gives a new one.
    Add(Change),
    /// Remove a tenant
    ///
    /// Whoever it was is out within the lifetime of verified headers (`lifetimes.verified` of `mirror.yaml`) at the latest. Works on
    /// damaged files too.
    Remove {
        #[command(flatten)]
        at: At,
    },
    /// Give a tenant a new password
    ///
    /// The old one ends within the lifetime of verified headers. An htpasswd file cannot hold two passwords for one name: to change
    /// without a gap, add a second tenant (`acme-2`), let the tenant move over, then remove the first.
    Rotate(Change),
    /// Show the tenants of one or all domains, and how their passwords are kept
    ///
    /// Exits with 1 if one should be replaced, or a line cannot be read.
    List(list::Args),
}

/// One tenant of one domain.
#[derive(Debug, clap::Args)]
struct At {
    /// Such as `primary`
    #[arg(value_name = "DOMAIN")]
    domain: String,

    /// The tenant
    #[arg(value_name = "NAME")]
    name: String,

    #[command(flatten)]
    file: DomainArgs,

    #[command(flatten)]
    secret: SecretArgs,
}

#[derive(Debug, clap::Args)]
struct Change {
    #[command(flatten)]
    at: At,

    /// Ask for the password on the terminal, twice, without showing it
    #[arg(long, conflicts_with = "password_file")]
    password_prompt: bool,

    /// Take the password from the one line of this file; `-` is stdin
    #[arg(long, value_name = "FILE")]
    password_file: Option<Utf8PathBuf>,

    /// The cost of the bcrypt hash: each step doubles the work of whoever guesses, and of the verifier, which checks a password once
    /// per lifetime of verified headers, not once per request
    #[arg(long, value_name = "N", default_value_t = DEFAULT_COST, value_parser = clap::value_parser!(u32).range(i64::from(LEAST_COST)..=i64::from(MOST_COST)))]
    cost: u32,
}

pub(crate) fn run(args: Args, ctx: &Ctx) -> Result<Exit> {
    match args.command {
        Command::Add(change) => change.run(Wanted::Absent, ctx),
        Command::Rotate(change) => change.run(Wanted::Present, ctx),
        Command::Remove { at } => remove(&at, ctx),
        Command::List(args) => list::run(&args, ctx),
    }
}

/// Whether the tenant must be there before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Absent,
    Present,
}

impl Change {
    fn run(self, wanted: Wanted, ctx: &Ctx) -> Result<Exit> {
        let (domain, store) = self.at.open(ctx)?;
        // Before anybody is asked anything. What counts is the second look, under the lock.
        self.at.judge(wanted, &read(&store)?, &store)?;
        let word = Word::of(self.password_prompt, self.password_file.as_deref(), &self.at.name, ctx)?;
        let hash = hash(&word.password, self.cost)?;
        let verb = if wanted == Wanted::Absent { "add" } else { "rotate" };
        let further = {
            let _lock = store.lock(&format!("mirror tenant {verb} {} {}", self.at.domain, self.at.name), ctx)?;
            let file = read(&store)?;
            let lines = self.at.judge(wanted, &file, &store)?;
            let bytes = file.with(&self.at.name, &hash).map_err(|error| self.at.bad_name(error))?;
            warn(ctx, store.replace(&bytes)?);
            say_problems(&File::parse(&bytes), &store, ctx);
            lines.saturating_sub(1)
        };
        let name = &self.at.name;
        let mut text = match wanted {
            Wanted::Absent => format!("added tenant `{name}` to `{}`: bcrypt of cost {}\n", store.shown(), self.cost),
            Wanted::Present => {
                format!("tenant `{name}` of `{}` has a new password: bcrypt of cost {}\n", store.shown(), self.cost)
            }
        };
        if further > 0 {
            let was = if further == 1 { "was" } else { "were" };
            text.push_str(&format!("{} of that name {was} removed\n", plural(further, "further line")));
        }
        if word.is_generated {
            text.push_str("the password is shown this once; give it to the tenant where only they can read it\n");
        }
        ctx.say(&text);
        let shown = word.is_generated.then(|| Zeroizing::new(format!("{}\n", word.password.reveal())));
        if self.at.secret.is_wanted() {
            // The Secret is what a pipe behind us wants; the password is for who sits here.
            ctx.say(shown.as_ref().map_or("", |shown| shown.as_str()));
            self.at.secret.print(&domain, ctx)?;
        } else {
            ctx.print_once(shown.as_ref().map_or("", |shown| shown.as_str())).map_err(|failure| {
                let again = format!("`collimate mirror tenant rotate {} {name}` makes another one", self.at.domain);
                failure.because("the tenant has a password that nobody was shown").hint(again)
            })?;
        }
        Ok(Exit::Fine)
    }
}

fn remove(at: &At, ctx: &Ctx) -> Result<Exit> {
    let (domain, store) = at.open(ctx)?;
    let removed = {
        let _lock = store.lock(&format!("mirror tenant remove {} {}", at.domain, at.name), ctx)?;
        let file = read(&store)?;
        let (bytes, removed) = file.without(&at.name);
        if removed == 0 {
            return Err(at.absent(&store).hint(format!(
                "nothing was removed; `collimate mirror tenant list {}` shows who is there",
                at.domain
            )));
        }
        warn(ctx, store.replace(&bytes)?);
        say_problems(&File::parse(&bytes), &store, ctx);
        removed
    };
    let lines = if removed > 1 { format!(", {removed} lines") } else { String::new() };
    ctx.say(&format!("removed tenant `{}` from `{}`{lines}\n", at.name, store.shown()));
    if at.secret.is_wanted() {
        at.secret.print(&domain, ctx)?;
    }
    Ok(Exit::Fine)
}

impl At {
    fn open(&self, ctx: &Ctx) -> Result<(Domain, Store)> {
        self.secret.check()?;
        let domain = self.file.domain(&self.domain, ctx)?;
        check_name(&self.name).map_err(|error| self.bad_name(error))?;
        let store = domain.store()?;
        Ok((domain, store))
    }

    fn bad_name(&self, error: mirror::htpasswd::NameError) -> Failure {
        Failure::usage(format!("`{}` cannot be a tenant's name: it {error}", self.name.escape_debug()))
            .hint("letters, digits, `-`, `.` and `@` are always fine")
    }

    fn absent(&self, store: &Store) -> Failure {
        Failure::usage(format!("no tenant `{}` in `{}`", self.name, store.shown()))
    }

    /// How many lines the tenant has, if that is as wanted.
    fn judge(&self, wanted: Wanted, file: &File, store: &Store) -> Result<usize> {
        let mut lines = file.entries().iter().filter(|entry| entry.name() == self.name);
        match (wanted, lines.next()) {
            (Wanted::Absent, None) => Ok(0),
            (Wanted::Present, Some(_)) => Ok(1 + lines.count()),
            (Wanted::Absent, Some(entry)) => Err(Failure::usage(format!(
                "tenant `{}` is in `{}` already, in line {}",
                self.name,
                store.shown(),
                entry.line()
            ))
            .hint(format!("`collimate mirror tenant rotate {} {}` gives it a new password", self.domain, self.name))),
            (Wanted::Present, None) => Err(self
                .absent(store)
                .hint(format!("`collimate mirror tenant add {} {}` adds it", self.domain, self.name))),
        }
    }
}

fn read(store: &Store) -> Result<File> {
    Ok(File::parse(&store.read()?.unwrap_or_default()))
}

fn hash(password: &Password, cost: u32) -> Result<Hash> {
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|error| Failure::outside("cannot make a salt").because(error))?;
    let hash = Hash::bcrypt(password, cost, salt);
    // What is written must open: a tenant that is locked out learns of it last.
    if hash.weakness().is_some() || !hash.verify(password.reveal().as_bytes()) {
        return Err(Failure::new(Exit::Bug, "the new hash does not verify; nothing was written"));
    }
    Ok(hash)
}

fn warn(ctx: &Ctx, warnings: Vec<String>) {
    for warning in warnings {
        ctx.say(&format!("warning: {warning}\n"));
    }
}

/// What is wrong with a file as it was left: with such lines the verifier lets nobody of the domain in.
fn say_problems(file: &File, store: &Store, ctx: &Ctx) {
    for problem in file.problems() {
        ctx.say(&format!("warning: `{}`, line {}: {problem}\n", store.shown(), problem.line));
    }
}
