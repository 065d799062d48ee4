//! What the tree ships for the managed mirror, as Compose and the chart render it: names, settings, folders and doors.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use mirror::Mirror;
use serde_json::{Map, Value, json};
use source::FileId;
use testkit::Sandbox;
use yamlspan::{Dialect, Kind, NodeRef, Scalar};

use crate::tree::{Tree, repository};

/// The data that outlives containers and pods: requirements name them.
const DATA: [&str; 5] = [
    "concelier-mirror-exports",
    "concelier-mirror-jobs",
    "excititor-mirror-exports",
    "mirror-minio-data",
    "mirror-mongo-data",
];

fn settings() -> Mirror {
    let text = std::fs::read_to_string(repository().join("deploy/mirror.yaml")).unwrap();
    Mirror::parse(&text, FileId(0)).unwrap()
}

fn to_json(node: NodeRef<'_>) -> Value {
    let node = node.target();
    match node.kind() {
        Kind::Sequence => Value::Array(node.items().map(to_json).collect()),
        Kind::Mapping => {
            let entries = node.entries().map(|(key, value)| (key.raw().to_owned(), to_json(value)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
        _ => match node.value() {
            Scalar::Null => Value::Null,
            Scalar::Bool(value) => Value::Bool(value),
            Scalar::Int(value) => value.into(),
            Scalar::Float(value) => value.into(),
            _ => Value::String(node.raw().to_owned()),
        },
    }
}

/// The rendered Compose project.
fn compose() -> Value {
    let (code, stdout, stderr) = Tree::copy().run_text(&["render", "--reveal", "--format", "json", "compose/mirror"]);
    assert_eq!(code, 0, "{stderr}");
    serde_json::from_str(&stdout).unwrap()
}

/// The documents of the chart, with further values set.
fn chart(set: &[&str]) -> Vec<Value> {
    let mut arguments = vec!["render", "--reveal", "--chart", "deploy/helm/stellaops"];
    arguments.extend(["--values", "deploy/helm/stellaops/values-mirror.yaml"]);
    arguments.extend(["--release-name", "stellaops", "--namespace", "stellaops-mirror"]);
    for value in set {
        arguments.extend(["--set", value]);
    }
    let (code, stdout, stderr) = Tree::copy().run_text(&arguments);
    assert_eq!(code, 0, "{stderr}");
    let documents = yamlspan::parse(stdout.as_str(), FileId(0), Dialect::GoYamlV3).unwrap();
    documents.iter().map(|document| to_json(document.root())).filter(|document| !document.is_null()).collect()
}

fn of_kind<'d>(documents: &'d [Value], kind: &str) -> BTreeMap<&'d str, &'d Value> {
    let wanted = documents.iter().filter(|document| document["kind"] == kind);
    wanted.map(|document| (document["metadata"]["name"].as_str().unwrap(), document)).collect()
}

fn array(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The container of a pod.
fn container<'d>(workload: &'d Value, name: &str) -> &'d Value {
    let containers = array(&workload["spec"]["template"]["spec"]["containers"]);
    containers.iter().find(|container| container["name"] == name).unwrap()
}

/// What a container mounts: path → volume.
fn mounts(container: &Value) -> BTreeMap<&str, &str> {
    let mounts = array(&container["volumeMounts"]).iter();
    mounts.map(|mount| (mount["mountPath"].as_str().unwrap(), mount["name"].as_str().unwrap())).collect()
}

#[test]
fn the_five_data_sets_have_their_names_and_are_kept() {
    let documents = chart(&[]);
    let claims = of_kind(&documents, "PersistentVolumeClaim");
    assert_eq!(claims.keys().copied().collect::<Vec<_>>(), DATA);
    for (name, claim) in &claims {
        assert_eq!(claim["metadata"]["annotations"]["helm.sh/resource-policy"], "keep", "{name}");
    }
    let used = |pod: &Value| -> Vec<String> {
        let volumes = array(&pod["volumes"]).iter();
        volumes.filter_map(|volume| Some(volume["persistentVolumeClaim"]["claimName"].as_str()?.to_owned())).collect()
    };
    let workloads = documents.iter().filter(|document| !document["spec"]["template"].is_null());
    let mut mounted: Vec<String> = workloads.flat_map(|workload| used(&workload["spec"]["template"]["spec"])).collect();
    mounted.sort();
    assert_eq!(mounted, DATA, "each claim belongs to one pod");

    let project = compose();
    for name in DATA {
        assert!(project["volumes"].get(name).is_some(), "`{name}` is no volume of the Compose file");
        let users = project["services"].as_object().unwrap().values();
        let users = users.filter(|service| array(&service["volumes"]).iter().any(|volume| volume["source"] == name));
        assert_eq!(users.count(), 1, "`{name}`");
    }
}

#[test]
fn both_deployments_give_the_documented_settings() {
    let mirror = settings();
    let mut expected = BTreeMap::from([
        ("ENABLED".to_owned(), "true".to_owned()),
        ("EXPORTROOT".to_owned(), "/var/lib/stellaops/concelier/exports".to_owned()),
        ("REQUIREAUTHENTICATION".to_owned(), "true".to_owned()),
        ("MAXINDEXREQUESTSPERHOUR".to_owned(), mirror.index_requests_per_hour.value.to_string()),
    ]);
    for (number, domain) in mirror.domains.iter().enumerate() {
        let mut set = |name: &str, value: String| expected.insert(format!("DOMAINS__{number}__{name}"), value);
        set("ID", domain.id.value.clone());
        set("DISPLAYNAME", domain.display_name.value.clone());
        set("REQUIREAUTHENTICATION", domain.require_authentication.value.to_string());
        set("MAXDOWNLOADREQUESTSPERHOUR", domain.downloads_per_hour.value.to_string());
    }
    let of_mirror = |all: &Value| -> BTreeMap<String, String> {
        let settings = all.as_object().unwrap().iter();
        let settings = settings.filter_map(|(name, value)| Some((name.strip_prefix("CONCELIER__MIRROR__")?, value)));
        settings.map(|(name, value)| (name.to_owned(), value.as_str().unwrap().to_owned())).collect()
    };
    assert_eq!(of_mirror(&compose()["services"]["concelier"]["environment"]), expected);
    let documents = chart(&[]);
    assert_eq!(of_mirror(&of_kind(&documents, "ConfigMap")["stellaops-concelier"]["data"]), expected);
}

#[test]
fn the_exports_of_both_services_lie_where_they_are_told() {
    let (project, documents) = (compose(), chart(&[]));
    for (service, prefix) in [("concelier", "CONCELIER"), ("excititor", "EXCITITOR")] {
        let setting = format!("{prefix}__MIRROR__EXPORTROOT");
        let here = &project["services"][service];
        let root = here["environment"][&setting].as_str().unwrap();
        let mount = array(&here["volumes"]).iter().find(|volume| volume["target"] == root).unwrap();
        assert_eq!(mount["source"], format!("{service}-mirror-exports"));
        let there = &of_kind(&documents, "ConfigMap")[format!("stellaops-{service}").as_str()]["data"][&setting];
        assert_eq!(there, root);
        let deployment = of_kind(&documents, "Deployment")[format!("stellaops-{service}").as_str()];
        assert_eq!(mounts(container(deployment, service)).get(root), Some(&"exports"));
    }
}

#[test]
fn the_chart_knows_the_domains_of_the_settings() {
    let documents = chart(&["mirror.ingress.enabled=true", "mirror.ingress.annotations.passthrough=on"]);
    let hosts: BTreeSet<String> = settings().domains.iter().map(|domain| domain.host.value.clone()).collect();
    let ingress = of_kind(&documents, "Ingress")["stellaops-mirror-gateway"];
    let ruled: BTreeSet<String> =
        array(&ingress["spec"]["rules"]).iter().map(|rule| rule["host"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ruled, hosts);
    // TLS ends at the gateway: the Ingress names hosts and no Secret.
    assert_eq!(ingress["spec"]["tls"], json!([{"hosts": ruled.iter().collect::<Vec<_>>()}]));
    let gateway = of_kind(&documents, "Deployment")["stellaops-mirror-gateway"];
    let volumes = array(&gateway["spec"]["template"]["spec"]["volumes"]);
    let tls = volumes.iter().find(|volume| volume["name"] == "tls").unwrap();
    let mut files: Vec<String> = Vec::new();
    for source in array(&tls["projected"]["sources"]) {
        files.extend(array(&source["secret"]["items"]).iter().map(|item| item["path"].as_str().unwrap().to_owned()));
    }
    files.sort();
    let mut expected: Vec<String> = settings()
        .domains
        .iter()
        .flat_map(|domain| ["crt", "key"].map(|end| format!("mirror-{}.{end}", domain.id.value)))
        .collect();
    expected.sort();
    assert_eq!(files, expected);
}

#[test]
fn a_gateway_of_one_has_no_disruption_budget_and_several_have() {
    assert!(of_kind(&chart(&[]), "PodDisruptionBudget").is_empty());
    let documents = chart(&["mirror.replicas=2"]);
    let budgets = of_kind(&documents, "PodDisruptionBudget");
    assert_eq!(budgets.keys().copied().collect::<Vec<_>>(), ["stellaops-mirror-gateway"]);
}

#[test]
fn behind_an_ingress_only_the_controller_gets_in() {
    let rules = |set: &[&str]| {
        let documents = chart(set);
        of_kind(&documents, "NetworkPolicy")["stellaops-mirror-gateway"]["spec"]["ingress"].clone()
    };
    assert_eq!(rules(&[]), json!([{"ports": [{"port": "https", "protocol": "TCP"}]}]));
    let behind = rules(&["mirror.service.type=ClusterIP"]);
    let namespace = &behind[0]["from"][0]["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"];
    assert_eq!(namespace, "ingress-nginx");
    assert_eq!(behind[0]["ports"], json!([{"port": "https", "protocol": "TCP"}]));
}

/// The verifier is told on its command line what the gateway reads from its files.
#[test]
fn the_verifier_knows_domains_and_lifetime_of_the_settings() {
    let mirror = settings();
    let mut expected: Vec<String> =
        mirror.domains.iter().map(|domain| format!("--domain={}", domain.id.value)).collect();
    expected.push(format!("--remember={}", mirror.lifetimes.verified.value));
    expected.sort();
    let said = |arguments: &Value| -> Vec<String> {
        let arguments = array(arguments).iter().filter_map(Value::as_str);
        let wanted =
            arguments.filter(|argument| argument.starts_with("--domain=") || argument.starts_with("--remember="));
        let mut said: Vec<String> = wanted.map(str::to_owned).collect();
        said.sort();
        said
    };
    assert_eq!(said(&compose()["services"]["verifier"]["command"]), expected);
    let documents = chart(&[]);
    let gateway = of_kind(&documents, "Deployment")["stellaops-mirror-gateway"];
    assert_eq!(said(&container(gateway, "verifier")["args"]), expected);
}

/// Folders are replaced as a whole when a Secret changes; a file that is mounted alone is not.
#[test]
fn the_gateway_mounts_folders() {
    let project = compose();
    for service in ["gateway", "verifier", "concelier"] {
        for volume in array(&project["services"][service]["volumes"]) {
            if volume["type"] == "bind" {
                let source = camino::Utf8Path::new(volume["source"].as_str().unwrap());
                assert!(source.file_name().is_some_and(|name| !name.contains('.')), "{source}");
                assert_eq!(volume["read_only"], true, "{source}");
            }
        }
    }
    let documents = chart(&[]);
    let gateway = of_kind(&documents, "Deployment")["stellaops-mirror-gateway"];
    for name in ["gateway", "verifier"] {
        for mount in array(&container(gateway, name)["volumeMounts"]) {
            assert!(mount.get("subPath").is_none(), "{mount}");
        }
    }
}

#[test]
fn only_the_verifier_sees_passwords_and_only_the_gateway_keys() {
    const KEYS: &str = "/etc/mirror-gateway/tls";
    const PASSWORDS: &str = "/etc/mirror-gateway/secrets";
    let project = compose();
    let with = |target: &str| -> Vec<String> {
        let services = project["services"].as_object().unwrap().iter();
        let services =
            services.filter(|(_, service)| array(&service["volumes"]).iter().any(|volume| volume["target"] == target));
        services.map(|(name, _)| name.clone()).collect()
    };
    assert_eq!(with(KEYS), ["gateway"]);
    assert_eq!(with(PASSWORDS), ["verifier"]);
    assert_eq!(with("/run/secrets"), ["concelier"]);
    let documents = chart(&[]);
    let gateway = of_kind(&documents, "Deployment")["stellaops-mirror-gateway"];
    let (nginx, verifier) = (mounts(container(gateway, "gateway")), mounts(container(gateway, "verifier")));
    assert!(nginx.contains_key(KEYS) && !nginx.contains_key(PASSWORDS), "{nginx:?}");
    assert!(verifier.contains_key(PASSWORDS) && !verifier.contains_key(KEYS), "{verifier:?}");
    // And no Secret is rendered, where it would end up in the release history.
    assert!(of_kind(&documents, "Secret").is_empty());
}

#[test]
fn nothing_but_the_gateway_can_be_reached() {
    let project = compose();
    let services = project["services"].as_object().unwrap();
    let published: Vec<&String> =
        services.iter().filter(|(_, service)| service.get("ports").is_some()).map(|(name, _)| name).collect();
    assert_eq!(published, ["gateway"]);
    assert_eq!(array(&services["gateway"]["ports"]).len(), 1);
    for network in ["data", "exports"] {
        assert_eq!(project["networks"][network]["internal"], true, "{network}");
    }
    let networks = |name: &str| -> Vec<String> {
        services[name]["networks"].as_object().map(|networks| networks.keys().cloned().collect()).unwrap_or_default()
    };
    assert_eq!(networks("gateway"), ["exports", "frontend"]);
    assert_eq!(services["verifier"]["network_mode"], "none");
    for store in ["mongo", "minio"] {
        assert_eq!(networks(store), ["data"], "{store}");
    }
    let documents = chart(&[]);
    for (name, service) in of_kind(&documents, "Service") {
        let expected = if name == "stellaops-mirror-gateway" { "LoadBalancer" } else { "ClusterIP" };
        let kind = service["spec"]["type"].as_str().unwrap_or("ClusterIP");
        assert_eq!(kind, expected, "{name}");
    }
    let protected: BTreeSet<&str> = of_kind(&documents, "NetworkPolicy").into_keys().collect();
    for component in ["concelier", "excititor", "minio", "mirror-gateway", "mongo"] {
        assert!(protected.contains(format!("stellaops-{component}").as_str()), "{component}: {protected:?}");
    }
}

#[test]
fn every_container_is_hardened() {
    let project = compose();
    for (name, service) in project["services"].as_object().unwrap() {
        assert_eq!(service["read_only"], true, "{name}");
        assert_eq!(service["cap_drop"], json!(["ALL"]), "{name}");
        assert_eq!(service["security_opt"], json!(["no-new-privileges:true"]), "{name}");
        assert!(!service["deploy"]["resources"]["limits"].is_null(), "{name}");
        assert!(!service["logging"]["options"]["max-size"].is_null(), "{name}");
        if name != "gateway-folders" {
            assert!(!service["healthcheck"].is_null(), "{name}");
            assert!(service.get("cap_add").is_none(), "{name}");
        }
    }
    let documents = chart(&[]);
    for workload in documents.iter().filter(|document| !document["spec"]["template"].is_null()) {
        let pod = &workload["spec"]["template"]["spec"];
        assert_eq!(pod["securityContext"]["runAsNonRoot"], true, "{}", workload["metadata"]["name"]);
        for container in array(&pod["containers"]) {
            let security = &container["securityContext"];
            assert_eq!(security["readOnlyRootFilesystem"], true, "{}", container["name"]);
            assert_eq!(security["capabilities"], json!({"drop": ["ALL"]}), "{}", container["name"]);
            assert!(!container["resources"]["limits"].is_null(), "{}", container["name"]);
        }
    }
}

/// What an operator puts into the tree stays out of git; what explains or configures it does not.
#[test]
fn git_takes_no_secret_of_the_mirror() {
    let Some(git) = testkit::tool("git") else { return };
    let sandbox = Sandbox::new();
    sandbox.copy(repository().join(".gitignore"), ".gitignore");
    const SECRET: &[&str] = &[
        "deploy/compose/env/mirror.env",
        "deploy/compose/mirror-secrets/concelier-authority-client",
        "deploy/compose/mirror-gateway/tls/mirror-primary.key",
        "deploy/compose/mirror-gateway/tls/mirror-primary.crt",
        "deploy/compose/mirror-gateway/tls/ca/key.pem",
        "deploy/compose/mirror-gateway/secrets/mirror-primary.htpasswd",
        "deploy/compose/mirror-gateway/secrets/.mirror-primary.htpasswd.tmp",
        "deploy/compose/mirror-gateway/secrets/password.txt",
        "deploy/helm/stellaops/files/mirror.htpasswd",
    ];
    const PUBLIC: &[&str] = &[
        "deploy/compose/docker-compose.mirror.yaml",
        "deploy/compose/env/mirror.env.example",
        "deploy/compose/mirror-gateway/README.md",
        "deploy/compose/mirror-gateway/conf/nginx.conf",
        "deploy/compose/mirror-gateway/env/concelier.env",
        "deploy/compose/mirror-gateway/env/excititor.env",
        "deploy/compose/mirror-gateway/secrets/README.md",
        "deploy/compose/mirror-gateway/tls/README.md",
        "deploy/compose/mirror-secrets/README.md",
        "deploy/helm/stellaops/files/mirror-env/concelier.env",
        "deploy/helm/stellaops/files/mirror-env/excititor.env",
        "deploy/helm/stellaops/files/mirror-gateway/nginx.conf",
        "deploy/mirror.yaml",
    ];
    for path in SECRET {
        sandbox.write(path, "secret\n");
    }
    for path in PUBLIC {
        sandbox.copy(repository().join(path), path);
    }
    let run = |arguments: &[&str]| {
        let output = Command::new(&git)
            .current_dir(sandbox.root())
            .args(arguments)
            .env_clear()
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("HOME", sandbox.root())
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    run(&["init", "--quiet", "."]);
    run(&["add", "--all"]);
    let taken = run(&["ls-files"]);
    let mut expected: Vec<&str> = PUBLIC.iter().copied().chain([".gitignore"]).collect();
    expected.sort_unstable();
    assert_eq!(taken.lines().collect::<Vec<_>>(), expected);
}
