//! What rules look at, and what they show, has an end: up to it all is as usual, and behind it nobody hangs.

use crate::check_files;

const DIGEST: &str = "sha256:1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a";

/// The report on a workspace of one profile, `shop`, which is described so.
fn report(profile: &str, rest: &str, files: &[(&str, String)]) -> String {
    let release = format!(
        "schema: 1\nversion: 1.4.0\nchannel: stable\ndigests: resolved\ncomponents:\n  \
         web: {{image: registry.example.org/shop/web, tag: 1.4.0, digest: {DIGEST}}}\n"
    );
    let workspace = format!(
        "schema: 1\nchannels: {{stable: {{release: release.yaml}}}}\nprofiles: {{shop: {{channel: stable, {profile}}}}}\n{rest}"
    );
    let own = [("collimate.yaml", workspace), ("release.yaml", release)];
    let all = own.iter().chain(files).map(|(path, text)| ((*path).into(), text.clone().into_bytes()));
    check_files(all.collect(), "limits").1
}

fn image() -> String {
    format!("registry.example.org/shop/web:1.4.0@{DIGEST}")
}

/// The report on plain manifests, beside a pod that is as it should be.
fn of_manifests(rest: &str, manifests: &str) -> String {
    let pod = format!(
        "apiVersion: v1\nkind: Pod\nmetadata: {{name: web, labels: {{app: web}}}}\nspec: {{containers: [{{name: web, image: {}}}]}}\n",
        image()
    );
    report("manifests: [shop.yaml]", rest, &[("shop.yaml", format!("{pod}---\n{manifests}"))])
}

/// The report on a Compose file: a service that is as it should be, with more keys, and more behind it.
fn of_compose(keys: &str, rest: &str, files: &[(&str, String)]) -> String {
    let compose = format!("services:\n  web:\n    image: {}\n{keys}{rest}", image());
    report("compose: [compose.yaml]", "", &[&[("compose.yaml", compose)], files].concat())
}

fn nested(levels: usize, inner: &str) -> String {
    format!("{}{inner}{}", "{a: ".repeat(levels), "}".repeat(levels))
}

#[test]
fn lists_in_lists() {
    let other = "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {containers: [{name: c, image: other:1}]}}";
    let report = |levels: usize| {
        let list = "{apiVersion: v1, kind: List, items: [";
        of_manifests("", &format!("{}{other}{}\n", list.repeat(levels), "]}".repeat(levels)))
    };
    assert!(report(4).contains("error[image-unlisted]"), "{}", report(4));
    assert!(!report(5).contains("error[image-unlisted]"), "{}", report(5));
}

#[test]
fn images_of_custom_resources() {
    let report = |others: usize| {
        let list = format!("{}{{image: other:1}}", "1,".repeat(others));
        let resource =
            format!("apiVersion: example.org/v1\nkind: Gateway\nmetadata: {{name: g}}\nspec: {{of: [{list}]}}\n");
        of_manifests("images_at: [{kind: Gateway, path: spec.of.*.image}]\n", &resource)
    };
    assert!(report(90_000).contains("error[image-unlisted]"));
    assert!(!report(110_000).contains("error[image-unlisted]"));
}

#[test]
fn operators_of_custom_resources() {
    let report = |levels: usize| {
        let service =
            "apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {selector: {app: x}, ports: [{port: 80}]}\n";
        let spec = nested(levels, "{replicas: 3}");
        of_manifests(
            "",
            &format!("{service}---\napiVersion: example.org/v1\nkind: Set\nmetadata: {{name: s}}\nspec: {spec}\n"),
        )
    };
    assert!(report(7).contains("warning[selector-mismatch]"), "{}", report(7));
    assert!(report(8).contains("error[selector-mismatch]"), "{}", report(8));
}

#[test]
fn services_that_wait() {
    let waiting = |count: usize| -> String {
        let services = (0..count).map(|number| {
            format!("  w{number}:\n    image: {}\n    depends_on: {{web: {{condition: service_healthy}}}}\n", image())
        });
        services.collect()
    };
    let shown = |count| of_compose("", &waiting(count), &[]).matches("waits for it").count();
    assert_eq!([shown(3), shown(20)], [3, 3]);
}

#[test]
fn folders_with_passwords() {
    let weak = || "acme:$apr1$r31....$HqJZimcKQFAMYayBlzkrA/\n".to_owned();
    let found = |paths: &[String]| {
        let files: Vec<(&str, String)> = paths.iter().map(|path| (path.as_str(), weak())).collect();
        of_compose("    volumes: [\"./s:/s:ro\"]\n", "", &files).matches("is kept badly").count()
    };
    let deep = |levels: usize| [format!("s/{}mirror-a.htpasswd", "f/".repeat(levels))];
    assert_eq!([found(&deep(4)), found(&deep(5))], [1, 0]);
    // The mounted folder is the first.
    let wide =
        |folders: usize| (0..folders).map(|folder| format!("s/{folder:03}/mirror-a.htpasswd")).collect::<Vec<_>>();
    assert_eq!([found(&wide(199)), found(&wide(250))], [199, 199]);
    let many = |files: usize| (0..files).map(|file| format!("s/mirror-a{file:04}.htpasswd")).collect::<Vec<_>>();
    assert_eq!(found(&many(1_100)), 1_000);
}

