//! What is nobody's business: methods, bodies, paths and names. And what every answer carries.

use super::stage::{ACME, BUNDLE, INDEX, MANIFEST, PRIMARY, VEX_EXPORT};
use super::{check, ensure};

check! {
    /// Only GET and HEAD.
    only_get_and_head(stage) with |plan| plan => {
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "PURGE", "get"] {
            let answer = stage.get(MANIFEST).args(&["--request", method]).send();
            let refused = if method == "get" { answer.status == 400 } else { answer.status == 405 };
            ensure!(refused, "{method}: {answer:?}");
            if answer.status == 405 {
                ensure!(answer.header("allow") == "GET, HEAD" && answer.error() == "method", "{method}: {answer:?}");
            }
        }
        ensure!(stage.exports.asked().is_empty(), "{:?}", stage.exports.asked());
        let head = stage.get(MANIFEST).args(&["--head"]).send();
        let get = stage.get(MANIFEST).send();
        ensure!(head.status == 200 && head.body.is_empty(), "{head:?}");
        ensure!(head.header("content-length") == get.body.len().to_string() && head.header("etag") == get.header("etag"), "{head:?}");
        Ok(())
    }
}

check! {
    /// Client bodies are refused, of known length or in chunks, large or small.
    bodies_are_refused(stage) with |plan| plan => {
        stage.sandbox.write("body", "x".repeat(200_000));
        let large = format!("@{}", stage.sandbox.path("body"));
        for (body, more) in [("x", None), ("x", Some("Transfer-Encoding: chunked")), (large.as_str(), None), (large.as_str(), Some("Transfer-Encoding: chunked"))] {
            let mut request = stage.get(MANIFEST).args(&["--request", "GET", "--data-binary", body]).header("Expect:");
            if let Some(header) = more {
                request = request.header(header);
            }
            let answer = request.send();
            ensure!(answer.status == 413 && answer.error() == "body", "{more:?}: {answer:?}");
        }
        ensure!(stage.get(MANIFEST).header("Content-Length: 0").send().status == 200, "an empty body is none");
        ensure!(stage.door().asked().len() == 1 && stage.exports.asked().len() == 1, "refused requests went on");
        Ok(())
    }
}

check! {
    /// Path traversal, escapes, dot files and everything that is not listed.
    other_paths_are_refused(stage) with |plan| plan => {
        let bundle = "/concelier/exports/mirror/primary/bundle.json";
        for path in [
            "/",
            "/concelier/exports/",
            "/concelier/exports/mirror/primary/",
            "/concelier/exports/mirror/primary/.htaccess",
            "/.git/config",
            "/concelier/exports/mirror/primary/../community/manifest.json",
            "/concelier/exports/mirror/community/../primary/manifest.json",
            "/concelier/exports/mirror/primary/%2e%2e/community/manifest.json",
            "/concelier/exports/mirror/primary%2fmanifest.json",
            "/concelier/exports/mirror/primary/manifest%2ejson",
            "/concelier/exports/mirror/primary/./manifest.json",
            "//concelier/exports/mirror/primary/manifest.json",
            "/concelier//exports/mirror/primary/manifest.json",
            "/concelier/exports/mirror/primary/manifest.json/",
            "/concelier/exports/mirror/primary/manifest.json%00",
            "/concelier/exports/mirror/primary/manifest.json\\..\\x",
            "/Concelier/exports/mirror/primary/manifest.json",
            "/concelier/exports/mirror/primary/latest/manifest.json",
            "/excititor/mirror/domains/",
            "/excititor/mirror/domains/primary/exports/",
            "/excititor/mirror/domains/primary/exports/.hidden",
            "/excititor/mirror/domains/primary/exports/a/b",
            "/excititor/mirror/domains/primary/exports/openvex%2d1",
            "/_verify",
            "/health",
            "/status",
        ] {
            let answer = stage.get(path).send();
            ensure!(answer.status == 404 || answer.status == 400, "{path}: {answer:?}");
            // nginx itself refuses some of them, and then knows of no path.
            if answer.status == 404 {
                let line = stage.line(path, 404);
                ensure!(line["refusal"] == "path", "{path}: {line}");
            }
        }
        ensure!(stage.get("/../../etc/passwd").send().status == 400, "nginx itself refuses what leads out of the root");
        ensure!(stage.exports.asked().is_empty(), "{:?}", stage.exports.asked());
        ensure!(stage.get(bundle).send().status == 200, "what is listed is served");
        ensure!(stage.get(VEX_EXPORT).send().status == 200, "an export is served");
        let absent = stage.get("/excititor/mirror/domains/primary/exports/no-such-key").send();
        ensure!(absent.status == 404 && absent.error() == "absent", "{absent:?}");
        Ok(())
    }
}

check! {
    /// A path is judged as it was sent, not as nginx resolves it: escapes and steps up are refused also where they lead to a listed path.
    paths_have_one_spelling(stage) with |plan| plan => {
        for path in [
            "/concelier/exports/mirror/community/../primary/manifest.json",
            "/concelier/exports/mirror/primary/manifest%2ejson",
            "/concelier//exports/mirror/primary/manifest.json",
            "/excititor/mirror/domains/primary/exports/openvex%2d1",
        ] {
            let answer = stage.get(path).send();
            ensure!(answer.status == 404 && answer.error() == "path", "{path}: {answer:?}");
        }
        Ok(())
    }
}

