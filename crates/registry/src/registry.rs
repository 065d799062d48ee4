//! Questions to a registry about one image.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use release::{Digest, ImageRef};
use reqwest::Method;
use reqwest::header::{CONTENT_TYPE, HeaderName};

use crate::access::Access;
use crate::config::Config;
use crate::endpoint::{Endpoint, Scheme};
use crate::fault::{Class, Fault, Kind};
use crate::limits::LARGEST_MANIFEST;
use crate::manifest::{self, Manifest, Shape};
use crate::refusal;
use crate::secret::Sieve;
use crate::transport::{Answer, Call, Transport, at};

/// What a registry says that the digest of its answer is.
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// What reading needs to be allowed.
const PULL: &str = "pull";

/// What a tag is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// Of what the tag points at. Where it is not the one that was believed, it was computed over the bytes.
    pub digest: Digest,
    pub shape: Shape,
    /// The digest that was believed is the one of a single platform of this index, such as `linux/amd64`.
    pub believed_platform: Option<String>,
    /// Who answered: the registry, or one of its mirrors.
    pub answered_by: String,
}

pub(crate) struct Registry {
    config: Arc<Config>,
    transport: Arc<Transport>,
    access: Access,
    sieve: Arc<Sieve>,
    /// Hosts of this machine → whether they speak no TLS.
    plain: Mutex<BTreeMap<String, bool>>,
}

impl Registry {
    pub(crate) fn new(config: Config) -> Result<Self, Fault> {
        let (config, sieve) = (Arc::new(config), Arc::new(Sieve::default()));
        let transport = Arc::new(Transport::new(Arc::clone(&config), Arc::clone(&sieve)));
        let access = Access::new(Arc::clone(&config), Arc::clone(&transport), Arc::clone(&sieve))?;
        Ok(Self { config, transport, access, sieve, plain: Mutex::default() })
    }

    /// The digest of an image's tag: of the first mirror that has it, else of the registry.
    pub(crate) async fn resolve(&self, image: &ImageRef) -> Result<Resolved, Fault> {
        let limit = self.config.limits.reference;
        let asked = tokio::time::timeout(limit, self.ask_all(image)).await.unwrap_or_else(|_| {
            let message = format!("`{}`: not resolved within {} s in all", image.registry(), limit.as_secs_f64());
            Err(Fault::new(Kind::TimedOut, message))
        });
        asked.map_err(|fault| Fault { message: self.sieve.clean(&fault.message), ..fault })
    }

    async fn ask_all(&self, image: &ImageRef) -> Result<Resolved, Fault> {
        let Some(tag) = image.tag() else {
            return Err(Fault::new(Kind::ReferenceUnusable, format!("`{}` has no tag", image.name())));
        };
        let mut passed: Vec<String> = Vec::new();
        let endpoints = Endpoint::of(image, &self.config)?;
        for (number, endpoint) in endpoints.iter().enumerate() {
            let fault = match self.ask(endpoint, tag, image.digest()).await {
                Ok(resolved) => return Ok(resolved),
                Err(fault) => fault,
            };
            // Whoever lies, or is not who it should be, is not passed over in silence.
            let is_suspicious = fault.class() == Class::Untrusted
                && !matches!(fault.kind, Kind::CredentialsMissing | Kind::CredentialsRefused | Kind::AccessDenied);
            if is_suspicious || fault.class() == Class::Input || number + 1 == endpoints.len() {
                passed.push(fault.message);
                return Err(Fault { message: passed.join("; then "), ..fault });
            }
            passed.push(fault.message);
        }
        Err(Fault::new(
            Kind::ReferenceUnusable,
            format!("`{}`: only mirrors are to be asked, and there is none", image.name()),
        ))
    }

    async fn ask(&self, endpoint: &Endpoint, tag: &str, believed: Option<&Digest>) -> Result<Resolved, Fault> {
        let plain = self.is_plain(endpoint).await?;
        let head = self.fetch(endpoint, plain, Method::HEAD, tag).await?;
        // A registry that knows no HEAD, or says no to it, has words for that in the answer to GET.
        let told = head.status.is_success().then(|| told(&head)).flatten();
        let resolved = |digest: Digest, shape: Shape, believed_platform: Option<String>| Resolved {
            digest,
            shape,
            believed_platform,
            answered_by: endpoint.name.clone(),
        };
        if let Some((digest, shape)) = told.as_ref().filter(|(digest, _)| Some(digest) == believed) {
            return Ok(resolved(digest.clone(), *shape, None));
        }
        let manifest = self.manifest(endpoint, plain, tag, told.map(|(digest, _)| digest)).await?;
        let platform = manifest.platforms.into_iter().find(|(_, digest)| Some(digest) == believed);
        Ok(resolved(manifest.digest, manifest.shape, platform.map(|(name, _)| name)))
    }

