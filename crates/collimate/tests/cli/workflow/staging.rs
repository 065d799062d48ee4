//! What a pipeline meets: a repository on a host, staging, Redis and Notify. Real are git, Redis, bash, and everything of this
//! repository; what a test cannot have is a small program in `bin/` that writes its arguments to `calls`.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::json;
use testkit::{Cli, Notify, Redis, Sandbox};

use super::document::{Step, Workflow};
use crate::tree::repository;

/// Every secret has it in its text, so that one search finds them all.
pub(super) const PLANTED: &str = "planted-";
pub(super) const KINDS: [&str; 2] = ["scanner.report.ready", "scanner.scan.completed"];
const TOKEN: &str = "planted-notify-token";
const REDIS_PASSWORD: &str = "planted-redis-password";

/// The release of the shipped tree, and the one that a promotion from edge brings.
pub(super) const OLD: &str = "2025.09.2";
pub(super) const NEW: &str = "2025.10.0";

pub(super) struct World {
    pub(super) sandbox: Sandbox,
    pub(super) redis: Redis,
    pub(super) notify: Notify,
    pub(super) vars: BTreeMap<String, String>,
    pub(super) secrets: BTreeMap<String, String>,
    pub(super) event: String,
    events: Cell<u32>,
}

impl World {
    /// The shipped tree, on a runner that has collimate. `None`, said loudly, without a Redis.
    #[track_caller]
    pub(super) fn new() -> Option<Self> {
        let sandbox = Sandbox::new();
        let mut redis = Redis::start(&sandbox, &["--requirepass", REDIS_PASSWORD])?;
        redis.log_in("default", REDIS_PASSWORD);
        let notify = Notify::start(TOKEN);
        let pem = |name: &str| {
            format!("-----BEGIN {name} PRIVATE KEY-----\nplanted-{name}\n-----END {name} PRIVATE KEY-----")
        };
        let secrets = [
            ("NOTIFY_SMOKE_REDIS_DSN", format!("redis://:{REDIS_PASSWORD}@127.0.0.1:{}/0", redis.port())),
            ("NOTIFY_SMOKE_NOTIFY_TOKEN", TOKEN.to_owned()),
            ("STAGING_SSH_KEY", pem("OPENSSH")),
            ("STAGING_KUBECONFIG", "token: planted-kubeconfig".to_owned()),
            ("GITHUB_TOKEN", "planted-run-token".to_owned()),
        ];
        let folder = sandbox.path("host/stellaops");
        let vars = [
            ("NOTIFY_SMOKE_NOTIFY_BASEURL", notify.url()),
            ("NOTIFY_SMOKE_NOTIFY_TENANT", "acme".to_owned()),
            ("NOTIFY_SMOKE_EXPECT_KINDS", KINDS.join(",")),
            ("NOTIFY_SMOKE_LOOKBACK_MINUTES", "30".to_owned()),
            ("NOTIFY_SMOKE_WAIT_SECONDS", "0.3".to_owned()),
            ("STAGING_METHOD", "compose".to_owned()),
            ("STAGING_SSH_HOST", "deploy@stage.test".to_owned()),
            ("STAGING_SSH_KNOWN_HOSTS", "stage.test ssh-ed25519 AAAA".to_owned()),
            ("STAGING_FOLDER", folder.to_string()),
            ("STAGING_OVERLAYS", "telemetry telemetry-storage".to_owned()),
            ("STAGING_LOCK_WAIT_SECONDS", "0".to_owned()),
        ];
        let owned = |(name, value): (&str, String)| (name.to_owned(), value);
        let world = Self {
            vars: vars.into_iter().map(owned).collect(),
            secrets: secrets.into_iter().map(owned).collect(),
            event: "push".to_owned(),
            events: Cell::new(0),
            sandbox,
            redis,
            notify,
        };
        world
            .sandbox
            .write("host/stellaops/stage.env", "REDIS_PASSWORD=x\n")
            .write("runner/tmp/.keep", "")
            .write("calls", "");
        for name in ["collimate.yaml", "deploy", "ops", "docs", ".ci", ".gitea", ".gitignore"] {
            world.sandbox.copy(repository().join(name), format!("seed/{name}"));
        }
        world.git("seed", &["init", "--quiet", "--initial-branch", "main"]);
        world.commit_seed("all");
        world.git("", &["clone", "--quiet", "--bare", "seed", "origin.git"]);
        world.git("seed", &["remote", "add", "origin", world.sandbox.path("origin.git").as_str()]);
        world.programs();
        Some(world)
    }

