//! Who we are to a registry: files as Docker and containers write them, and the helpers that they name.
//!
//! Threats, and the answer to each: a helper's name that is a path (only letters, digits, `.`, `_` and `-`), a helper that hangs or prints
//! without end (time and size are bounded), a file or helper whose words quote a secret (neither is ever quoted).

mod file;
mod helper;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

use self::file::Known;
use crate::config::Config;
use crate::endpoint::{Endpoint, HUB};
use crate::fault::Fault;
use crate::secret::{Secret, Sieve};

/// What Docker calls Docker Hub in its files and to its helpers.
const HUB_SERVER: &str = "https://index.docker.io/v1/";

/// The name under which helpers keep a token that is no password.
const TOKEN_USER: &str = "<token>";

/// What proves who we are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Login {
    /// Nobody: registries serve what is public.
    Anonymous,
    Password {
        user: String,
        password: Secret,
    },
    /// A token that a token server takes for others (OAuth2's refresh token).
    Identity(Secret),
    /// A token that the registry itself takes.
    Bearer(Secret),
}

/// The logins of all registries. Each is looked up once, at its first use.
pub(crate) struct Logins {
    files: Vec<Known>,
    config: Arc<Config>,
    sieve: Arc<Sieve>,
    /// By helper and server: a helper may ask a person, so it runs once.
    asked: Mutex<BTreeMap<(String, String), Arc<Asked>>>,
}

type Asked = OnceCell<Result<Option<Login>, Fault>>;

impl Logins {
    /// Reads the files.
    pub(crate) fn new(config: Arc<Config>, sieve: Arc<Sieve>) -> Result<Self, Fault> {
        let mut files = Vec::new();
        for file in &config.credentials.files {
            files.extend(Known::read(file)?);
        }
        let logins = Self { files, config, sieve, asked: Mutex::default() };
        logins.files.iter().flat_map(Known::logins).for_each(|login| logins.learn(login));
        Ok(logins)
    }

    /// The login for an image's place. Within a file, helpers come first, as with Docker.
    pub(crate) async fn find(&self, endpoint: &Endpoint) -> Result<Login, Fault> {
        for file in &self.files {
            if let Some(helper) = file.helper(&endpoint.name) {
                let server = if endpoint.name == HUB { HUB_SERVER } else { &endpoint.name };
                if let Some(login) = self.ask(helper, server).await? {
                    return Ok(login);
                }
            }
            if let Some(login) = file.login(&endpoint.name, &endpoint.repository) {
                return Ok(login.clone());
            }
        }
        Ok(Login::Anonymous)
    }

    async fn ask(&self, helper: &str, server: &str) -> Result<Option<Login>, Fault> {
        let key = (helper.to_owned(), server.to_owned());
        let cell = Arc::clone(self.asked.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default());
        let result = cell
            .get_or_init(|| async {
                let login = helper::ask(&self.config, helper, server).await?;
                login.iter().for_each(|login| self.learn(login));
                Ok(login)
            })
            .await;
        result.clone()
    }

    fn learn(&self, login: &Login) {
        match login {
            Login::Anonymous => {}
            Login::Password { user, password } => self.sieve.learn_login(user, password),
            Login::Identity(token) | Login::Bearer(token) => self.sieve.learn(token),
        }
    }
}
