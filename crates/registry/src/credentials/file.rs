//! Docker's `config.json` and containers' `auth.json`: one format, two habits of naming registries in it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;

use super::Login;
use crate::config::CredentialFile;
use crate::endpoint::HUB;
use crate::fault::{Fault, Kind};
use crate::files;
use crate::secret::Secret;

/// Tools differ in whether they pad.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A file that was read: logins and helpers by registry, or by registry and path.
pub(super) struct Known {
    logins: BTreeMap<String, Login>,
    helpers: BTreeMap<String, String>,
    store: Option<String>,
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    auths: BTreeMap<String, Option<Entry>>,
    #[serde(rename = "credHelpers", default)]
    helpers: BTreeMap<String, String>,
    #[serde(rename = "credsStore", default)]
    store: Option<String>,
}

#[derive(Deserialize)]
struct Entry {
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    #[serde(rename = "identitytoken")]
    identity_token: Option<String>,
    #[serde(rename = "registrytoken")]
    registry_token: Option<String>,
}

impl Known {
    /// `None` where a file is absent that need not be there.
    pub(super) fn read(file: &CredentialFile) -> Result<Option<Self>, Fault> {
        let path = &file.path;
        let content = if file.required { Some(files::read(path)?) } else { files::read_if_there(path)? };
        let Some(content) = content else { return Ok(None) };
        // The parser's own words may quote what stands in the file; line and column do not.
        let malformed =
            |why: String| Fault::new(Kind::FileMalformed, format!("`{path}` is no credentials file: {why}"));
        // A list would be read as the fields in their order.
        if content.trim_ascii_start().first() != Some(&b'{') {
            return Err(malformed("it is no JSON object".to_owned()));
        }
        let document: Document = serde_json::from_slice(&content)
            .map_err(|error| malformed(format!("line {}, column {}", error.line(), error.column())))?;
        let mut logins = BTreeMap::new();
        for (server, entry) in document.auths {
            let login = entry.map(Entry::login).transpose().map_err(|()| {
                malformed(format!("`auth` of `{}` is not base64 of `user:password`", crate::fault::shown(&server)))
            })?;
            // Docker leaves an empty entry where a helper has the password.
            if let Some(login) = login.flatten() {
                logins.entry(normal(&server)).or_insert(login);
            }
        }
        let helpers = document.helpers.into_iter().map(|(server, helper)| (normal(&server), helper)).collect();
        Ok(Some(Self { logins, helpers, store: document.store.filter(|store| !store.is_empty()) }))
    }

    pub(super) fn logins(&self) -> impl Iterator<Item = &Login> {
        self.logins.values()
    }

    /// The helper for a registry: its own, else the one for all.
    pub(super) fn helper(&self, registry: &str) -> Option<&str> {
        self.helpers.get(registry).or(self.store.as_ref()).map(String::as_str).filter(|helper| !helper.is_empty())
    }

    /// The login of the longest path that a repository lies below; the registry's at last.
    pub(super) fn login(&self, registry: &str, repository: &str) -> Option<&Login> {
        let whole = format!("{registry}/{repository}");
        let mut path = whole.as_str();
        loop {
            if let Some(login) = self.logins.get(path) {
                return Some(login);
            }
            path = path.rsplit_once('/')?.0;
        }
    }
}

impl Entry {
    fn login(self) -> Result<Option<Login>, ()> {
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        if let Some(token) = given(self.registry_token) {
            return Ok(Some(Login::Bearer(Secret::new(token))));
        }
        if let Some(token) = given(self.identity_token) {
            return Ok(Some(Login::Identity(Secret::new(token))));
        }
        if let Some(auth) = given(self.auth) {
            let both = BASE64.decode(auth.trim()).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or(())?;
            let (user, password) = both.split_once(':').ok_or(())?;
            // Docker pads with NUL.
            let password = Secret::new(password.trim_end_matches('\0'));
            return Ok(Some(Login::Password { user: user.to_owned(), password }));
        }
        let password = given(self.password).map(Secret::new);
        Ok(given(self.username).zip(password).map(|(user, password)| Login::Password { user, password }))
    }
}

/// `https://index.docker.io/v1/` → `docker.io`; `https://r.example:5000` → `r.example:5000`; `r.example/team` stays.
fn normal(server: &str) -> String {
    let rest = server.strip_prefix("https://").or_else(|| server.strip_prefix("http://")).unwrap_or(server);
    let rest = rest.trim_end_matches('/');
    let rest = ["/v1", "/v2"].iter().find_map(|version| rest.strip_suffix(version)).unwrap_or(rest);
    match rest.split_once('/').unwrap_or((rest, "")) {
        ("index.docker.io" | "registry-1.docker.io", "") => HUB.to_owned(),
        ("index.docker.io" | "registry-1.docker.io", path) => format!("{HUB}/{path}"),
        _ => rest.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use testkit::Sandbox;

    use super::*;

    fn known(text: &str) -> Result<Known, Fault> {
        let sandbox = Sandbox::new();
        sandbox.write("config.json", text);
        Known::read(&CredentialFile { path: sandbox.path("config.json"), required: true }).map(|known| known.unwrap())
    }

    fn password(user: &str, password: &str) -> Login {
        Login::Password { user: user.to_owned(), password: Secret::new(password) }
    }

    #[test]
    fn dockers_and_containers_spellings_are_known() {
        let known = known(
            r#"{"auths": {
                "https://index.docker.io/v1/": {"auth": "YTpi"},
                "https://r.example:5000": {"auth": "dXNlcjpwYTpzcwA="},
                "q.example/team": {"username": "team", "password": "pw"},
                "q.example": {"identitytoken": "it", "auth": "eDo="},
                "t.example": {"registrytoken": "rt"},
                "empty.example": {}, "null.example": null
            }, "credHelpers": {"gcr.io": "gcloud"}, "HttpHeaders": {"x": "y"}}"#,
        )
        .unwrap();
        assert_eq!(known.login("docker.io", "library/nats"), Some(&password("a", "b")));
        assert_eq!(known.login("r.example:5000", "x"), Some(&password("user", "pa:ss")));
        assert_eq!(known.login("q.example", "team/app"), Some(&password("team", "pw")));
        assert_eq!(known.login("q.example", "teams/app"), Some(&Login::Identity(Secret::new("it"))));
        assert_eq!(known.login("t.example", "a"), Some(&Login::Bearer(Secret::new("rt"))));
        for unknown in ["empty.example", "null.example", "example", "r.example"] {
            assert_eq!(known.login(unknown, "a"), None, "{unknown}");
        }
        assert_eq!((known.helper("gcr.io"), known.helper("r.example:5000")), (Some("gcloud"), None));
    }

    #[test]
    fn a_damaged_file_is_not_quoted() {
        for text in
            [r#"{"auths": {"r": {"auth": "hunter2"}}}"#, "{\"auths\": hunter2", r#"{"auths": {"r": "hunter2"}}"#, "[]"]
        {
            let fault = known(text).err().unwrap();
            assert_eq!(fault.kind, Kind::FileMalformed, "{text}");
            assert!(!fault.message.contains("hunter2"), "{}", fault.message);
        }
    }

    #[test]
    fn only_a_named_file_has_to_be_there() {
        let path = Sandbox::new().path("config.json");
        assert!(Known::read(&CredentialFile { path: path.clone(), required: false }).unwrap().is_none());
        let fault = Known::read(&CredentialFile { path, required: true }).err().unwrap();
        assert_eq!(fault.kind, Kind::FileUnreadable);
    }
}
