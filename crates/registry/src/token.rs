//! Tokens of a token server: Docker's way (GET with name and password), and OAuth2 (POST with a token that makes tokens).

use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::{Method, Url};
use serde::Deserialize;
use tokio::time::Instant;

use crate::access::{basic, hidden};
use crate::challenge::Challenge;
use crate::config::Config;
use crate::credentials::Login;
use crate::endpoint::{host_of, may_use};
use crate::fault::{Fault, Kind, shown};
use crate::limits::{LARGEST_TOKEN_ANSWER, TOKEN_LIFE, TOKEN_MARGIN};
use crate::refusal;
use crate::secret::{Secret, encoded};
use crate::transport::{Call, Transport, at};

/// How we call ourselves to a token server.
const CLIENT: &str = "collimate";

/// A token and when it is not to be used any more.
pub(crate) struct Token {
    pub(crate) text: Secret,
    pub(crate) until: Instant,
}

/// Whom to ask for a token, and for what.
pub(crate) struct Question {
    realm: Url,
    service: Option<String>,
    scopes: Vec<String>,
}

#[derive(Deserialize)]
struct Answer {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<serde_json::Value>,
}

impl Question {
    /// From a challenge; `scope` where it names none.
    pub(crate) fn of(challenge: &Challenge, scope: &str, config: &Config) -> Result<Self, Fault> {
        let unusable = |why: &str| Fault::new(Kind::TokenServer, format!("it names no token server: {why}"));
        let realm = challenge.parameter("realm").ok_or_else(|| unusable("its challenge has no `realm`"))?;
        let realm: Url = realm.parse().map_err(|_| unusable("its `realm` is no URL"))?;
        if !may_use(&realm, config) {
            let host = host_of(&realm).unwrap_or_default();
            let message = format!("its token server `{}` has no TLS", shown(&host));
            return Err(Fault::new(Kind::InsecureTokenServer, message));
        }
        if !realm.username().is_empty() || realm.password().is_some() {
            return Err(unusable("its `realm` holds a login"));
        }
        let named = challenge.parameter("scope").filter(|scope| !scope.is_empty()).unwrap_or(scope);
        let scopes = named.split_ascii_whitespace().map(str::to_owned).collect();
        Ok(Self { realm, service: challenge.parameter("service").map(str::to_owned), scopes })
    }

    fn pairs(&self) -> Vec<(&'static str, &str)> {
        let service = self.service.iter().map(|service| ("service", service.as_str()));
        service.chain([("client_id", CLIENT)]).collect()
    }
}

/// Asks for a token, as nobody or with a login.
pub(crate) async fn ask(transport: &Transport, question: &Question, login: &Login) -> Result<Token, Fault> {
    let host = host_of(&question.realm).unwrap_or_default();
    let call = call(question, login)?;
    let start = Instant::now();
    let answer = transport.send(&call).await?;
    let said = refusal::words(&answer.body);
    let fault = |kind: Kind, message: &str| Err(at(&host, Fault::quoting(kind, message, &said)));
    match (answer.status.as_u16(), login) {
        (200, _) => {}
        (400 | 401 | 403, Login::Anonymous) => {
            return fault(Kind::CredentialsMissing, "the token server gives nothing to somebody without a login");
        }
        (400 | 401 | 403, _) => return fault(Kind::CredentialsRefused, "the token server does not take our login"),
        (status, _) => return fault(Kind::TokenServer, &format!("the token server answers HTTP {status}")),
    }
    let unusable = |why: &str| at(&host, Fault::new(Kind::TokenServer, format!("the token server's answer {why}")));
    let answer: Answer = serde_json::from_slice(&answer.body).map_err(|_| unusable("is no JSON with a token"))?;
    let text = answer.token.or(answer.access_token).filter(|token| !token.is_empty());
    let text = Secret::new(text.ok_or_else(|| unusable("holds no token"))?);
    let seconds = answer.expires_in.as_ref().and_then(serde_json::Value::as_f64);
    let life = seconds.filter(|seconds| *seconds > 0.0).map_or(TOKEN_LIFE, |seconds| {
        // More than a day makes no difference here.
        Duration::from_secs_f64(seconds.min(86_400.0))
    });
    Ok(Token { text, until: start + life.saturating_sub(TOKEN_MARGIN) })
}

fn call(question: &Question, login: &Login) -> Result<Call, Fault> {
    if let Login::Identity(token) = login {
        let scope = question.scopes.join(" ");
        let pairs = question.pairs().into_iter().chain([
            ("grant_type", "refresh_token"),
            ("scope", scope.as_str()),
            ("refresh_token", token.reveal()),
        ]);
        let form = pairs.map(|(name, value)| format!("{name}={}", encoded(value))).collect::<Vec<_>>().join("&");
        let mut call = Call::new(Method::POST, question.realm.clone(), LARGEST_TOKEN_ANSWER);
        call.form = Some(Secret::new(form));
        return Ok(call);
    }
    let mut url = question.realm.clone();
    {
        let mut query = url.query_pairs_mut();
        query.extend_pairs(question.pairs());
        query.extend_pairs(question.scopes.iter().map(|scope| ("scope", scope)));
        if let Login::Password { user, .. } = login {
            query.append_pair("account", user);
        }
    }
    let mut call = Call::new(Method::GET, url, LARGEST_TOKEN_ANSWER);
    if let Login::Password { user, password } = login {
        call.authorization = Some(basic(user, password)?);
    }
    Ok(call)
}

/// The header that shows a token.
pub(crate) fn bearer(token: &Secret) -> Result<HeaderValue, Fault> {
    hidden(&format!("Bearer {}", token.reveal()))
}
