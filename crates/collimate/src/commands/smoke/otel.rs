use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};
use smoke::otel::{FileTarget, LoadRequest, Ports, Request, Signal, Transport};
use smoke::{IdentityFiles, LeafFiles};

use super::{OutputArgs, finish, seconds, url, usage};
use crate::context::Ctx;
use crate::exit::{Exit, Result};
use crate::session;

/// Where `collimate tls generate` puts what a client needs, and the authority beside it.
const CLIENT_FOLDER: &str = "deploy/telemetry/certs/client";

/// A certificate rotation is to be noticed while it happens.
const RECONNECT: Duration = Duration::from_secs(1);

/// Send telemetry to a collector and prove that it arrived
///
/// Sends traces, metrics and logs over gRPC and HTTP with mutual TLS under one run id, then reads back: the collector's counters rose by
/// exactly what was sent, nothing was refused or failed to export, health is up, strangers are refused, and the backends that are named
/// have the run. Exits with 1 if something was accepted but is lost or wrong, 4 if something cannot be reached, 5 if a certificate was
/// refused.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The collector's host name or address
    #[arg(long, value_name = "HOST")]
    host: String,

    /// Use gRPC; both transports if neither is named
    #[arg(long)]
    grpc: bool,

    /// Use HTTP; both transports if neither is named
    #[arg(long)]
    http: bool,

    /// Port of OTLP over gRPC
    #[arg(long, value_name = "PORT", default_value_t = 4317)]
    grpc_port: u16,

    /// Port of OTLP over HTTP
    #[arg(long, value_name = "PORT", default_value_t = 4318)]
    http_port: u16,

    /// Port of the collector's `prometheus` exporter, which shows its own counters
    #[arg(long, value_name = "PORT", default_value_t = 9464)]
    metrics_port: u16,

    /// Port of the collector's `health_check` extension
    #[arg(long, value_name = "PORT", default_value_t = 13133)]
    health_port: u16,

    /// Items of each signal over each transport
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    count: u64,

    /// How long to wait for counters, exporters and backends; must outlast a tail sampler's decision
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    wait: Duration,

    /// Limit of each connection and each call
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    timeout: Duration,

    /// Others send to this collector too: its counters may rise by more than what was sent
    #[arg(long)]
    shared: bool,

    #[command(flatten)]
    identity: IdentityArgs,

    #[command(flatten)]
    read_back: ReadBackArgs,

    #[command(flatten)]
    load: LoadArgs,

    #[command(flatten)]
    output: OutputArgs,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Identity")]
struct IdentityArgs {
    /// Folder with `tls.crt`, `tls.key` and `ca.crt`; by default `deploy/telemetry/certs/client` of the workspace
    #[arg(long, value_name = "DIR")]
    certs: Option<Utf8PathBuf>,

    /// Authorities of the collector's certificate, in place of `ca.crt`
    #[arg(long, value_name = "FILE")]
    ca: Option<Utf8PathBuf>,

    /// Our certificate, in place of `tls.crt`
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<Utf8PathBuf>,

    /// Its key, in place of `tls.key`
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<Utf8PathBuf>,

    /// The name that the collector's certificate must have, where it is not the host
    #[arg(long, value_name = "NAME")]
    server_name: Option<String>,

    /// Folder with the authority's `ca.crt` and `ca.key`, to prove that an expired certificate is refused; by default `authority` beside the
    /// folder of the certificates, if it can be read
    #[arg(long, value_name = "DIR")]
    authority: Option<Utf8PathBuf>,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Reading back")]
struct ReadBackArgs {
    /// A file that the collector's file exporter writes in JSON, such as `traces=export/traces.jsonl`; all signals if none is named (repeatable)
    #[arg(long, value_name = "[SIGNAL=]FILE", value_parser = file_target)]
    file: Vec<FileTarget>,

    /// Loki, such as `https://loki:3100`
    #[arg(long, value_name = "URL")]
    loki: Option<String>,

    /// Prometheus, such as `https://prometheus:9090`
    #[arg(long, value_name = "URL")]
    prometheus: Option<String>,

    /// The tenant whose logs these are, sent as `X-Scope-OrgID`
    #[arg(long, value_name = "NAME", default_value = "stellaops", value_parser = tenant)]
    tenant: String,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Load")]
struct LoadArgs {
    /// Send this many of each signal, over all transports together, and account for every one
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    load: Option<u64>,

    /// Send for so long, connecting anew every second with certificates read anew: shows that a rotation loses nothing
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    r#for: Option<Duration>,

    /// Items of each signal in a second
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    rate: Option<u64>,

