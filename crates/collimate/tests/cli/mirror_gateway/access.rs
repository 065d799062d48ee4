//! Who gets in, and how often.

use super::request::{Answer, Request, statuses};
use super::stage::{ACME, BETA, BUNDLE, COMMUNITY, DELTA, INDEX, MANIFEST, PRIMARY, VEX_DOMAINS};
use super::{check, ensure};

check! {
    /// Basic Auth per domain.
    credentials_are_asked_for(stage) with |plan| plan => {
        for request in [stage.anonymous(MANIFEST), stage.anonymous(MANIFEST).user("acme:wrong"), stage.anonymous(INDEX).user("nobody:x")] {
            let answer = request.send();
            ensure!(answer.status == 401, "{answer:?}");
            let challenge = answer.header("www-authenticate");
            ensure!(challenge == "Basic realm=\"Primary mirror\", charset=\"UTF-8\"", "{challenge}");
            ensure!(answer.error() == "credentials" && answer.header("cache-control") == "no-store", "{answer:?}");
        }
        let answer = stage.get(MANIFEST).send();
        ensure!(answer.status == 200 && answer.body.starts_with(b"{"), "{answer:?}");
        let paths = stage.exports.asked();
        ensure!(paths.len() == 1, "refused requests reached the source: {paths:?}");
        Ok(())
    }
}

check! {
    /// Tenants of one domain cannot read another, by its name or by its paths; what is in the cache already makes no difference.
    domains_are_apart(stage) with |plan| plan => {
        let other = MANIFEST.replace("primary", "community");
        let delta = |path: &str| stage.anonymous(path).host(COMMUNITY).user(DELTA).send();
        ensure!(delta(&other).status == 200, "a tenant reads its own domain");
        ensure!(stage.get(MANIFEST).send().status == 200, "a tenant reads its own domain");
        for path in [INDEX, &other] {
            let answer = stage.get(path).host(COMMUNITY).send();
            ensure!(answer.status == 401, "a tenant of `primary` at the other host: {answer:?}");
        }
        for path in [other.as_str(), "/excititor/mirror/domains/community", "/excititor/mirror/domains/community/index"] {
            let answer = stage.get(path).send();
            ensure!(answer.status == 404 && answer.error() == "path", "the other domain's path at the own host: {answer:?}");
        }
        ensure!(delta(MANIFEST).status == 404, "the other domain's path at the own host");
        for path in [INDEX, VEX_DOMAINS] {
            ensure!(stage.get(path).send().status == 200 && delta(path).status == 200, "both read `{path}`");
        }
        let asked = stage.door().asked();
        let domains: Vec<&str> = asked.iter().filter_map(|headers| headers.get("x-mirror-domain")).map(String::as_str).collect();
        ensure!(domains.contains(&"primary") && domains.contains(&"community"), "{domains:?}");
        Ok(())
    }
}

check! {
    /// Rate limits per address before authentication; another address is not concerned.
    an_address_is_limited_before_it_is_asked_who_it_is(stage)
        with |plan| plan.set("requests_per_minute: 600, burst: 100", "requests_per_minute: 6, burst: 5") =>
    {
        let all = stage.anonymous(MANIFEST).user("acme:guess").repeat(30);
        let (asked, refused) = (count(&all, 401), count(&all, 429));
        ensure!(asked + refused == 30 && refused >= 15 && asked >= 6, "{all:?}");
        ensure!(stage.door().asked().len() == asked, "refused requests reached the verifier");
        let answer = limited(&stage.anonymous(MANIFEST));
        ensure!(answer.status == 429 && answer.header("retry-after") == "10" && answer.error() == "limit", "{answer:?}");
        ensure!(stage.get(MANIFEST).from("127.0.0.2").send().status == 200, "another address is let in");
        Ok(())
    }
}

