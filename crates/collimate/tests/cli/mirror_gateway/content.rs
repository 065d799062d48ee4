//! What is served: from the cache, from a source, or what is left of it while the source is down.

use std::process::Stdio;

use testkit::Misbehaviour;

use super::request::Answer;
use super::stage::{BETA, BUNDLE, COMMUNITY, DELTA, INDEX, MANIFEST, SIGNATURE, Stage, VEX_DOMAINS, VEX_EXPORT};
use super::{check, ensure};

check! {
    /// A second read is a HIT, for another tenant of the domain too: the key of the cache has no credential.
    a_second_read_is_a_hit(stage) with |plan| plan => {
        for path in [INDEX, MANIFEST, BUNDLE, SIGNATURE, VEX_DOMAINS, VEX_EXPORT, "/excititor/mirror/domains/primary", "/excititor/mirror/domains/primary/index"] {
            let first = stage.get(path).send();
            ensure!(first.status == 200 && first.cache() == "MISS", "{path}: {first:?}");
            let second = stage.anonymous(path).user(BETA).send();
            ensure!(second.status == 200 && second.cache() == "HIT" && second.body == first.body, "{path}: {second:?}");
            ensure!(stage.exports.count(path) == 1, "{path}: asked {} times", stage.exports.count(path));
        }
        Ok(())
    }
}

check! {
    /// What was fetched for one domain is not served in the other, though the path is the same.
    domains_share_nothing_in_the_cache(stage) with |plan| plan => {
        ensure!(stage.get(INDEX).send().cache() == "MISS", "the first one");
        let other = stage.anonymous(INDEX).host(COMMUNITY).user(DELTA).send();
        ensure!(other.status == 200 && other.cache() == "MISS", "{other:?}");
        ensure!(stage.exports.count(INDEX) == 2, "asked {} times", stage.exports.count(INDEX));
        Ok(())
    }
}

check! {
    /// Whatever the source says about caches: it is kept, for as long as the gateway was told.
    the_gateway_decides_what_is_kept(stage) with |plan| plan => {
        for (name, value) in [("Cache-Control", "private, no-store, max-age=0"), ("Expires", "0"), ("Set-Cookie", "a=b"), ("Vary", "*"), ("X-Accel-Expires", "0")] {
            stage.exports.header(name, value);
        }
        ensure!(stage.get(MANIFEST).send().cache() == "MISS", "the first one");
        let second = stage.get(MANIFEST).header("Accept-Encoding: br").send();
        ensure!(second.cache() == "HIT", "{second:?}");
        Ok(())
    }
}

check! {
    /// Different lifetimes: a manifest is soon asked for again, while the bundle and an export are still good.
    lifetimes_differ(stage) with |plan| plan.generous().set("index: 1m ", "index: 1s ") => {
        for path in [MANIFEST, BUNDLE, VEX_EXPORT] {
            ensure!(stage.get(path).send().cache() == "MISS", "{path}");
        }
        let mut last = String::new();
        super::wait_until("the manifest is over", || {
            last = stage.get(MANIFEST).send().cache().to_owned();
            last != "HIT"
        });
        ensure!(last == "REVALIDATED", "{last}");
        for path in [BUNDLE, VEX_EXPORT] {
            ensure!(stage.get(path).send().cache() == "HIT", "{path}");
        }
        Ok(())
    }
}

check! {
    /// What is over is asked for with its ETag, and not transferred again; a new generation is.
    what_is_over_is_revalidated(stage) with |plan| plan.short_lives() => {
        let first = stage.get(BUNDLE).send();
        let again = until_not(&stage, BUNDLE, "HIT");
        ensure!(again.cache() == "REVALIDATED" && again.body == first.body, "{again:?}");
        let asked = stage.exports.asked();
        let last = asked.last().map(|asked| (asked.status, asked.header("if-none-match").map(str::to_owned)));
        ensure!(last == Some((304, Some(first.header("etag").to_owned()))), "{last:?}");
        stage.exports.next_generation();
        let next = until_not(&stage, BUNDLE, "HIT");
        ensure!(next.cache() == "EXPIRED" && next.body != first.body, "{next:?}");
        Ok(())
    }
}

check! {
    /// Who comes after a long time gets what is new, not what was new when somebody came last.
    nobody_is_served_the_past(stage) with |plan| plan.short_lives() => {
        let first = stage.get(MANIFEST).send();
        stage.exports.next_generation();
        let next = until_not(&stage, MANIFEST, "HIT");
        ensure!(next.cache() == "EXPIRED" && next.body != first.body, "{next:?}");
        Ok(())
    }
}

