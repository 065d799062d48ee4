//! Where a registry is asked: its mirrors, then itself.

use release::ImageRef;
use reqwest::Url;

use crate::config::{Config, is_loopback};
use crate::fault::{Fault, Kind};

/// What references call Docker Hub, and where its images really are.
pub(crate) const HUB: &str = "docker.io";
const HUB_HOST: &str = "registry-1.docker.io";

/// One place where an image may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// What people call it; credentials and `certs.d` go by this name.
    pub(crate) name: String,
    /// What is connected to, with its port where it has one.
    pub(crate) host: String,
    /// The repository there.
    pub(crate) repository: String,
    pub(crate) scheme: Scheme,
}

/// With or without TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Https,
    /// Declared to have no TLS.
    Http,
    /// On this machine: with TLS, or without where it speaks none. Nobody listens in between.
    Either,
}

impl Endpoint {
    /// Every place to ask for an image, in order.
    pub(crate) fn of(image: &ImageRef, config: &Config) -> Result<Vec<Self>, Fault> {
        let registry = image.registry();
        if registry.is_empty() {
            let message = format!("`{}` names no registry that can be connected to", image.name());
            return Err(Fault::new(Kind::ReferenceUnusable, message));
        }
        let mirrors = config.mirrors.get(registry);
        let mut endpoints: Vec<Self> = mirrors
            .iter()
            .flat_map(|mirrors| &mirrors.at)
            .map(|mirror| {
                let repository = match mirror.path.as_str() {
                    "" => image.repository().to_owned(),
                    path => format!("{path}/{}", image.repository()),
                };
                Self::at(&mirror.host, &mirror.host, repository, config)
            })
            .collect();
        if !mirrors.is_some_and(|mirrors| mirrors.only) {
            let host = if registry == HUB { HUB_HOST } else { registry };
            endpoints.push(Self::at(registry, host, image.repository().to_owned(), config));
        }
        Ok(endpoints)
    }

    fn at(name: &str, host: &str, repository: String, config: &Config) -> Self {
        Self { name: name.to_owned(), host: host.to_owned(), repository, scheme: scheme(host, config) }
    }

    /// A path below its repository, such as `manifests/1.0`.
    pub(crate) fn url(&self, plain: bool, path: &str) -> Result<Url, Fault> {
        self.at_path(plain, &format!("{}/{path}", self.repository))
    }

    /// What every registry has, whatever it holds.
    pub(crate) fn base(&self, plain: bool) -> Result<Url, Fault> {
        self.at_path(plain, "")
    }

    fn at_path(&self, plain: bool, path: &str) -> Result<Url, Fault> {
        let scheme = if plain { "http" } else { "https" };
        format!("{scheme}://{}/v2/{path}", self.host).parse().map_err(|_| {
            Fault::new(Kind::ReferenceUnusable, format!("`{}` is no host that can be connected to", self.host))
        })
    }
}

/// How a host is talked to.
fn scheme(host: &str, config: &Config) -> Scheme {
    if config.plain_http.contains(host) {
        Scheme::Http
    } else if is_loopback(host) {
        Scheme::Either
    } else {
        Scheme::Https
    }
}

/// Whether a URL that somebody else names may be used: with TLS, or without where that is known to be safe.
pub(crate) fn may_use(url: &Url, config: &Config) -> bool {
    match url.scheme() {
        "https" => true,
        "http" => host_of(url).is_some_and(|host| scheme(&host, config) != Scheme::Https),
        _ => false,
    }
}

/// Host and port as they are written.
pub(crate) fn host_of(url: &Url) -> Option<String> {
    let host = url.host_str().filter(|host| !host.is_empty())?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Mirrors;

    fn hosts(image: &str, config: &Config) -> Vec<String> {
        let image: ImageRef = image.parse().unwrap();
        let url = |endpoint: &Endpoint| endpoint.url(endpoint.scheme == Scheme::Http, "manifests/1").unwrap();
        Endpoint::of(&image, config).unwrap().iter().map(|endpoint| url(endpoint).to_string()).collect()
    }

    #[test]
    fn docker_hub_has_another_host_and_official_images_a_folder() {
        let plain = Config::default();
        assert_eq!(hosts("nats", &plain), ["https://registry-1.docker.io/v2/library/nats/manifests/1"]);
        assert_eq!(hosts("index.docker.io/a/b", &plain), ["https://registry-1.docker.io/v2/a/b/manifests/1"]);
        assert_eq!(hosts("r.example:5000/a", &plain), ["https://r.example:5000/v2/a/manifests/1"]);
    }

    #[test]
    fn mirrors_come_first_or_alone() {
        let at: Vec<_> = ["m.internal/hub", "n.internal"].iter().map(|text| text.parse().unwrap()).collect();
        let mut config = Config::default();
        config.mirrors.insert(HUB.to_owned(), Mirrors { at: at.clone(), only: false });
        let expected = [
            "https://m.internal/v2/hub/library/nats/manifests/1",
            "https://n.internal/v2/library/nats/manifests/1",
            "https://registry-1.docker.io/v2/library/nats/manifests/1",
        ];
        assert_eq!(hosts("nats", &config), expected);
        config.mirrors.insert(HUB.to_owned(), Mirrors { at, only: true });
        assert_eq!(hosts("nats", &config), expected[..2]);
        assert_eq!(hosts("quay.io/a/b", &config), ["https://quay.io/v2/a/b/manifests/1"]);
    }

    #[test]
    fn without_tls_only_where_it_is_safe_or_declared() {
        let config = Config { plain_http: ["old.internal:5000".to_owned()].into(), ..Config::default() };
        let may = |url: &str| may_use(&url.parse().unwrap(), &config);
        assert!(may("https://anywhere/") && may("http://localhost:80/") && may("http://old.internal:5000/x"));
        assert!(!may("http://anywhere/") && !may("http://old.internal/") && !may("file:///etc/passwd"));
        assert_eq!(hosts("old.internal:5000/a", &config), ["http://old.internal:5000/v2/a/manifests/1"]);
    }
}