#[test]
fn configurations_of_collectors() {
    let report = |configuration: String| {
        let service = "  otel:\n    image: otel/opentelemetry-collector\n    command: [--config=/c/c.yaml]\n    volumes: [\"./c:/c:ro\"]\n";
        of_compose("", service, &[("c/c.yaml", configuration)])
    };
    let deep = |levels: usize| report(format!("receivers: {}\n", nested(levels, "b")));
    let too_deep = "the configuration is nested too deeply";
    assert!(!deep(99).contains(too_deep), "{}", deep(99));
    assert!(deep(100).contains(too_deep), "{}", deep(100));
    // Two hundred times a thousand values, and a few more.
    let many = |lists: usize| {
        let thousand = format!("a: &a [{}]\n", "1,".repeat(998));
        report(format!("{thousand}b: [{}]\n", "*a,".repeat(lists)))
    };
    let too_many = "the configuration has too many values";
    assert!(!many(198).contains(too_many) && many(201).contains(too_many));
    // What is deep inside is judged as well as what is not.
    let insecure = |levels: usize| {
        let client = nested(levels, "{endpoint: \"tempo:4317\", tls: {insecure: true}}");
        report(format!("exporters: {{otlp: {client}}}\nservice: {{pipelines: {{traces: {{exporters: [otlp]}}}}}}\n"))
    };
    assert!(
        [0, 50].iter().all(|levels| insecure(*levels).contains("error[collector-tls-missing]")),
        "{}",
        insecure(50)
    );
}

#[test]
fn charts_in_charts() {
    let report = |levels: usize| {
        let chart = |name: &str| format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n");
        let mut files = vec![
            ("chart/Chart.yaml".to_owned(), chart("shop")),
            ("chart/values.yaml".to_owned(), String::new()),
            (
                "chart/templates/pod.yaml".to_owned(),
                format!(
                    "apiVersion: v1\nkind: Pod\nmetadata: {{name: web}}\nspec: {{containers: [{{name: web, image: {}}}]}}\n",
                    image()
                ),
            ),
        ];
        let mut folder = "chart".to_owned();
        for level in 1..=levels {
            folder = format!("{folder}/charts/c{level}");
            files.push((format!("{folder}/Chart.yaml"), chart(&format!("c{level}"))));
            files.push((format!("{folder}/values.yaml"), "a: 1\n---\nb: 2\n".to_owned()));
        }
        let files: Vec<(&str, String)> = files.iter().map(|(path, text)| (path.as_str(), text.clone())).collect();
        report("chart: chart", "", &files).matches("[yaml-misread]").count()
    };
    assert_eq!([report(1), report(4), report(5)], [1, 4, 4]);
}

#[test]
fn placeholders_in_manifests() {
    let shown = |count: usize| {
        let data: String = (0..count).map(|number| format!("  k{number}: change-me:x\n")).collect();
        of_manifests("", &format!("apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\ndata:\n{data}"))
            .matches("[placeholder-in-use]")
            .count()
    };
    assert_eq!([shown(50), shown(80)], [50, 50]);
    let deep = |levels: usize| {
        let spec = nested(levels, "change-me:x");
        of_manifests("", &format!("apiVersion: example.org/v1\nkind: Set\nmetadata: {{name: s}}\nspec: {spec}\n"))
            .contains("[placeholder-in-use]")
    };
    assert_eq!([deep(900), deep(1_000)], [true, false]);
}

#[test]
fn items_that_look_like_more_than_one() {
    let report = |levels: usize| {
        let keys: String = (0..levels).map(|level| format!("{}a:\n", " ".repeat(level + 2))).collect();
        let indent = " ".repeat(levels + 2);
        of_compose("", &format!("x-deep:\n{keys}{indent}- one\n{indent}  - two\n"), &[])
    };
    // `x-deep` and the list are two levels more.
    let reports = || [97, 98, 99].map(|levels| report(levels).contains("[yaml-misread]"));
    assert_eq!(reports(), [true, true, false]);
}

#[test]
fn actions_that_carried_a_value() {
    let report = |includes: usize| {
        let define = |number: usize| {
            let inner =
                if number == 0 { "other:1".to_owned() } else { format!("{{{{ include \"i{}\" . }}}}", number - 1) };
            format!("{{{{- define \"i{number}\" -}}}}{inner}{{{{- end -}}}}\n")
        };
        let helpers: String = (0..includes).map(define).collect();
        let pod = format!(
            "apiVersion: v1\nkind: Pod\nmetadata: {{name: web}}\nspec: {{containers: [{{name: web, image: {}}}, \
             {{name: other, image: {{{{ include \"i{}\" . }}}}}}]}}\n",
            image(),
            includes - 1
        );
        let files = [
            ("chart/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.0.0\n".to_owned()),
            ("chart/values.yaml", String::new()),
            ("chart/templates/_helpers.tpl", helpers),
            ("chart/templates/pod.yaml", pod),
        ];
        report("chart: chart", "", &files)
    };
    let shown = |includes: usize| report(includes).matches("printed here").count();
    assert_eq!([shown(1), shown(2), shown(6)], [1, 2, 2]);
}

#[test]
fn versions_that_are_shown() {
    let report = |length: usize| {
        let document = format!("<!-- collimate:version stable -->{}<!-- /collimate -->\n", "7".repeat(length));
        let image = format!("services:\n  web:\n    image: {}\n", image());
        report("compose: [compose.yaml]", "docs: [a.md]\n", &[("compose.yaml", image), ("a.md", document)])
    };
    let is_shown = |length: usize| report(length).contains(&format!("is `1.4.0`, not `{}`", "7".repeat(length)));
    assert_eq!([is_shown(64), is_shown(65)], [true, false]);
    assert!(report(65).contains("is `1.4.0` and nothing else"), "{}", report(65));
}
