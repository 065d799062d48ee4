//! Methods and paths that are nobody's business, and HEAD, which is.

use http::{Method, StatusCode};

use super::Request;
use super::checks::Checks;
use super::domain::INDEX;
use super::fault::Kind;
use super::reader::{Ask, Reader, SMALL, expect_ok, value};
use crate::wire::Reply;

/// Methods that change something, where they are taken.
const REFUSED: [Method; 3] = [Method::POST, Method::PUT, Method::DELETE];

/// Ways out of the folder, and into what a folder may hold beside exports. `DOMAIN` stands for the domain's id.
const PATHS: [&str; 6] = [
    "/concelier/exports/mirror/DOMAIN/../../index.json",
    "/concelier/exports/mirror/DOMAIN/%2e%2e/%2e%2e/index.json",
    "/concelier/exports/mirror/DOMAIN%2fmanifest.json",
    "/concelier/exports//mirror/DOMAIN/manifest.json",
    "/concelier/exports/.git/config",
    "/../etc/passwd",
];

/// Only GET and HEAD.
pub(super) async fn methods(reader: &mut Reader<'_>, request: &Request, checks: &mut Checks) {
    let about = "methods";
    let mut found = Vec::new();
    for method in REFUSED {
        let authorization = request.authorization.as_ref().map(|secret| secret.reveal());
        let headers = [("content-length", "0")];
        let ask = Ask { about, method: method.clone(), path: INDEX, authorization, headers: &headers, largest: SMALL };
        match reader.ask(&ask).await {
            Ok(reply) if matches!(reply.status, StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED) => {}
            Ok(reply) if reply.status.is_server_error() => found.extend(expect_ok(&reply, about, INDEX).err()),
            Ok(reply) => {
                let message = format!("{method} is answered with {}, not with 405", reply.status.as_u16());
                found.push(Kind::MethodAccepted.find(about, message));
            }
            Err(finding) => found.push(finding),
        }
    }
    checks.judged(about, "POST, PUT and DELETE", found);
}

/// HEAD says what GET said of the index.
pub(super) async fn head(reader: &mut Reader<'_>, request: &Request, get: &Reply, checks: &mut Checks) {
    let about = "HEAD";
    let authorization = request.authorization.as_ref().map(|secret| secret.reveal());
    let ask = Ask { about, method: Method::HEAD, path: INDEX, authorization, headers: &[], largest: SMALL };
    let reply = match reader.ask(&ask).await {
        Ok(reply) => reply,
        Err(finding) => return checks.failed(about, "no answer", finding),
    };
    if reply.status.is_server_error() {
        if let Err(finding) = expect_ok(&reply, about, INDEX) {
            checks.failed(about, "no answer", finding);
        }
        return;
    }
    let etag = |reply: &Reply| value(reply, "etag").map(str::to_owned);
    if reply.status == StatusCode::OK && etag(&reply) != etag(get) && etag(&reply).is_some() && etag(get).is_some() {
        return checks.not_tried(about, "the index changed meanwhile");
    }
    let length = value(&reply, "content-length").unwrap_or("none");
    let message = if reply.status != StatusCode::OK {
        format!("HEAD of `{INDEX}` is answered with {}, and GET with 200", reply.status.as_u16())
    } else if length != get.body.len().to_string() {
        format!("HEAD of `{INDEX}` says that its length is {length}, and GET sends {} bytes", get.body.len())
    } else {
        return checks.passed(about, format!("{length} bytes, as GET"));
    };
    checks.failed(about, reply.status.as_u16().to_string(), Kind::HeadDiffers.find(about, message));
}

/// Paths are refused before anybody resolves them.
pub(super) async fn paths(reader: &mut Reader<'_>, domain: &str, checks: &mut Checks) {
    let about = "paths";
    let mut found = Vec::new();
    for path in PATHS {
        let path = path.replace("DOMAIN", domain);
        match reader.get(about, &path, &[], SMALL).await {
            Ok(reply) if reply.status.is_server_error() => found.extend(expect_ok(&reply, about, &path).err()),
            Ok(reply) if reply.status.is_client_error() => {}
            Ok(reply) => {
                let message = format!("`{path}` is answered with {}", reply.status.as_u16());
                found.push(Kind::TraversalServed.find(about, message));
            }
            Err(finding) => found.push(finding),
        }
    }
    checks.judged(about, "steps up, escapes and dot files", found);
}
