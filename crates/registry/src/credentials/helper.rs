//! `docker-credential-NAME get`: the server's name on stdin, name and secret as JSON on stdout.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use serde::Deserialize;
use source::system;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use super::{Login, TOKEN_USER};
use crate::config::Config;
use crate::fault::{Fault, Kind};
use crate::limits::LARGEST_HELPER_ANSWER;
use crate::secret::Secret;

/// What every helper says of a server that it does not know.
const NOT_FOUND: &str = "credentials not found in native keychain";

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Username")]
    user: String,
    #[serde(rename = "Secret")]
    secret: String,
}

/// Runs a helper. `None`: it has nothing for this server.
pub(super) async fn ask(config: &Config, name: &str, server: &str) -> Result<Option<Login>, Fault> {
    let program = format!("docker-credential-{name}");
    let failed = |why: &str| Fault::new(Kind::CredentialHelper, format!("the credential helper `{program}` {why}"));
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'));
    if !is_name {
        let message = "a credentials file names a helper that is no plain name";
        return Err(Fault::new(Kind::CredentialHelper, message));
    }
    let is_program = |path: &camino::Utf8PathBuf| {
        path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    };
    let folders = config.credentials.helper_folders.iter().filter(|folder| folder.is_absolute());
    let path = folders.map(|folder| folder.join(&program)).find(is_program).ok_or_else(|| failed("is not on PATH"))?;
    let mut command = Command::new(path);
    command.arg("get").env_clear().envs(&config.credentials.helper_environment).kill_on_drop(true);
    // What it complains about may hold secrets, and is not ours to show.
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| failed(&format!("cannot be run: {}", system::reason(&error))))?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let talk = async {
        if let Some(mut stdin) = stdin {
            // A helper may know the answer without reading; it then closes its end.
            let _ = stdin.write_all(server.as_bytes()).await;
        }
        let mut answer = Vec::new();
        if let Some(stdout) = stdout {
            stdout
                .take(LARGEST_HELPER_ANSWER + 1)
                .read_to_end(&mut answer)
                .await
                .map_err(|_| failed("cannot be read"))?;
        }
        if answer.len() as u64 > LARGEST_HELPER_ANSWER {
            return Err(failed("prints more than 64 KiB"));
        }
        let status = child.wait().await.map_err(|_| failed("cannot be waited for"))?;
        Ok((status, answer))
    };
    let limit = config.limits.helper;
    let (status, answer) = tokio::time::timeout(limit, talk)
        .await
        .map_err(|_| failed(&format!("did not answer within {} s", limit.as_secs_f64())))??;
    if !status.success() {
        if String::from_utf8_lossy(&answer).trim().starts_with(NOT_FOUND) {
            return Ok(None);
        }
        let how = status.code().map_or_else(|| "was killed".to_owned(), |code| format!("ended with {code}"));
        return Err(failed(&how));
    }
    let answer: Answer =
        serde_json::from_slice(&answer).map_err(|_| failed("printed something that is no name and secret"))?;
    if answer.secret.is_empty() {
        return Ok(None);
    }
    let secret = Secret::new(answer.secret);
    Ok(Some(match answer.user.as_str() {
        TOKEN_USER => Login::Identity(secret),
        user => Login::Password { user: user.to_owned(), password: secret },
    }))
}
