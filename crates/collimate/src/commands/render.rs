use std::io::Read as _;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use helmchart::{HelmVersion, RenderOptions, SetValue};
use source::system;

use crate::context::Ctx;
use crate::disk::{DiskFiles, MOST_BYTES};
use crate::exit::{Exit, Failure, Result};
use crate::masking;
use crate::rendering::{self, Output};
use crate::session::Session;

/// Print what Docker Compose or Helm would be given
///
/// Renders a profile of the workspace, or, with `--compose` or `--chart`, files without a workspace. The output is that of `docker
/// compose config` or `helm template`, with secret values masked. Charts see the time of day, or that of SOURCE_DATE_EPOCH.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The profile, such as `compose/stage`
    #[arg(required_unless_present_any = ["compose", "chart"], conflicts_with_all = ["compose", "chart"])]
    profile: Option<String>,

    /// Overlays to lay over the profile's Compose files: this one and all before it
    #[arg(long, value_name = "NAME", conflicts_with_all = ["compose", "chart"])]
    overlay: Option<String>,

    /// Output format; JSON is for Compose
    #[arg(long, default_value = "yaml")]
    format: Format,

    /// Print only the image references, one a line
    #[arg(long)]
    images: bool,

    /// Show secret values
    #[arg(long)]
    reveal: bool,

    #[command(flatten)]
    compose: ComposeArgs,

    #[command(flatten)]
    chart: ChartArgs,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Compose files without a workspace")]
struct ComposeArgs {
    /// Compose files, in order
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "chart")]
    compose: Vec<Utf8PathBuf>,

    /// Env files for interpolation, in order; by default `.env` beside the first Compose file
    #[arg(long, value_name = "FILE")]
    env_file: Vec<Utf8PathBuf>,

    /// The project's name
    #[arg(long, value_name = "NAME")]
    project_name: Option<String>,

    /// What relative paths are relative to; by default the folder of the first Compose file
    #[arg(long, value_name = "DIR")]
    project_directory: Option<Utf8PathBuf>,

    /// Compose profiles to activate (`*` for all)
    #[arg(long, value_name = "NAME")]
    compose_profile: Vec<String>,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "A chart without a workspace")]
struct ChartArgs {
    /// A chart: a folder or a `.tgz`
    #[arg(long, value_name = "PATH")]
    chart: Option<Utf8PathBuf>,

    /// Values files, in order; `-` is stdin
    #[arg(long, value_name = "FILE")]
    values: Vec<Utf8PathBuf>,

    /// Values, as for `helm template --set`
    #[arg(long, value_name = "PATH=VALUE")]
    set: Vec<String>,

    /// Values that stay strings
    #[arg(long, value_name = "PATH=VALUE")]
    set_string: Vec<String>,

    /// Values in JSON
    #[arg(long, value_name = "PATH=JSON")]
    set_json: Vec<String>,

    /// Values that are the contents of files; `-` is stdin
    #[arg(long, value_name = "PATH=FILE")]
    set_file: Vec<String>,

    /// Values that stay as they are written, commas and all
    #[arg(long, value_name = "PATH=TEXT")]
    set_literal: Vec<String>,

    /// The release's name; by default `release-name`
    #[arg(long, value_name = "NAME")]
    release_name: Option<String>,

    /// The namespace; by default `default`
    #[arg(long, value_name = "NAME")]
    namespace: Option<String>,

    /// The Kubernetes version that templates see
    #[arg(long, value_name = "VERSION")]
    kube_version: Option<String>,

    /// API versions that templates see, beside the built-in ones
    #[arg(long, value_name = "VERSION")]
    api_versions: Vec<String>,

    /// Print the chart's CRDs too
    #[arg(long)]
    include_crds: bool,

    /// Leave out tests
    #[arg(long)]
    skip_tests: bool,

    /// Print only these templates
    #[arg(long, value_name = "TEMPLATE")]
    show_only: Vec<String>,

    /// Which Helm to be: 3 or 4; by default 3
    #[arg(long, value_name = "MAJOR", value_parser = helm_version)]
    helm: Option<HelmVersion>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Yaml,
    Json,
}

fn helm_version(text: &str) -> std::result::Result<HelmVersion, String> {
    match text {
        "3" => Ok(HelmVersion::V3),
        "4" => Ok(HelmVersion::V4),
        _ => Err("write `3` or `4`".to_owned()),
    }
}