check! {
    /// ... and how many requests of it are answered at the same time.
    an_address_has_so_many_requests_at_once(stage) with |plan| plan.set("connections: 64", "connections: 3") => {
        let path = BUNDLE;
        stage.exports.misbehave(path, testkit::Misbehaviour::Hold);
        let mut waiting: Vec<_> = (0..3).map(|_| {
            let mut command = stage.get(path).command();
            command.stdout(std::process::Stdio::null()).spawn().unwrap()
        }).collect();
        // Each is counted when its header was read; the verifier is asked right after that.
        super::wait_until("three requests are under way", || stage.door().asked().len() >= 3);
        let answer = stage.get(MANIFEST).send();
        stage.exports.release();
        for child in &mut waiting {
            let _ = child.wait();
        }
        ensure!(answer.status == 429 && answer.header("retry-after") == "1", "{answer:?}");
        let line = stage.log().into_iter().find(|line| line["status"] == 429).unwrap_or_default();
        ensure!(line["refusal"] == "address-limit", "{line}");
        super::wait_until("there is room again", || stage.get(MANIFEST).send().status == 200);
        Ok(())
    }
}

check! {
    /// ... and per tenant: the rate and the burst of `mirror.yaml`, and another tenant has its own.
    a_tenant_has_a_budget(stage) with |plan| plan => {
        let all = stage.get(MANIFEST).repeat(50);
        let (fine, refused) = (count(&all, 200), count(&all, 429));
        // 20 at once and one of the rate; 10 a minute come back.
        ensure!(fine + refused == 50 && (21..=35).contains(&fine), "{all:?}");
        let answer = limited(&stage.get(MANIFEST));
        ensure!(answer.status == 429 && answer.header("retry-after") == "6" && answer.error() == "limit", "{answer:?}");
        ensure!(stage.get(INDEX).send().status == 200, "the index has a budget of its own");
        ensure!(stage.anonymous(MANIFEST).user(BETA).send().status == 200, "another tenant has its own");
        let refusals = stage.log().into_iter().filter(|line| line["refusal"] == "tenant-limit").count();
        ensure!(refusals >= refused, "the log has {refusals} of {refused}");
        Ok(())
    }
}

check! {
    /// A tenant comes from many addresses, and has one budget.
    a_budget_is_the_tenants_not_the_addresses(stage) with |plan| plan => {
        let all: Vec<_> = (1..=40).map(|number| stage.get(MANIFEST).from(&format!("127.0.0.{number}"))).collect();
        let fine = count(&statuses(&all), 200);
        ensure!((21..=35).contains(&fine), "{fine} of 40");
        Ok(())
    }
}

check! {
    /// Three wrong passwords for a tenant do not lock its right one out, and three hundred do not either.
    wrong_passwords_lock_nobody_out(stage) with |plan| plan.set("tenants: {burst: 20}", "tenants: {burst: 2}") => {
        ensure!(stage.anonymous(MANIFEST).user("acme:wrong").repeat(3) == [401, 401, 401], "three wrong ones");
        ensure!(stage.get(MANIFEST).send().status == 200, "the right one after three wrong ones of the same address");
        let wrong: Vec<_> = (0..300).map(|number| stage.anonymous(MANIFEST).user(&format!("acme:guess-{number}")).from("127.0.0.9")).collect();
        let all = statuses(&wrong);
        ensure!(count(&all, 401) + count(&all, 429) == 300 && count(&all, 429) > 100, "{all:?}");
        ensure!(stage.get(MANIFEST).send().status == 200, "the right one after 300 wrong ones of another address");
        Ok(())
    }
}

check! {
    /// The same wrong password again and again is limited as a tenant of its own; the right one is not.
    a_wrong_password_has_a_budget_of_its_own(stage) with |plan| plan.set("tenants: {burst: 20}", "tenants: {burst: 2}") => {
        let all = stage.anonymous(MANIFEST).user("acme:wrong").repeat(10);
        ensure!(count(&all, 401) <= 7 && count(&all, 429) >= 3, "{all:?}");
        ensure!(stage.get(MANIFEST).send().status == 200, "the right one");
        Ok(())
    }
}