check! {
    /// An export never changes: when it is over it is served at once and asked about in the background.
    exports_are_refreshed_in_the_background(stage) with |plan| plan.short_lives() => {
        stage.get(VEX_EXPORT).send();
        let again = until_not(&stage, VEX_EXPORT, "HIT");
        ensure!(again.status == 200 && again.cache() == "STALE", "{again:?}");
        super::wait_until("the source is asked", || stage.exports.count(VEX_EXPORT) >= 2);
        Ok(())
    }
}

check! {
    /// One request per object reaches the source under load, however long the transfer takes; all get the whole of it.
    one_request_fetches_for_all(stage) with |plan| plan => {
        stage.exports.publish(|recipe| recipe.domain("primary").bundle_size = Some(8 << 20));
        // Some eight seconds: nginx's own limits of the lock are five.
        stage.exports.misbehave(BUNDLE, Misbehaviour::Slow(1 << 20));
        let clients: Vec<_> = (0..12).map(|_| stage.get(BUNDLE).command().stdout(Stdio::piped()).spawn().unwrap()).collect();
        let outputs: Vec<_> = clients.into_iter().map(|client| {
            // Read side by side: one that nobody reads would be taken for a slow client.
            std::thread::spawn(move || client.wait_with_output().unwrap())
        }).collect();
        for output in outputs {
            let output = output.join().unwrap();
            ensure!(output.status.success() && output.stdout.len() > 8 << 20, "{} with {} bytes", output.status, output.stdout.len());
        }
        let count = stage.exports.count(BUNDLE);
        ensure!(count == 1, "the source was asked {count} times");
        Ok(())
    }
}

check! {
    /// While one request asks again, the others get what is there.
    others_do_not_wait_for_a_revalidation(stage) with |plan| plan.short_lives() => {
        stage.get(MANIFEST).send();
        stage.exports.misbehave(MANIFEST, Misbehaviour::Hold);
        let mut asking = None;
        super::wait_until("somebody asks again", || {
            if stage.exports.count(MANIFEST) >= 2 {
                return true;
            }
            // What is a HIT still ends at once; who asks again waits.
            let mut child = stage.get(MANIFEST).command().stdout(Stdio::null()).spawn().unwrap();
            std::thread::park_timeout(std::time::Duration::from_millis(300));
            if child.try_wait().unwrap().is_none() {
                asking = Some(child);
            }
            false
        });
        let answer = stage.get(MANIFEST).args(&["--max-time", "10"]).send();
        stage.exports.release();
        if let Some(mut child) = asking {
            let _ = child.wait();
        }
        ensure!(answer.status == 200 && answer.cache() == "UPDATING", "{answer:?}");
        Ok(())
    }
}

check! {
    /// Stale while the source is down, or errs in any way; what is not in the cache is a 503 that says when to come again.
    what_is_there_is_served_while_the_source_is_down(stage) with |plan| plan.short_lives() => {
        let first = stage.get(MANIFEST).send();
        for status in [500, 502, 503, 504, 429] {
            stage.exports.misbehave(MANIFEST, Misbehaviour::Status(status));
            let answer = until_not(&stage, MANIFEST, "HIT");
            ensure!(answer.status == 200 && answer.cache() == "STALE" && answer.body == first.body, "{status}: {answer:?}");
        }
        stage.exports.misbehave(MANIFEST, Misbehaviour::HangUp);
        let answer = until_not(&stage, MANIFEST, "HIT");
        ensure!(answer.cache() == "STALE", "the source hangs up: {answer:?}");
        stage.exports.down();
        let answer = until_not(&stage, MANIFEST, "HIT");
        ensure!(answer.status == 200 && answer.cache() == "STALE" && answer.body == first.body, "{answer:?}");
        let cold = stage.get(SIGNATURE).send();
        ensure!(cold.status == 503 && cold.header("retry-after") == "10" && cold.error() == "upstream", "{cold:?}");
        let line = stage.line(SIGNATURE, 503);
        ensure!(line["refusal"] == "upstream" && line["tenant"] == "acme", "{line}");
        Ok(())
    }
}

check! {
    /// Other answers of a source are the gateway's business: nobody is asked for a password, led elsewhere or locked out by them.
    answers_of_the_source_reach_nobody(stage) with |plan| plan => {
        for status in [301, 302, 307, 400, 401, 403, 405, 429, 500, 501, 502, 503, 504] {
            stage.exports.misbehave(SIGNATURE, Misbehaviour::Status(status));
            let answer = stage.get(SIGNATURE).send();
            ensure!(answer.status == 503 && answer.error() == "upstream", "{status}: {answer:?}");
            let quiet = answer.header("www-authenticate").is_empty() && answer.header("location").is_empty();
            ensure!(quiet && answer.header("retry-after") == "10", "{status}: {answer:?}");
        }
        stage.exports.misbehave(SIGNATURE, Misbehaviour::Status(404));
        let answer = stage.get(SIGNATURE).send();
        ensure!(answer.status == 404 && answer.error() == "absent", "{answer:?}");
        stage.exports.heal();
        ensure!(stage.get(SIGNATURE).send().status == 200, "nothing of that is kept");
        Ok(())
    }
}