impl ComposeArgs {
    /// The options that say how Compose files are rendered, each with whether it was given.
    fn given(&self) -> [(&'static str, bool); 4] {
        [
            ("--env-file", !self.env_file.is_empty()),
            ("--project-name", self.project_name.is_some()),
            ("--project-directory", self.project_directory.is_some()),
            ("--compose-profile", !self.compose_profile.is_empty()),
        ]
    }
}

impl ChartArgs {
    /// The options that say how a chart is rendered, each with whether it was given.
    fn given(&self) -> [(&'static str, bool); 14] {
        [
            ("--values", !self.values.is_empty()),
            ("--set", !self.set.is_empty()),
            ("--set-string", !self.set_string.is_empty()),
            ("--set-json", !self.set_json.is_empty()),
            ("--set-file", !self.set_file.is_empty()),
            ("--set-literal", !self.set_literal.is_empty()),
            ("--release-name", self.release_name.is_some()),
            ("--namespace", self.namespace.is_some()),
            ("--kube-version", self.kube_version.is_some()),
            ("--api-versions", !self.api_versions.is_empty()),
            ("--include-crds", self.include_crds),
            ("--skip-tests", self.skip_tests),
            ("--show-only", !self.show_only.is_empty()),
            ("--helm", self.helm.is_some()),
        ]
    }

    fn helm(&self) -> HelmVersion {
        self.helm.unwrap_or(HelmVersion::V3)
    }
}

/// Refuses options that mean nothing for what is rendered: who gave them would take the output for something else.
fn fitting(args: &Args) -> Result<()> {
    let (compose, chart) = (args.compose.given(), args.chart.given());
    let (what, foreign) = match (&args.profile, &args.chart.chart) {
        (Some(_), _) => {
            ("a profile, which is rendered as `collimate.yaml` says", [compose.as_slice(), &chart].concat())
        }
        (None, Some(_)) => ("a chart", compose.to_vec()),
        (None, None) => ("Compose files", chart.to_vec()),
    };
    let Some((option, _)) = foreign.into_iter().find(|(_, is_given)| *is_given) else { return Ok(()) };
    let names =
        |options: &[(&str, bool)]| options.iter().map(|(name, _)| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    Err(Failure::usage(format!("`{option}` means nothing for {what}")).hint(format!(
        "`--compose` takes {}; `--chart` takes {}; a profile takes `--overlay`",
        names(&compose),
        names(&chart)
    )))
}

pub(crate) fn run(args: &Args, ctx: &Ctx) -> Result<Exit> {
    fitting(args)?;
    let output = match (&args.profile, &args.chart.chart) {
        (Some(name), _) => of_workspace(args, name, ctx)?,
        (None, Some(chart)) => of_chart(&args.chart, chart, ctx)?,
        (None, None) => of_compose(&args.compose, ctx)?,
    };
    for warning in output.warnings() {
        ctx.say(&format!("warning: {}\n", source::redact(warning)));
    }
    let text = if args.images {
        output.images().map_err(|error| Failure::input("cannot read the rendered output").because(error))?
    } else if !args.chart.show_only.is_empty() {
        output
            .only(&args.chart.show_only, args.chart.helm())
            .map_err(|error| Failure::usage("`--show-only` matches nothing").because(error))?
    } else if args.format == Format::Json {
        output
            .json()
            .ok_or_else(|| Failure::usage("`--format json` is for Compose; a chart renders to YAML documents"))?
    } else {
        output.yaml()
    };
    match args.reveal {
        true => ctx.print_bytes(&text)?,
        false => ctx.print(&findings::disarmed(&masking::mask(&text)))?,
    }
    Ok(Exit::Fine)
}

fn of_workspace(args: &Args, name: &str, ctx: &Ctx) -> Result<Output> {
    let session = Session::open(ctx)?;
    let profile = session.profile(name)?;
    rendering::output(&session, profile, args.overlay.as_deref(), Some(now(ctx)?))
}

/// Files below the current folder, and those named on the command line.
fn files_of<'a>(ctx: &Ctx, named: impl IntoIterator<Item = &'a Utf8PathBuf>) -> Result<DiskFiles> {
    let root = ctx
        .cwd()
        .canonicalize_utf8()
        .map_err(|error| Failure::outside("cannot resolve the current folder").because(system::reason(&error)))?;
    let files = DiskFiles::without_workspace(root);
    named.into_iter().for_each(|path| files.allow(path));
    Ok(files)
}

fn of_compose(args: &ComposeArgs, ctx: &Ctx) -> Result<Output> {
    // Docker Compose reads what the first file's folder holds: env files, `extends`, `include`.
    let folders: Vec<Utf8PathBuf> = args.compose.iter().map(|file| folder_of(file)).collect();
    let named = args.compose.iter().chain(&args.env_file).chain(&args.project_directory).chain(&folders);
    let files = files_of(ctx, named)?;
    let mut environment = ctx.environment().clone();
    // Docker Compose sets it itself, whatever the shell says.
    environment.insert("PWD".to_owned(), files.root().to_string());
    let options = composefile::Options {
        current_dir: files.root().to_owned(),
        files: args.compose.clone(),
        env_files: args.env_file.clone(),
        environment,
        project_name: args.project_name.clone(),
        project_directory: args.project_directory.clone(),
        profiles: if args.compose_profile.iter().any(|name| name == "*") {
            composefile::Profiles::All
        } else {
            composefile::Profiles::Named(args.compose_profile.clone())
        },
        ..composefile::Options::default()
    };
    let project = composefile::load(&options, &files)
        .map_err(|error| Failure::input("cannot render the Compose files").because(masking::refusal(&error)))?;
    Ok(Output::Compose(Arc::new(project)))
}

fn of_chart(args: &ChartArgs, chart: &Utf8Path, ctx: &Ctx) -> Result<Output> {
    let chart_path = chart.to_owned();
    let flags = |values: &[String], kind: fn(String) -> SetValue| values.iter().cloned().map(kind).collect::<Vec<_>>();
    // In which order they count is Helm's.
    let set = [
        flags(&args.set, SetValue::Set),
        flags(&args.set_string, SetValue::String),
        flags(&args.set_json, SetValue::Json),
        flags(&args.set_file, SetValue::File),
        flags(&args.set_literal, SetValue::Literal),
    ]
    .concat();
    let set_files = helmchart::set_files(&set);
    let (stdin, named): (Vec<&Utf8PathBuf>, Vec<_>) =
        args.values.iter().chain(&set_files).partition(|path| path.as_str().trim() == STDIN);
    let files = files_of(ctx, named.into_iter().chain([&chart_path]))?;
    if !stdin.is_empty() {
        files.lay(Utf8Path::new(STDIN), read_stdin()?);
    }
    let defaults = RenderOptions::default();
    let options = RenderOptions {
        release_name: args.release_name.clone().unwrap_or(defaults.release_name),
        namespace: args.namespace.clone().unwrap_or(defaults.namespace),
        values: args.values.clone(),
        set,
        kube_version: args.kube_version.clone(),
        api_versions: args.api_versions.clone(),
        helm: args.helm(),
        include_crds: args.include_crds,
        skip_tests: args.skip_tests,
        now: Some(now(ctx)?),
        ..RenderOptions::default()
    };
    let failed = |error: helmchart::Error| {
        Failure::input(format!("cannot render `{chart}`")).hint_if(error.way_out(chart)).because(error)
    };
    let chart = helmchart::Chart::load(chart, &files).map_err(failed)?;
    helmchart::render(&chart, &options, &files).map(Output::Chart).map_err(failed)
}

/// What charts take for this moment: who applies the output gets certificates that hold from now on.
fn now(ctx: &Ctx) -> Result<i64> {
    let given = ctx.source_date()?.and_then(|seconds| i64::try_from(seconds).ok());
    Ok(given.unwrap_or_else(|| ctx.now().as_second()))
}

/// What stands for stdin where a file is named.
const STDIN: &str = "-";

fn read_stdin() -> Result<Vec<u8>> {
    let unreadable = |why: &dyn std::fmt::Display| Failure::input("cannot read stdin").because(why);
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(MOST_BYTES + 1).read_to_end(&mut bytes);
    read.map_err(|error| unreadable(&system::reason(&error)))?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(unreadable(&format!("it is larger than {} MiB", MOST_BYTES >> 20)));
    }
    Ok(bytes)
}

fn folder_of(file: &Utf8Path) -> Utf8PathBuf {
    match file.parent() {
        Some(parent) if !parent.as_str().is_empty() => parent.to_owned(),
        _ => Utf8PathBuf::from("."),
    }
}