    /// The release of the shipped tree is known good, and another one was promoted: what a pipeline finds that has to go back.
    #[track_caller]
    pub(super) fn promoted() -> Option<Self> {
        let world = Self::new()?;
        world.sandbox.write("evidence.txt", "seen by people");
        world.collimate(
            "seed",
            &["mark-good", "stable/stage", "--evidence", world.sandbox.path("evidence.txt").as_str()],
        );
        world.collimate("seed", &["promote", "edge", "stable", "--allow-sample-digests"]);
        world.commit_seed("promote");
        world.git("seed", &["push", "--quiet", "origin", "main"]);
        Some(world)
    }

    /// Commits what is in the seed, the clone of somebody else.
    #[track_caller]
    pub(super) fn commit_seed(&self, message: &str) {
        self.git("seed", &["add", "--all"]);
        self.git("seed", &["commit", "--quiet", "--message", message]);
    }

    /// The package of the build, with this as its program.
    pub(super) fn package(&self, program: &str) {
        self.program("artefacts/package/collimate", program);
        let sums = Cli::new("/usr/bin/sha256sum").arg("collimate").folder(self.sandbox.path("artefacts/package"));
        self.sandbox.write("artefacts/package/SHA256SUMS", sums.any_stdout().run().stdout);
    }

    /// Hands over to the program under test.
    pub(super) fn hands_over() -> String {
        format!("exec {} \"$@\"", env!("CARGO_BIN_EXE_collimate"))
    }

    #[track_caller]
    pub(super) fn collimate(&self, folder: &str, arguments: &[&str]) -> String {
        let program = Cli::new(env!("CARGO_BIN_EXE_collimate")).folder(self.sandbox.path(folder));
        program.args(arguments.iter().copied()).env("COLLIMATE_BY", "alice").any_stdout().any_stderr().run().stdout
    }

    #[track_caller]
    pub(super) fn git(&self, folder: &str, arguments: &[&str]) -> String {
        let git = Cli::new("/usr/bin/git").folder(self.sandbox.path(folder)).args(["-c", "user.name=alice"]);
        git.args(["-c", "user.email=alice@example.org"])
            .args(arguments.iter().copied())
            .any_stdout()
            .any_stderr()
            .run()
            .stdout
    }

    /// A file of a branch of the repository on the host.
    #[track_caller]
    pub(super) fn published(&self, branch: &str, path: &str) -> String {
        self.git("origin.git", &["show", &format!("{branch}:{path}")])
    }

    /// The kinds of the entries in the ledger of a branch, oldest first.
    #[track_caller]
    pub(super) fn ledger(&self, branch: &str) -> Vec<String> {
        self.clone_of(branch, "jobs/look");
        let history: serde_json::Value =
            serde_json::from_str(&self.collimate("jobs/look", &["history", "--format", "json"])).unwrap();
        let entries = history["entries"].as_array().unwrap();
        entries.iter().map(|entry| entry["kind"].as_str().unwrap().to_owned()).collect()
    }

    /// The release that runs in staging.
    pub(super) fn running(&self) -> String {
        std::fs::read_to_string(self.sandbox.path("running")).unwrap_or_default().trim().to_owned()
    }

    /// How often a stand-in was called with this in its arguments.
    pub(super) fn calls(&self, text: &str) -> usize {
        self.sandbox.read("calls").lines().filter(|call| call.contains(text)).count()
    }