    /// The manifest behind a tag, its bytes checked. With `promised`, by that digest: the tag may move between two questions.
    async fn manifest(
        &self,
        endpoint: &Endpoint,
        plain: bool,
        tag: &str,
        promised: Option<Digest>,
    ) -> Result<Manifest, Fault> {
        if let Some(promised) = &promised {
            let answer = self.fetch(endpoint, plain, Method::GET, promised.as_str()).await?;
            if answer.status.is_success() {
                return read(&answer, Some(promised)).map_err(|fault| at(&endpoint.name, fault));
            }
            // A mirror may keep manifests by tag only.
            if answer.status.as_u16() != 404 {
                return Err(at(&endpoint.name, refusal::fault(&answer, &endpoint.repository, promised.as_str())));
            }
        }
        let answer = self.fetch(endpoint, plain, Method::GET, tag).await?;
        if !answer.status.is_success() {
            return Err(at(&endpoint.name, refusal::fault(&answer, &endpoint.repository, tag)));
        }
        let told = match answer.header(&CONTENT_DIGEST) {
            None => None,
            Some(text) => Some(text.parse::<Digest>().map_err(|_| {
                let message = "what it says in `Docker-Content-Digest` is no digest";
                at(&endpoint.name, Fault::new(Kind::MalformedManifest, message))
            })?),
        };
        let manifest = read(&answer, told.as_ref()).map_err(|fault| at(&endpoint.name, fault))?;
        match promised.filter(|promised| *promised != manifest.digest) {
            None => Ok(manifest),
            Some(promised) => {
                let (promised, found) = (promised.short(), manifest.digest.short());
                let message = format!("the digest of `{tag}` is {promised} when asked by HEAD, and {found} by GET");
                Err(at(&endpoint.name, Fault::new(Kind::WrongDigest, message)))
            }
        }
    }

    async fn fetch(&self, endpoint: &Endpoint, plain: bool, method: Method, what: &str) -> Result<Answer, Fault> {
        let mut call = Call::new(method, endpoint.url(plain, &format!("manifests/{what}"))?, LARGEST_MANIFEST);
        call.accept = Some(manifest::accepted());
        self.access.send(endpoint, call, PULL).await
    }

    /// Whether an endpoint is talked to without TLS. On this machine, the port itself says so.
    async fn is_plain(&self, endpoint: &Endpoint) -> Result<bool, Fault> {
        match endpoint.scheme {
            Scheme::Https => return Ok(false),
            Scheme::Http => return Ok(true),
            Scheme::Either => {}
        }
        let known = || self.plain.lock().unwrap_or_else(PoisonError::into_inner).get(&endpoint.host).copied();
        if let Some(plain) = known() {
            return Ok(plain);
        }
        let mut call = Call::new(Method::HEAD, endpoint.base(false)?, LARGEST_MANIFEST);
        call.again = false;
        let plain = match self.transport.send(&call).await {
            Ok(_) => false,
            Err(fault) => match fault.kind {
                // Servers without TLS answer to its beginning with an error in plain text, or hang up.
                Kind::PlainTextPort | Kind::ConnectionClosed => true,
                // What it says over TLS is said again to the question itself.
                Kind::Throttled | Kind::ServerFailing | Kind::NotARegistry | Kind::Truncated | Kind::TooLarge => false,
                Kind::RedirectRefused | Kind::TooManyRedirects => false,
                _ => return Err(fault),
            },
        };
        self.plain.lock().unwrap_or_else(PoisonError::into_inner).insert(endpoint.host.clone(), plain);
        Ok(plain)
    }
}

/// What the answer to HEAD says, where it says enough.
fn told(head: &Answer) -> Option<(Digest, Shape)> {
    let digest = head.header(&CONTENT_DIGEST)?.parse().ok()?;
    Some((digest, Shape::of(head.header(&CONTENT_TYPE)?)?))
}

fn read(answer: &Answer, promised: Option<&Digest>) -> Result<Manifest, Fault> {
    manifest::read(&answer.body, answer.header(&CONTENT_TYPE), promised)
}