check! {
    /// Ranges are cut from the whole object, which is fetched once; ETags are the source's.
    ranges_come_from_the_whole_object(stage) with |plan| plan => {
        stage.exports.publish(|recipe| recipe.domain("primary").bundle_size = Some(300_000));
        let part = |range: &str| stage.get(BUNDLE).header(&format!("Range: bytes={range}")).send();
        let first = part("100000-100009");
        ensure!(first.status == 206 && first.header("content-range") == "bytes 100000-100009/300000", "{first:?}");
        let whole = stage.get(BUNDLE).send();
        ensure!(whole.cache() == "HIT" && whole.body.len() == 300_000, "{} {}", whole.cache(), whole.body.len());
        ensure!(first.body == whole.body[100_000..100_010], "other bytes");
        let last = part("-5");
        ensure!(last.status == 206 && last.body == whole.body[299_995..], "{last:?}");
        ensure!(part("300000-").status == 416, "beyond the end");
        let asked = stage.exports.asked();
        ensure!(asked.len() == 1 && asked[0].header("range").is_none(), "{asked:?}");

        let etag = whole.header("etag").to_owned();
        let same = stage.get(BUNDLE).header(&format!("If-None-Match: {etag}")).send();
        ensure!(same.status == 304 && same.body.is_empty() && same.header("etag") == etag, "{same:?}");
        let resumed = stage.get(BUNDLE).header("Range: bytes=10-19").header(&format!("If-Range: {etag}")).send();
        ensure!(resumed.status == 206 && resumed.body == whole.body[10..20], "{resumed:?}");
        let changed = stage.get(BUNDLE).header("Range: bytes=10-19").header("If-Range: \"other\"").send();
        ensure!(changed.status == 200, "{changed:?}");
        Ok(())
    }
}

check! {
    /// A source that does not say how long its answer is: it is kept all the same. nginx cuts no ranges from what has no length, and
    /// who asks for one gets the whole, as HTTP allows.
    an_answer_in_chunks_is_kept(stage) with |plan| plan => {
        stage.exports.misbehave(BUNDLE, Misbehaviour::Chunked);
        let first = stage.get(BUNDLE).send();
        ensure!(first.status == 200 && first.exit == 0, "{first:?}");
        let second = stage.get(BUNDLE).header("Range: bytes=3-7").send();
        ensure!(second.status == 200 && second.cache() == "HIT" && second.body == first.body, "{second:?}");
        Ok(())
    }
}

check! {
    /// A source that dies in the middle: the transfer is broken for everybody who gets it, and nothing of it is kept.
    a_cut_body_is_never_whole(stage) with |plan| plan => {
        stage.exports.publish(|recipe| recipe.domain("primary").bundle_size = Some(2 << 20));
        for how in [Misbehaviour::Cut(1_000_000), Misbehaviour::ChunkedCut(1_000_000), Misbehaviour::Cut(100)] {
            stage.exports.misbehave(BUNDLE, how.clone());
            for answer in [stage.get(BUNDLE).send(), stage.get(BUNDLE).send()] {
                ensure!(answer.exit != 0, "{how:?}: `curl` took {} bytes for all", answer.body.len());
                ensure!(answer.cache() == "MISS", "{how:?}: {}", answer.cache());
            }
        }
        stage.exports.heal();
        let whole = stage.get(BUNDLE).send();
        ensure!(whole.exit == 0 && whole.cache() == "MISS" && whole.body.len() == 2 << 20, "{} {}", whole.exit, whole.body.len());
        Ok(())
    }
}

check! {
    /// ... and a part of what died is broken too, also for those who waited for it.
    who_waited_for_a_cut_body_gets_none(stage) with |plan| plan => {
        stage.exports.publish(|recipe| recipe.domain("primary").bundle_size = Some(2 << 20));
        stage.exports.misbehave(BUNDLE, Misbehaviour::Cut(1_500_000));
        let clients: Vec<_> = (0..8).map(|_| stage.get(BUNDLE).command().stdout(Stdio::piped()).spawn().unwrap()).collect();
        let outputs: Vec<_> = clients.into_iter().map(|client| std::thread::spawn(move || client.wait_with_output().unwrap())).collect();
        for output in outputs {
            let output = output.join().unwrap();
            ensure!(!output.status.success(), "a cut body was taken for all: {} bytes", output.stdout.len());
        }
        Ok(())
    }
}

/// Asks until the answer comes from elsewhere.
fn until_not(stage: &Stage, path: &str, state: &str) -> Answer {
    let mut answer = stage.get(path).send();
    super::wait_until("something is over", || {
        if answer.cache() == state {
            answer = stage.get(path).send();
        }
        answer.cache() != state
    });
    answer
}