    /// One event of each kind, delivered or lost.
    pub(super) fn traffic(&self, delivered: bool) {
        for kind in KINDS {
            self.events.set(self.events.get() + 1);
            let id = format!("event-{}", self.events.get());
            let event = json!({"eventId": id, "kind": kind, "tenant": "acme", "payload": {}}).to_string();
            self.redis.command(&["XADD", "stella.events", "*", "event", &event, "kind", kind, "tenant", "acme"]);
            if delivered {
                let now = format!("{:.3}", jiff::Timestamp::now());
                self.notify.deliver(json!({
                    "deliveryId": id, "tenantId": "acme", "status": "sent", "kind": kind, "eventId": id, "createdUtc": now,
                }));
            }
        }
    }

    /// The checkout of a job.
    #[track_caller]
    pub(super) fn check_out(&self, job: &str) -> Utf8PathBuf {
        self.clone_of("main", &format!("jobs/{job}"))
    }

    #[track_caller]
    fn clone_of(&self, branch: &str, folder: &str) -> Utf8PathBuf {
        if self.sandbox.path(folder).exists() {
            self.sandbox.remove(folder);
        }
        self.git("", &["clone", "--quiet", "--branch", branch, "origin.git", folder]);
        self.sandbox.path(folder)
    }

    /// Does what an action does.
    #[track_caller]
    pub(super) fn action(&self, uses: &str, step: &Step, checkout: &Utf8Path) {
        let store = self.sandbox.path(format!("artefacts/{}", step.input("name")));
        let (action, _) = uses.split_once('@').unwrap();
        match action {
            "actions/checkout" => assert_eq!(step.input("persist-credentials"), "false", "{}", step.name),
            "actions/download-artifact" => {
                self.sandbox.copy(store, checkout.join(step.input("path")));
            }
            "actions/upload-artifact" => {
                for path in step.input("path").lines() {
                    keep(&self.sandbox, checkout, path, &store);
                }
            }
            other => panic!("the action `{other}` is not known here"),
        }
    }

    /// No secret is in a text, in what was kept, or in the arguments of any program.
    #[track_caller]
    pub(super) fn holds_its_tongue(&self, text: &str) {
        assert!(!text.contains(PLANTED), "a secret is in the log:\n{text}");
        for path in self.sandbox.files() {
            let is_public = path == "calls" || path == "runner/summary.md" || path.starts_with("artefacts/reports-");
            // Whatever is left over on the runner or on the host is readable for the next job.
            let is_left = path.starts_with("runner/tmp") || path.starts_with("host");
            if is_public || is_left {
                let bytes = std::fs::read(self.sandbox.path(&path)).unwrap();
                assert!(!String::from_utf8_lossy(&bytes).contains(PLANTED), "a secret is in `{path}`");
            }
        }
    }

    /// Every stand-in of this workflow's world. `@S` is the sandbox.
    fn programs(&self) {
        let root = self.sandbox.root().as_str();
        let stub = |name: &str, body: &str| {
            let text = format!("echo \"{name} $*\" >>@S/calls\n{body}").replace("@S", root);
            self.program(&format!("bin/{name}"), &text);
        };
        self.program("bin/collimate", &Self::hands_over());
        let peers = peers();
        let build = "mkdir -p target/release && printf '#!/bin/sh\\n%s\\n' '@H' >target/release/collimate && chmod +x target/release/collimate";
        let build = build.replace("@H", &Self::hands_over());
        stub(
            "cargo",
            &format!("case $1 in build) {build} ;; xtask) mkdir -p target && ln -sfn {peers} target/peers ;; esac"),
        );
        stub("go", "");
        stub("apt-get", "");
        stub("curl", "cat >@S/curl-stdin");
        stub("ssh", SSH);
        stub("docker", DOCKER);
        stub("helm", HELM);
        stub("kubectl", KUBECTL);
    }

