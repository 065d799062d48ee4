//! How registries are reached: flags, and what other tools left in the environment and in the home folder.

use std::collections::BTreeMap;
use std::time::Duration;

use camino::Utf8PathBuf;
use registry::{ClientFiles, Config, CredentialFile, Credentials, Limits, Mirror, Mirrors, Proxies, Secret, Trust};
use release::ImageRef;

use super::absolute;
use crate::context::Ctx;
use crate::exit::{Failure, Result};

/// An hour: nobody waits longer for one answer.
const MOST_SECONDS: f64 = 3600.0;

/// Between the limit of one request and that of one reference: tokens, second tries and mirrors.
const REQUESTS_OF_A_REFERENCE: u32 = 6;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Registries")]
pub(super) struct AccessArgs {
    /// Ask TO, a host with or without a path, for the images of the registry FROM; several are asked in this order
    #[arg(long, value_name = "FROM=TO", value_parser = mirror)]
    mirror: Vec<(String, Mirror)>,

    /// Do not ask a registry that has mirrors
    #[arg(long, requires = "mirror")]
    mirror_only: bool,

    /// Credentials file, as `docker login` or `skopeo login` write it, in place of those of this machine
    #[arg(long, value_name = "FILE")]
    auth_file: Option<Utf8PathBuf>,

    /// One more authority to trust, as PEM
    #[arg(long, value_name = "FILE")]
    ca: Vec<Utf8PathBuf>,

    /// Our client certificate, as PEM
    #[arg(long, value_name = "FILE", requires = "cert_key")]
    cert: Option<Utf8PathBuf>,

    /// Its key
    #[arg(long, value_name = "FILE", requires = "cert")]
    cert_key: Option<Utf8PathBuf>,

    /// Folder with a folder of certificates per host, as Docker's `certs.d`, in place of those of this machine
    #[arg(long, value_name = "DIR")]
    certs_dir: Option<Utf8PathBuf>,

    /// Talk to this host without TLS: everybody on the way can read passwords and change what it says
    #[arg(long, value_name = "HOST[:PORT]", value_parser = host)]
    insecure_http: Vec<String>,

    /// Limit of each request
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    timeout: Duration,
}

impl AccessArgs {
    pub(super) fn config(&self, ctx: &Ctx) -> Result<Config> {
        if let Some(folder) = self.certs_dir.as_ref().filter(|folder| !absolute(ctx, folder).is_dir()) {
            return Err(Failure::input(format!("cannot read `{folder}`")).because("there is no such folder"));
        }
        let mut mirrors: BTreeMap<String, Mirrors> = BTreeMap::new();
        for (from, to) in &self.mirror {
            let of = mirrors.entry(from.clone()).or_insert_with(|| Mirrors { at: Vec::new(), only: self.mirror_only });
            of.at.push(to.clone());
        }
        let identity = self.cert.as_ref().zip(self.cert_key.as_ref());
        Ok(Config {
            user_agent: concat!("collimate/", env!("CARGO_PKG_VERSION")).to_owned(),
            mirrors,
            plain_http: self.insecure_http.iter().cloned().collect(),
            trust: Trust {
                system: variable(ctx, "SSL_CERT_FILE").map(|path| absolute(ctx, path.into())),
                authorities: self.ca.iter().map(|path| absolute(ctx, path)).collect(),
                identity: identity.map(|(certificate, key)| ClientFiles {
                    certificate: absolute(ctx, certificate),
                    key: absolute(ctx, key),
                }),
                folders: self.certificate_folders(ctx),
            },
            credentials: Credentials {
                files: self.credential_files(ctx),
                helper_folders: variable(ctx, "PATH")
                    .map(|path| path.split(':').filter(|folder| !folder.is_empty()).map(Utf8PathBuf::from).collect())
                    .unwrap_or_default(),
                helper_environment: ctx.environment().clone(),
            },
            proxies: Proxies {
                http: either(ctx, "http_proxy", "HTTP_PROXY").map(Secret::new),
                https: either(ctx, "https_proxy", "HTTPS_PROXY").map(Secret::new),
                no_proxy: either(ctx, "no_proxy", "NO_PROXY").unwrap_or_default().to_owned(),
            },
            limits: Limits {
                request: self.timeout,
                reference: self.timeout.saturating_mul(REQUESTS_OF_A_REFERENCE),
                ..Limits::default()
            },
        })
    }