    /// Connections for each signal and transport
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    connections: u16,
}

pub(super) fn run(args: &Args, ctx: &Ctx) -> Result<Exit> {
    finish(&smoke::otel::run(&request(args, ctx)?), &args.output, ctx)
}

fn request(args: &Args, ctx: &Ctx) -> Result<Request> {
    let identity = &args.identity;
    let named = |path: &Utf8PathBuf| ctx.cwd().join(path);
    let certs = identity
        .certs
        .as_ref()
        .map_or_else(|| session::base_folder(ctx).join(CLIENT_FOLDER), |folder| ctx.cwd().join(folder));
    Ok(Request {
        host: host("--host", &args.host)?,
        ports: Ports {
            grpc: args.grpc_port,
            http: args.http_port,
            metrics: args.metrics_port,
            health: args.health_port,
        },
        server_name: identity.server_name.as_deref().map(|name| host("--server-name", name)).transpose()?,
        transports: transports(args.grpc, args.http),
        identity: IdentityFiles {
            ca: identity.ca.as_ref().map_or_else(|| certs.join("ca.crt"), named),
            leaf: leaf(identity, &certs, named),
        },
        authority: identity.authority.as_ref().map(named).or_else(|| authority_beside(&certs)),
        count: args.count,
        wait: args.wait,
        timeout: args.timeout,
        shared: args.shared,
        tenant: args.read_back.tenant.clone(),
        files: args.read_back.file.iter().map(|file| FileTarget { path: named(&file.path), ..file.clone() }).collect(),
        loki: args.read_back.loki.as_deref().map(|text| backend("--loki", text)).transpose()?,
        prometheus: args.read_back.prometheus.as_deref().map(|text| backend("--prometheus", text)).transpose()?,
        load: load(&args.load)?,
    })
}

/// A folder with neither certificate nor key is of somebody who has none: the collector's refusal then says so. Half of a pair is a mistake.
fn leaf(identity: &IdentityArgs, certs: &Utf8Path, named: impl Fn(&Utf8PathBuf) -> Utf8PathBuf) -> Option<LeafFiles> {
    if let (Some(certificate), Some(key)) = (&identity.cert, &identity.key) {
        return Some(LeafFiles { certificate: named(certificate), key: named(key) });
    }
    let files = LeafFiles { certificate: certs.join("tls.crt"), key: certs.join("tls.key") };
    (!certs.join("ca.crt").exists() || files.certificate.exists() || files.key.exists()).then_some(files)
}

fn transports(grpc: bool, http: bool) -> Vec<Transport> {
    Transport::ALL
        .into_iter()
        .filter(|transport| match transport {
            Transport::Grpc => grpc || !http,
            Transport::Http => http || !grpc,
        })
        .collect()
}

/// The authority's key is at hand on the machine that made the certificates, and nowhere else.
fn authority_beside(certs: &Utf8Path) -> Option<Utf8PathBuf> {
    let folder = certs.parent()?.join("authority");
    folder.join("ca.key").is_file().then_some(folder)
}

fn load(args: &LoadArgs) -> Result<Option<LoadRequest>> {
    if args.load.is_none() && args.r#for.is_none() {
        return match args.rate {
            Some(_) => {
                Err(usage("`--rate` is for a load", "say how much with `--load N`, or how long with `--for SECONDS`"))
            }
            None => Ok(None),
        };
    }
    Ok(Some(LoadRequest {
        items: args.load,
        time: args.r#for,
        rate: args.rate,
        connections: args.connections.into(),
        reconnect: args.r#for.map(|_| RECONNECT),
    }))
}

/// A host's name or address alone; brackets around an IPv6 address are taken off. Whether it exists is the resolver's word.
///
/// Not a parser of `clap`, which would quote what it refuses: there may be a password in it.
fn host(option: &str, text: &str) -> Result<String> {
    let host = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    let problem = if host.is_empty() {
        "it is empty"
    } else if host.contains("://") || host.contains(['/', '@']) {
        "a URL is not a host; give its host only, and ports with `--grpc-port` and its kin"
    } else if !is_address && host.contains(':') {
        "give the host without a port; ports have options of their own, such as `--grpc-port`"
    } else if host.contains(|character: char| character.is_whitespace() || character.is_control()) {
        "it has a space or a line break in it"
    } else {
        return Ok(host.to_owned());
    };
    Err(usage(&format!("the value of `{option}` is no host name or address"), problem))
}

/// A backend's URL; never quoted, for the same reason.
fn backend(option: &str, text: &str) -> Result<String> {
    url(text).map_err(|why| usage(&format!("the URL of `{option}` cannot be used"), &why))
}

/// What may stand in a header.
fn tenant(text: &str) -> std::result::Result<String, String> {
    if text.is_empty() || text.contains(|character: char| !character.is_ascii_graphic()) {
        return Err("a tenant is named with visible ASCII characters".to_owned());
    }
    Ok(text.to_owned())
}

/// `traces=FILE` or `FILE`. A path with an equals sign of its own keeps it.
fn file_target(text: &str) -> std::result::Result<FileTarget, String> {
    let named = text.split_once('=').and_then(|(name, path)| {
        let signal = Signal::ALL.into_iter().find(|signal| signal.as_str() == name)?;
        Some(FileTarget { signal: Some(signal), path: path.into() })
    });
    let target = named.unwrap_or_else(|| FileTarget { signal: None, path: text.into() });
    if target.path.as_str().is_empty() {
        return Err("no file is named".to_owned());
    }
    Ok(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_transports_unless_one_is_named() {
        assert_eq!(transports(false, false), Transport::ALL);
        assert_eq!(transports(true, true), Transport::ALL);
        assert_eq!(transports(true, false), [Transport::Grpc]);
        assert_eq!(transports(false, true), [Transport::Http]);
    }

    #[test]
    fn a_host_is_a_name_or_an_address_alone() {
        for (text, expected) in [("localhost", "localhost"), ("::1", "::1"), ("[::1]", "::1"), ("10.0.0.1", "10.0.0.1")]
        {
            assert_eq!(host("--host", text).unwrap(), expected);
        }
        for text in ["", "[]", " ", "a b", "a\nb", "localhost:4317", "[::1]:4317", "https://x", "x/y", "u:p@x"] {
            assert!(host("--host", text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_tenant_fits_into_a_header() {
        assert_eq!(tenant("stellaops").as_deref(), Ok("stellaops"));
        assert!(["", "a\nb: c", "a b", "é"].iter().all(|text| tenant(text).is_err()));
    }

    #[test]
    fn a_file_may_say_which_signal_it_holds() {
        let target = |text| file_target(text).unwrap();
        assert_eq!(target("logs=a.jsonl"), FileTarget { signal: Some(Signal::Logs), path: "a.jsonl".into() });
        assert_eq!(target("x=a.jsonl"), FileTarget { signal: None, path: "x=a.jsonl".into() });
        assert!(file_target("traces=").is_err());
    }
}