check! {
    /// However a header is spelled, it is one budget, or it is no credential.
    spellings_do_not_multiply_a_budget(stage) with |plan| plan.set("tenants: {burst: 20}", "tenants: {burst: 5}") => {
        // `acme:correct-horse-acme`, whose base64 ends in `=`: bits of the last letter mean nothing.
        let right = "YWNtZTpjb3JyZWN0LWhvcnNlLWFjbWU=";
        let spelled = ["Basic ", "basic ", "BASIC ", "bAsIc ", "Basic  ", "Basic    "].map(|scheme| format!("Authorization: {scheme}{right}"));
        // nginx itself takes blanks off the end.
        let spelled = [spelled.as_slice(), &[format!("Authorization: Basic {right}  ")]].concat();
        let header = |text: &str| stage.anonymous(MANIFEST).header(text);
        let good: Vec<_> = spelled.iter().cycle().take(30).map(|text| header(text)).collect();
        let all = statuses(&good);
        let fine = count(&all, 200);
        ensure!((6..=15).contains(&fine) && fine + count(&all, 429) == 30, "{all:?}");

        // Not spelled as it must be: the verifier, lenient as the one of this test is, is not given anything.
        let before = stage.door().asked().len();
        let superfluous = right.replace("U=", "V=");
        let others = [
            format!("Basic {superfluous}"),
            format!("Basic {}", right.trim_end_matches('=')),
            format!("Basic {right}="),
            format!("Basic\t{right}"),
            format!("Basic {right} {right}"),
            format!("Basic {right},"),
            format!("Bearer {right}"),
            format!("Basic{right}"),
            "Basic".to_owned(),
            "Basic %%%%".to_owned(),
        ];
        for other in &others {
            let answer = header(&format!("Authorization: {other}")).from("127.0.0.3").send();
            ensure!(answer.status == 401, "`{other}`: {answer:?}");
        }
        let asked = stage.door().asked();
        let given: Vec<_> = asked[before..].iter().filter(|headers| headers.get("authorization").is_some_and(|given| !given.is_empty())).collect();
        ensure!(given.is_empty(), "{given:?}");
        let known = asked[..before].iter().all(|headers| headers.get("authorization").is_some_and(|given| *given == format!("Basic {right}")));
        ensure!(known, "{asked:?}");
        Ok(())
    }
}

check! {
    /// A domain that asks nobody for a name has its budget for each address.
    an_open_domain_is_limited_by_address(stage)
        with |plan| plan.set("display_name: Community mirror\n    require_authentication: true", "display_name: Community mirror\n    require_authentication: false") =>
    {
        let path = MANIFEST.replace("primary", "community");
        let request = stage.anonymous(&path).host(COMMUNITY);
        let all = request.repeat(40);
        ensure!((21..=35).contains(&count(&all, 200)) && count(&all, 200) + count(&all, 429) == 40, "{all:?}");
        let answer = limited(&request);
        ensure!(answer.status == 429 && answer.header("retry-after") == "15", "{answer:?}");
        ensure!(request.clone().from("127.0.0.4").send().status == 200, "another address");
        ensure!(stage.door().asked().is_empty(), "the verifier was asked");
        ensure!(stage.anonymous(MANIFEST).host(PRIMARY).send().status == 401, "the other domain asks still");
        ensure!(stage.anonymous(MANIFEST).user(ACME).send().status == 200, "and lets its tenants in");
        Ok(())
    }
}

/// The first answer that says that there were too many; the last one if none does. A token may come back between two requests.
fn limited(request: &Request<'_>) -> Answer {
    let mut answer = request.send();
    for _ in 0..40 {
        if answer.status != 429 {
            answer = request.send();
        }
    }
    answer
}

/// How many have this status.
pub(super) fn count(all: &[u16], status: u16) -> usize {
    all.iter().filter(|known| **known == status).count()
}
