use jiff::civil::date;
use proptest::prelude::*;

use super::*;

fn line(text: &str) -> Result<Line<'_>, String> {
    Line::parse(text.as_bytes()).map_err(|error| error.to_string())
}

fn written(time: &str, tenant: &str, address: &str, path: &str, cache: &str, refusal: &str) -> String {
    format!(
        r#"{{"time":"{time}","domain":"primary","tenant":"{tenant}","address":"{address}","method":"GET","path":"{path}","status":200,"bytes":10,"seconds":0.001,"upstream_seconds":"-","cache":"{cache}","refusal":"{refusal}","agent":"x"}}"#
    )
}

const BUNDLE: &str = "/concelier/exports/mirror/primary/bundle.json";

fn usage<S: AsRef<str>>(lines: impl IntoIterator<Item = S>) -> Usage {
    let mut usage = Usage::default();
    for text in lines {
        match Line::parse(text.as_ref().as_bytes()) {
            Ok(line) => usage.add(&line).unwrap(),
            Err(_) => usage.add_damaged(),
        }
    }
    usage
}

#[test]
fn hours_and_days_are_utc() {
    for (time, day, hour) in [
        ("2026-01-31T23:59:59+00:00", date(2026, 1, 31), 23),
        ("2026-01-31T23:59:59Z", date(2026, 1, 31), 23),
        ("2026-02-01T00:30:00+02:00", date(2026, 1, 31), 22),
        ("2026-01-31T20:00:00-05:00", date(2026, 2, 1), 1),
    ] {
        let text = written(time, "acme", "::1", BUNDLE, "HIT", "");
        let line = line(&text).unwrap();
        assert_eq!((line.day, line.hour), (day, hour), "{time}");
    }
}