    /// What is named; else what containers' tools and Docker read, in this order.
    fn credential_files(&self, ctx: &Ctx) -> Vec<CredentialFile> {
        let named = self.auth_file.as_ref().map(|path| absolute(ctx, path));
        let named = named.or_else(|| variable(ctx, "REGISTRY_AUTH_FILE").map(|path| absolute(ctx, path.into())));
        if let Some(path) = named {
            return vec![CredentialFile { path, required: true }];
        }
        let below = |name: &str, path: &str| variable(ctx, name).map(|folder| absolute(ctx, folder.into()).join(path));
        let home = |path: &str| below("HOME", path);
        let paths = [
            below("XDG_RUNTIME_DIR", "containers/auth.json"),
            below("XDG_CONFIG_HOME", "containers/auth.json").or_else(|| home(".config/containers/auth.json")),
            below("DOCKER_CONFIG", "config.json").or_else(|| home(".docker/config.json")),
        ];
        paths.into_iter().flatten().map(|path| CredentialFile { path, required: false }).collect()
    }

    fn certificate_folders(&self, ctx: &Ctx) -> Vec<Utf8PathBuf> {
        if let Some(folder) = &self.certs_dir {
            return vec![absolute(ctx, folder)];
        }
        let own = variable(ctx, "HOME").map(|home| absolute(ctx, home.into()).join(".config/containers/certs.d"));
        own.into_iter().chain(["/etc/containers/certs.d", "/etc/docker/certs.d"].map(Utf8PathBuf::from)).collect()
    }
}

fn variable<'c>(ctx: &'c Ctx, name: &str) -> Option<&'c str> {
    ctx.environment().get(name).map(String::as_str).filter(|value| !value.is_empty())
}

fn either<'c>(ctx: &'c Ctx, one: &str, other: &str) -> Option<&'c str> {
    variable(ctx, one).or_else(|| variable(ctx, other))
}

fn mirror(text: &str) -> std::result::Result<(String, Mirror), String> {
    let (from, to) = text.split_once('=').ok_or("write `REGISTRY=HOST[:PORT][/PATH]`")?;
    Ok((host(from)?, to.parse::<Mirror>().map_err(|error| error.to_string())?))
}

/// A registry as references name it, in their one spelling: `index.docker.io` is `docker.io`.
fn host(text: &str) -> std::result::Result<String, String> {
    let wrong = || "a registry is written `HOST[:PORT]`, such as `docker.io`, without `https://`".to_owned();
    let image: ImageRef = format!("{text}/image").parse().map_err(|_| wrong())?;
    let is_whole = matches!(image.repository(), "image" | "library/image") && image.ranges().registry.is_some();
    if is_whole { Ok(image.registry().to_owned()) } else { Err(wrong()) }
}

fn seconds(text: &str) -> std::result::Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= MOST_SECONDS => Ok(Duration::from_secs_f64(seconds)),
        _ => Err(format!("it must be a number above 0 and up to {MOST_SECONDS}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_have_one_spelling() {
        for (text, expected) in
            [("docker.io", "docker.io"), ("index.docker.io", "docker.io"), ("r.example:5000", "r.example:5000")]
        {
            assert_eq!(host(text).as_deref(), Ok(expected));
        }
        for wrong in ["", "https://r.example", "r.example/", "r.example/path", "docker", "a b", "u:p@r.example"] {
            assert!(host(wrong).is_err(), "{wrong}");
            assert!(mirror(&format!("{wrong}=m.example")).is_err(), "{wrong}");
        }
        assert!(mirror("docker.io").is_err() && mirror("docker.io=https://m.example").is_err());
    }

    #[test]
    fn times_are_bounded() {
        assert_eq!(seconds("0.5"), Ok(Duration::from_millis(500)));
        for wrong in ["0", "-1", "NaN", "inf", "3601", "x"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