check! {
    /// Query strings are dropped: they reach neither the source nor the key of the cache.
    query_strings_are_dropped(stage) with |plan| plan => {
        let first = stage.get(&format!("{INDEX}?api_key=planted")).send();
        let second = stage.get(&format!("{INDEX}?other=1&x=..%2f")).send();
        ensure!(first.status == 200 && second.status == 200, "{first:?} {second:?}");
        ensure!(second.cache() == "HIT", "{second:?}");
        let asked = stage.exports.asked();
        ensure!(asked.len() == 1 && asked[0].query.is_empty(), "{asked:?}");
        Ok(())
    }
}

check! {
    /// The source is asked by the gateway, in its own name: no header of a tenant goes there.
    nothing_of_the_tenant_reaches_the_source(stage) with |plan| plan => {
        let request = stage.get(BUNDLE).header("Cookie: session=planted").header("X-Forwarded-For: 10.1.1.1").header("Accept-Encoding: gzip");
        ensure!(request.header("Range: bytes=0-9").header("X-Secret: planted").send().status == 206, "it is served");
        let asked = stage.exports.asked();
        ensure!(asked.len() == 1, "{asked:?}");
        for (name, value) in &asked[0].headers {
            let known = ["host", "user-agent", "connection"].contains(&name.as_str());
            ensure!(known && !value.contains("planted"), "the source was sent `{name}: {value}`");
        }
        Ok(())
    }
}

check! {
    /// No versions, no sniffing, HTTPS for the future, and nobody keeps a refusal.
    answers_are_clean(stage) with |plan| plan => {
        for (name, value) in [("Set-Cookie", "a=b"), ("Vary", "Accept-Encoding, Cookie"), ("X-Powered-By", "ASP.NET"), ("Expires", "0"), ("Pragma", "no-cache"), ("Server", "Kestrel")] {
            stage.exports.header(name, value);
        }
        let content = stage.get(MANIFEST).send();
        ensure!(content.status == 200, "{content:?}");
        for name in ["set-cookie", "vary", "x-powered-by", "expires", "pragma"] {
            ensure!(content.header(name).is_empty(), "`{name}` of the source reaches tenants: {content:?}");
        }
        ensure!(content.header("cache-control") == "private, no-cache", "{content:?}");
        let export = stage.get(VEX_EXPORT).send();
        ensure!(export.header("cache-control") == "private, max-age=86400, immutable", "{export:?}");
        let others = [stage.get("/nothing").send(), stage.anonymous(MANIFEST).send(), stage.get(MANIFEST).args(&["--request", "PUT"]).send()];
        for refused in &others {
            ensure!(refused.header("cache-control") == "no-store" && refused.header("content-type") == "application/json", "{refused:?}");
        }
        for answer in others.iter().chain([&content, &export]) {
            ensure!(answer.header("server") == "nginx", "{answer:?}");
            ensure!(answer.header("x-content-type-options") == "nosniff", "{answer:?}");
            ensure!(answer.header("strict-transport-security").starts_with("max-age="), "{answer:?}");
        }
        Ok(())
    }
}

check! {
    /// TLS 1.2 and 1.3 with ciphers that are good, by server name.
    tls_is_current(stage) with |plan| plan => {
        for version in ["-tls1_2", "-tls1_3"] {
            let said = stage.handshake(&["-servername", PRIMARY, version]);
            ensure!(said.contains("CN = mirror-primary.stella-ops.org") || said.contains("CN=mirror-primary.stella-ops.org"), "{version}: {said}");
        }
        for old in [["-tls1_1", "DEFAULT@SECLEVEL=0"], ["-tls1_2", "ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA"]] {
            let said = stage.handshake(&["-servername", PRIMARY, old[0], "-cipher", old[1]]);
            ensure!(said.contains("Cipher is (NONE)"), "{old:?}: {said}");
        }
        let said = stage.handshake(&["-servername", PRIMARY, "-tls1_2"]);
        ensure!(!said.contains("TLS session ticket:"), "tickets are given: {said}");
        Ok(())
    }
}

check! {
    /// Unknown names are refused in the handshake, and in the request.
    unknown_names_are_refused(stage) with |plan| plan => {
        for arguments in [&["-servername", "www.stella-ops.org"][..], &["-noservername"], &["-servername", "primary"]] {
            let said = stage.handshake(arguments);
            ensure!(said.contains("unrecognized name") && !said.contains("BEGIN CERTIFICATE"), "{arguments:?}: {said}");
        }
        let answer = stage.get(MANIFEST).header("Host: www.stella-ops.org").send();
        ensure!(answer.status == 421 && answer.error() == "host", "{answer:?}");
        let other = stage.anonymous(MANIFEST).user(ACME).header("Host: mirror-community.stella-ops.org").send();
        ensure!(other.status == 404, "the other domain's server answers for its own paths only: {other:?}");
        Ok(())
    }
}