#[test]
fn what_cannot_be_read_is_said_without_what_it_holds() {
    for (text, reason) in [
        ("hunter2", "it is no JSON object (column 1)"),
        ("", "it is no JSON object (column 1)"),
        ("[1]", "it is no JSON object (column 1)"),
        ("{\"time\":\"x\"", "it is no JSON object (column 11)"),
        (r#"{"time":"2026-01-31T00:00:00Z"}"#, "it has no `domain`"),
        (
            r#"{"time":"yesterday","domain":"a","tenant":"b","address":"c","path":"/","bytes":1}"#,
            "`time` is not a moment such as 2026-01-31T12:00:00+00:00",
        ),
        (
            r#"{"time":"2026-01-31T00:00:00Z","domain":"a","tenant":"b","address":"c","path":"/","bytes":"hunter2"}"#,
            "a field has another type than the gateway writes (column 99)",
        ),
    ] {
        assert_eq!(line(text).unwrap_err(), reason, "{text}");
    }
    assert_eq!(line(&" ".repeat(MOST_LINE_BYTES + 1)).unwrap_err(), "it has more than 64 KiB");
}

/// What is kept of a line is bounded, and how much is kept of all.
#[test]
fn words_and_rows_have_a_limit() {
    let of = |tenant: &str, address: &str| written("2026-01-31T00:00:00Z", tenant, address, BUNDLE, "HIT", "");
    let long = "x".repeat(257);
    assert!(line(&of(&long[1..], &long[1..])).is_ok());
    assert_eq!(line(&of(&long, "::1")).unwrap_err(), "`tenant` has more than 256 bytes");
    assert_eq!(line(&of("acme", &long)).unwrap_err(), "`address` has more than 256 bytes");
    let domain = of("acme", "::1").replace("\"primary\"", &format!("\"{long}\""));
    assert_eq!(line(&domain).unwrap_err(), "`domain` has more than 256 bytes");

    let (mut usage, text) = (Usage::default(), of("acme", "::1"));
    let line = line(&text).unwrap();
    let mut add = |tenant: usize| usage.add(&Line { tenant: tenant.to_string().into(), ..line.clone() });
    assert!((0..100_000).all(|tenant| add(tenant).is_ok()));
    assert_eq!(add(100_000).unwrap_err().to_string(), "it has more than 100000 pairs of a tenant and a day");
    assert!(add(7).is_ok(), "a pair that is there is counted on");
}

/// A flood of wrong credentials from everywhere.
#[test]
fn addresses_are_kept_up_to_a_limit() {
    let mut wrong = Addresses::default();
    for address in 0..65_537 {
        wrong.add(date(2026, 1, 31), &address.to_string());
    }
    assert_eq!((wrong.attempts(), wrong.sorted().len(), wrong.is_sample()), (65_537, 65_536, true));
}

#[test]
fn paths_have_their_budget() {
    for (path, kind) in [
        ("/concelier/exports/index.json", Kind::Index),
        ("/excititor/mirror/domains", Kind::Index),
        ("/excititor/mirror/domains/primary", Kind::Index),
        ("/excititor/mirror/domains/primary/", Kind::Index),
        ("/excititor/mirror/domains/primary/index", Kind::Index),
        ("/excititor/mirror/domains/primary/exports/a", Kind::Download),
        ("/excititor/mirror/domains/primary/other", Kind::Other),
        (BUNDLE, Kind::Download),
        ("/concelier/exports/mirror/primary/manifest.json", Kind::Download),
        ("/", Kind::Other),
        ("/concelier/exports/other", Kind::Other),
    ] {
        assert_eq!(Kind::of(path), kind, "{path}");
    }
}

#[test]
fn requests_are_counted_by_tenant_day_and_hour() {
    let usage = usage([
        written("2026-01-31T10:00:00Z", "acme", "::1", BUNDLE, "MISS", ""),
        written("2026-01-31T10:59:59Z", "acme", "::1", BUNDLE, "HIT", ""),
        written("2026-01-31T11:00:00Z", "acme", "::1", BUNDLE, "STALE", ""),
        written("2026-01-31T11:00:00Z", "acme", "::1", "/concelier/exports/index.json", "", ""),
        written("2026-01-31T12:00:00Z", "acme", "::1", BUNDLE, "", "tenant-limit"),
        written("2026-01-31T12:00:00Z", "", "::1", BUNDLE, "", "credentials"),
        written("2026-01-31T12:00:01Z", "", "::1", BUNDLE, "", "credentials"),
        written("2026-01-31T12:00:01Z", "", "::2", BUNDLE, "", "of the future"),
        "half a li".to_owned(),
    ]);
    assert_eq!((usage.lines(), usage.damaged()), (8, 1));
    let rows: Vec<_> = usage.rows().collect();
    let (nobody, acme) = (rows[0].1, rows[1].1);
    assert_eq!((rows[0].0.tenant.as_str(), rows[1].0.tenant.as_str()), ("", "acme"));
    assert_eq!((acme.requests, acme.bytes, acme.hits, acme.cacheable, acme.refusals()), (5, 50, 2, 3, 1));
    assert_eq!(acme.busiest(Kind::Download), Some((10, 2)));
    assert_eq!(acme.busiest(Kind::Index), Some((11, 1)));
    assert_eq!(nobody.refused, [2, 0, 0, 0, 0, 0, 0, 0, 1]);
    assert_eq!(nobody.busiest(Kind::Download), None);
    assert_eq!(usage.wrong_credentials().sorted(), [(date(2026, 1, 31), "::1", 2)]);
}

#[test]
fn an_overrun_is_more_than_the_budget_in_one_hour() {
    let lines = |count: usize| {
        (0..count).map(|at| written(&format!("2026-01-31T10:{at:02}:00Z"), "acme", "::1", BUNDLE, "HIT", ""))
    };
    let budgets = Budgets { index: Some(1), downloads: BTreeMap::from([("primary".to_owned(), 3)]) };
    assert_eq!(usage(lines(3)).overruns(&budgets), []);
    let over = usage(lines(4));
    let overruns = over.overruns(&budgets);
    assert_eq!(overruns.len(), 1);
    assert_eq!(
        (overruns[0].kind, overruns[0].hour, overruns[0].requests, overruns[0].budget),
        (Kind::Download, 10, 4, 3)
    );
    assert_eq!(over.overruns(&Budgets::default()), []);
}

#[test]
fn a_sample_of_addresses_has_exact_counts_in_any_order() {
    let day = date(2026, 1, 31);
    // Each address as often as its number says.
    let mut all: Vec<String> =
        (1..=60_u64).flat_map(|n| vec![format!("10.0.0.{n}"); usize::try_from(n).unwrap()]).collect();
    let mut expected = None;
    for _ in 0..20 {
        let mut addresses = Addresses::holding(16);
        all.iter().for_each(|address| addresses.add(day, address));
        assert!(addresses.is_sample());
        assert_eq!(addresses.attempts(), 60 * 61 / 2);
        let kept =
            addresses.sorted().iter().map(|(_, address, count)| ((*address).to_owned(), *count)).collect::<Vec<_>>();
        assert_eq!(kept.len(), 16);
        for (address, count) in &kept {
            assert_eq!(address.rsplit('.').next().unwrap(), count.to_string());
        }
        assert_eq!(*expected.get_or_insert_with(|| kept.clone()), kept);
        all.rotate_left(137);
        all.reverse();
    }
}

fn any_line() -> impl Strategy<Value = String> {
    let tenants = prop::sample::select(vec!["acme", "b", ""]);
    let paths = prop::sample::select(vec![BUNDLE, "/concelier/exports/index.json", "/"]);
    let caches = prop::sample::select(vec!["HIT", "MISS", ""]);
    let refusals = prop::sample::select(vec!["", "credentials", "tenant-limit"]);
    let good = (0..3_u32, 0..24_u32, tenants, 0..9_u8, paths, caches, refusals).prop_map(
        |(day, hour, tenant, address, path, cache, refusal)| {
            let time = format!("2026-02-{:02}T{hour:02}:00:00+00:00", day + 1);
            written(&time, tenant, &format!("192.0.2.{address}"), path, cache, refusal)
        },
    );
    prop_oneof![9 => good, 1 => Just("{\"time\": \"cut".to_owned())]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(64) })]

    #[test]
    fn order_does_not_matter((lines, shuffled) in prop::collection::vec(any_line(), 0..200)
        .prop_flat_map(|lines| (Just(lines.clone()), Just(lines).prop_shuffle())))
    {
        prop_assert_eq!(usage(lines), usage(shuffled));
    }
}

#[test]
fn budgets_are_those_of_the_gateway() {
    let (text, file) = (include_str!("../../../../deploy/mirror.yaml"), source::FileId(0));
    let mirror = crate::Mirror::parse(text, file).unwrap();
    let files = crate::rendered(&mirror, "mirror.yaml");
    let mut kinds = [0, 0];
    for text in files.iter().flat_map(|folder| &folder.files).map(|file| file.text.as_str()) {
        for location in text.split("    location ").skip(1) {
            let path = location.split(" {").next().unwrap().trim_start_matches(['=', '~', ' ', '^']);
            let path = path.replace(&format!("{}$", crate::gateway::EXPORT_KEY), "a");
            let zone = location
                .split_once("limit_req zone=addresses")
                .and_then(|(_, rest)| rest.split_once("limit_req zone="));
            let expected = match zone.map(|(_, zone)| zone) {
                Some(zone) if zone.starts_with("index_") => Kind::Index,
                Some(zone) if zone.starts_with("downloads_") => Kind::Download,
                _ => continue,
            };
            kinds[expected as usize] += 1;
            assert_eq!(Kind::of(&path), expected, "{path}");
        }
    }
    assert!(kinds.iter().all(|count| *count >= 4), "{kinds:?}");
}
