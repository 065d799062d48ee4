//! Being let in: a registry says what it wants to see, and gets that and no more.
//!
//! Threats, and the answer to each: a registry that names a token server without TLS (refused unless it is declared insecure), a password
//! that goes to whoever asks (only the host that a login is for, and the token server that this host names, ever see it), a token that
//! ends in the middle of the work (renewed once, by one task for all).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::HeaderValue;
use tokio::time::Instant;

use crate::challenge::Challenge;
use crate::config::Config;
use crate::credentials::{Login, Logins};
use crate::endpoint::Endpoint;
use crate::fault::{Fault, Kind};
use crate::refusal;
use crate::secret::{Secret, Sieve};
use crate::token;
use crate::transport::{Answer, Call, Transport, at};

/// As we come, with a token, and with a renewed one.
const MOST_ROUNDS: usize = 3;

/// Sends calls with whatever the registry wants to see.
pub(crate) struct Access {
    config: Arc<Config>,
    transport: Arc<Transport>,
    logins: Logins,
    sieve: Arc<Sieve>,
    /// By host and scope.
    granted: Mutex<BTreeMap<(String, String), Shared>>,
}

/// Locked while it is renewed, so that others wait for the new one.
type Shared = Arc<tokio::sync::Mutex<Grant>>;

/// What is shown to a registry from now on.
#[derive(Clone, Debug, Default)]
struct Grant {
    header: Option<HeaderValue>,
    /// When it ends; never, where it is a password.
    until: Option<Instant>,
    /// Counts the grants: who was refused with an older one takes this one.
    number: u64,
}

impl Access {
    pub(crate) fn new(config: Arc<Config>, transport: Arc<Transport>, sieve: Arc<Sieve>) -> Result<Self, Fault> {
        let logins = Logins::new(Arc::clone(&config), Arc::clone(&sieve))?;
        Ok(Self { config, transport, logins, sieve, granted: Mutex::default() })
    }

    /// Sends a call for a repository; `actions` are what it needs to be allowed to do, such as `pull`.
    pub(crate) async fn send(&self, endpoint: &Endpoint, call: Call, actions: &str) -> Result<Answer, Fault> {
        let scope = format!("repository:{}:{actions}", endpoint.repository);
        let cell = {
            let mut granted = self.granted.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(granted.entry((endpoint.host.clone(), scope.clone())).or_default())
        };
        let mut grant = cell.lock().await.clone();
        if grant.until.is_some_and(|until| until <= Instant::now()) {
            grant.header = None;
        }
        let mut round = 1;
        loop {
            let answer = self.transport.send(&Call { authorization: grant.header.clone(), ..call.clone() }).await?;
            if answer.status.as_u16() != 401 {
                return Ok(answer);
            }
            if answer.elsewhere {
                let message = "the host that it redirects to asks for a login, and gets none";
                return Err(at(&endpoint.name, Fault::new(Kind::AccessDenied, message)));
            }
            let mut current = cell.lock().await;
            if current.number == grant.number {
                let is_last = round == MOST_ROUNDS;
                *current = self.grant(endpoint, &answer, &scope, &grant, is_last).await?;
            } else if round == MOST_ROUNDS {
                let login = self.logins.find(endpoint).await?;
                return Err(at(&endpoint.name, refused(&login, &answer)));
            }
            grant = current.clone();
            round += 1;
        }
    }

    async fn grant(
        &self,
        endpoint: &Endpoint,
        answer: &Answer,
        scope: &str,
        before: &Grant,
        is_last: bool,
    ) -> Result<Grant, Fault> {
        let login = self.logins.find(endpoint).await?;
        let refused = || Err(at(&endpoint.name, refused(&login, answer)));
        if is_last {
            return refused();
        }
        let challenges = Challenge::all(&answer.headers);
        let wanted = |scheme: &str| challenges.iter().find(|challenge| challenge.scheme == scheme);
        let number = before.number + 1;
        if let Some(challenge) = wanted("bearer") {
            if let Login::Bearer(token) = &login {
                if before.header.is_some() {
                    return refused();
                }
                return Ok(Grant { header: Some(token::bearer(token)?), until: None, number });
            }
            let question =
                token::Question::of(challenge, scope, &self.config).map_err(|fault| at(&endpoint.name, fault))?;
            let token = token::ask(&self.transport, &question, &login).await?;
            self.sieve.learn(&token.text);
            return Ok(Grant { header: Some(token::bearer(&token.text)?), until: Some(token.until), number });
        }
        if wanted("basic").is_some() {
            return match &login {
                Login::Password { user, password } if before.header.is_none() => {
                    Ok(Grant { header: Some(basic(user, password)?), until: None, number })
                }
                _ => refused(),
            };
        }
        let schemes: Vec<&str> = challenges.iter().map(|challenge| challenge.scheme.as_str()).collect();
        let what = if schemes.is_empty() { "nothing that it would take".to_owned() } else { schemes.join(", ") };
        let fault =
            Fault::quoting(Kind::CredentialsMissing, "it asks for a login in a way that is not known here", &what);
        Err(at(&endpoint.name, fault))
    }
}

/// `Basic`, never shown by whoever prints headers.
pub(crate) fn basic(user: &str, password: &Secret) -> Result<HeaderValue, Fault> {
    hidden(&format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.reveal()))))
}

pub(crate) fn hidden(text: &str) -> Result<HeaderValue, Fault> {
    let mut value =
        HeaderValue::try_from(text).map_err(|_| Fault::new(Kind::TokenServer, "a token holds what no token can"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// 401 to the end.
fn refused(login: &Login, answer: &Answer) -> Fault {
    let said = refusal::words(&answer.body);
    let has_tokens = Challenge::all(&answer.headers).iter().any(|challenge| challenge.scheme == "bearer");
    if has_tokens && matches!(login, Login::Password { .. } | Login::Identity(_)) {
        // The token server took the login: it is the repository that the account may not read.
        return Fault::quoting(Kind::AccessDenied, "the token that our login gets does not let us in", &said);
    }
    match login {
        Login::Anonymous => {
            Fault::quoting(Kind::CredentialsMissing, "it asks for a login, and none is known for it", &said)
        }
        Login::Password { .. } => {
            Fault::quoting(Kind::CredentialsRefused, "it does not take our user and password", &said)
        }
        Login::Identity(_) | Login::Bearer(_) => {
            Fault::quoting(Kind::CredentialsRefused, "it does not take our token", &said)
        }
    }
}