    /// A shell script at a path.
    pub(super) fn program(&self, path: &str, body: &str) {
        self.sandbox.write(path, format!("#!/bin/sh\n{body}\n"));
        std::fs::set_permissions(self.sandbox.path(path), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// Where the judges lie, as `cargo xtask test` leaves them in a checkout.
fn peers() -> Utf8PathBuf {
    testkit::peer("otelcol").and_then(|peer| Some(peer.parent()?.parent()?.to_owned())).unwrap_or_default()
}

/// Keeps a folder, or the files of `folder/*.extension`.
fn keep(sandbox: &Sandbox, checkout: &Utf8Path, path: &str, store: &Utf8Path) {
    let Some((folder, extension)) = path.split_once("/*.") else {
        if checkout.join(path).is_dir() {
            sandbox.copy(checkout.join(path), store);
        } else if checkout.join(path).exists() {
            sandbox.copy(checkout.join(path), store.join(Utf8Path::new(path).file_name().unwrap()));
        }
        return;
    };
    for entry in checkout.join(folder).read_dir_utf8().into_iter().flatten().map(Result::unwrap) {
        if entry.path().extension() == Some(extension) {
            sandbox.copy(entry.path(), store.join(entry.file_name()));
        }
    }
}

/// The run of the job `staging` with the package of a build.
#[track_caller]
pub(super) fn deploy(world: &World, after: impl FnMut(&World, &str)) -> super::running::Run {
    if !world.sandbox.path("artefacts/package").exists() {
        world.package(&World::hands_over());
    }
    let workflow = Workflow::read(super::document::GITEA);
    super::running::run(world, &workflow, workflow.job("staging"), after)
}

/// Logs in where the key is the right one and nobody else may read it, and runs what it is told, as the host's shell does.
const SSH: &str = r#"[ -e @S/host-is-down ] && { echo "connection refused" >&2; exit 255; }
while [ "$1" != -- ]; do
    if [ "$1" = -i ]; then key=$2; fi
    shift
done
[ "$(stat -c %a "$key")" = 600 ] && grep -q OPENSSH "$key" || { echo "permission denied" >&2; exit 255; }
shift 2
cd @S/host && exec sh -c "$*""#;

/// Remembers what was brought up, by the label in the Compose file.
const DOCKER: &str = r#"[ -e @S/docker-fails ] && { echo "unhealthy" >&2; exit 1; }
case $1 in
compose)
    [ -d ../telemetry ] && [ -f env/stage.env.example ] || exit 1
    sed -n 's/.*org.stellaops.release.version: //p' docker-compose.stage.yaml | head -n 1 | tr -d '"' >@S/running ;;
ps)
    for service in authority notify-web; do
        printf 'stellaops-stage-%s-1\tregistry.test/%s:1\t%s\n' "$service" "$service" "$(cat @S/running)"
    done
    if [ -e @S/left-over ]; then printf 'left-over\tregistry.test/x:1\t1.0.0\n'; fi ;;
esac"#;

const HELM: &str = r#"grep -q kubeconfig "$KUBECONFIG" || { echo "forbidden" >&2; exit 1; }
while [ "$1" != --values ]; do shift; done
sed -n 's/^  version: //p' "$2" | head -n 1 | tr -d '"' >@S/running"#;

/// A cluster that keeps one Lease as a cluster does: made once only, replaced only by who knows its version.
const KUBECTL: &str = r#"grep -q kubeconfig "$KUBECONFIG" || { echo "forbidden" >&2; exit 1; }
field() { sed -n "s/^ *$1: *//p" "$2" | tr -d '"' | head -n 1; }
case "$1 $2" in
"get lease")
    if [ -f @S/lease ]; then
        echo "$(cat @S/lease-version) $(field holderIdentity @S/lease) $(field acquireTime @S/lease)"
    fi ;;
"create --filename")
    [ -f @S/lease ] && { echo "already exists" >&2; exit 1; }
    cat >@S/lease && echo 1 >@S/lease-version ;;
"replace --filename")
    cat >@S/lease-new
    [ "$(field resourceVersion @S/lease-new)" = "$(cat @S/lease-version)" ] || { echo "conflict" >&2; exit 1; }
    mv @S/lease-new @S/lease && echo "$(($(cat @S/lease-version) + 1))" >@S/lease-version ;;
"delete lease") rm @S/lease ;;
"get pods")
    printf 'authority-1\tregistry.test/authority:1\t%s\t\n' "$(cat @S/running)"
    printf 'authority-0\tregistry.test/authority:0\t1.0.0\t2026-01-01T00:00:00Z\n' ;;
esac"#;
