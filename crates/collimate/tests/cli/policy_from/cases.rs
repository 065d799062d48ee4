//! One edit of `collimate.yaml` for each key with which it can ask for less.

/// A digest that the release lists, and one that it does not.
pub(super) const LISTED: &str = "sha256:1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a";
pub(super) const OTHER: &str = "sha256:2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b";

/// `<A>` stands for the digest that the release lists, `<B>` for the other one.
pub(super) struct Case {
    /// Keys of the schema that the edit is about.
    pub(super) keys: &'static [&'static str],
    /// What is protected: the workspace file, which is green.
    pub(super) workspace: &'static str,
    /// What turns it red; nothing where the key is about moves, not about checks.
    pub(super) red: &'static [(&'static str, &'static str)],
    /// What turns it green again.
    pub(super) edit: (&'static str, &'static str),
    /// What is said of it, and the text in today's file that it points at (nothing where something is gone).
    pub(super) says: &'static str,
    pub(super) at: &'static str,
}

/// Files that every case has.
pub(super) const FILES: &[(&str, &str)] = &[
    (
        "release.yaml",
        "schema: 1\nversion: 1.0.0\nchannel: c\ndigests: resolved\ncomponents:\n  web: {image: r.example.org/web, tag: 1.0.0, digest: <A>}\n",
    ),
    (
        "other.yaml",
        "schema: 1\nversion: 1.0.1\nchannel: c\ndigests: resolved\ncomponents:\n  web: {image: r.example.org/web, tag: 1.0.1, digest: <B>}\n",
    ),
    ("web.yaml", "services: {web: {image: \"r.example.org/web:1.0.0@<A>\"}}\n"),
    ("spare.yaml", "services: {web: {image: \"r.example.org/web:1.0.0@<A>\"}}\n"),
    ("vars.yaml", "services: {web: {image: \"r.example.org/web:1.0.0@${DIGEST:?}\"}}\n"),
    ("one.env", "DIGEST=<A>\n"),
    ("two.env", "DIGEST=<A>\n"),
    ("more.yaml", "services: {more: {image: \"r.example.org/web:1.0.0@<A>\"}}\n"),
    ("more2.yaml", "services: {more: {image: \"r.example.org/web:1.0.0@<A>\"}}\n"),
    ("chart/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\nicon: https://r.example.org/i.svg\n"),
    ("chart/values.yaml", "name: web\ndigest: \"<A>\"\n"),
    ("chart/templates/pod.yaml", POD),
    ("chart2/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\nicon: https://r.example.org/i.svg\n"),
    ("chart2/values.yaml", "name: web\ndigest: \"<A>\"\n"),
    ("chart2/templates/pod.yaml", POD),
    ("v.yaml", "digest: \"<A>\"\n"),
    ("w.yaml", "digest: \"<A>\"\n"),
    (
        "m.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: web, image: \"r.example.org/web:1.0.0@<A>\"}]}\n",
    ),
    (
        "n.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: web, image: \"r.example.org/web:1.0.0@<A>\"}]}\n",
    ),
    ("mirror.yaml", include_str!("../../../../../deploy/mirror.yaml")),
    ("doc.md", "It is <!-- collimate:version c -->1.0.0<!-- /collimate -->.\n"),
    ("trust.yaml", "schema: 1\nkeys: []\n"),
];

const POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n    - {name: web, image: \"r.example.org/{{ .Values.name }}:1.0.0@{{ .Values.digest }}\"}\n";

const BAD: &[(&str, &str)] = &[("web.yaml", "services: {web: {image: \"r.example.org/web@<B>\"}}\n")];
const BAD_CHART: &[(&str, &str)] = &[("chart/values.yaml", "name: web\ndigest: \"<B>\"\n")];

/// A container that needs what nobody renders.
macro_rules! needs {
    ($what:literal) => {
        &[("m.yaml", concat!(
            "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers: [{name: web, image: \"r.example.org/web:1.0.0@<A>\"}]\n  ",
            $what, "\n"
        ))]
    };
}

macro_rules! workspace {
    ($profiles:literal) => {
        workspace!($profiles, "")
    };
    ($profiles:literal, $rest:literal) => {
        concat!("schema: 1\nchannels: {c: {release: release.yaml}}\nprofiles:\n  ", $profiles, "\n", $rest)
    };
}

const MANIFESTS: &str = workspace!("p: {channel: c, manifests: [m.yaml]}");
const CHART: &str = workspace!("p: {channel: c, chart: chart, release_name: x}");
const COMPOSE: &str = workspace!("p: {channel: c, compose: [web.yaml]}");
const GATED: &str = "schema: 1\nchannels:\n  a: {release: other.yaml}\n  c:\n    release: release.yaml\n    promote_from: a\n    gates: \
{signed_by: builder, approvals: [{role: lead, count: 2}], commands: [{name: tests, run: [make, e2e]}], freezes: [{from: 2999-01-02, until: 2999-02-03, reason: y}]}\n    \
rings: [first, {name: last, gates: {approvals: [{role: lead}]}}]\nprofiles:\n  p: {channel: c, ring: first, compose: [web.yaml]}\nrules: {release-channel-mismatch: off}\n";

pub(super) const CASES: &[Case] = &[
    Case {
        keys: &["channels"],
        workspace: "schema: 1\nchannels:\n  c: {release: release.yaml}\n  d: {release: other.yaml}\nprofiles:\n  p: {channel: c, compose: [web.yaml]}\nrules: {release-channel-mismatch: off}\n",
        // One that a profile follows cannot go without a change of the profile.
        red: &[],
        edit: ("  d: {release: other.yaml}\n", ""),
        says: "the channel `d` is gone",
        at: "",
    },
    Case {
        keys: &["ChannelEntry.release"],
        workspace: COMPOSE,
        red: BAD,
        edit: ("release.yaml", "other.yaml"),
        says: "`c` is held to `other.yaml`, not to `release.yaml`",
        at: "other.yaml",
    },
    Case {
        keys: &["ChannelEntry.promote_from"],
        workspace: GATED,
        red: &[],
        edit: ("    promote_from: a\n", ""),
        says: "`c` is not promoted from `a`",
        at: "c",
    },
    Case {
        keys: &["ChannelEntry.rings", "LaggingRing.name"],
        workspace: "schema: 1\nchannels:\n  c: {release: release.yaml, rings: [{name: one}, {name: two}]}\nprofiles:\n  p: {channel: c, ring: one, compose: [web.yaml]}\n",
        red: &[],
        edit: ("[{name: one}, {name: two}]", "[{name: two}, {name: one}]"),
        says: "the ring `two` of `c` does not wait for the rings before it",
        at: "two",
    },
    Case {
        keys: &["ChannelEntry.rings"],
        workspace: "schema: 1\nchannels:\n  c: {release: release.yaml, rings: [{name: one}, {name: two}]}\nprofiles:\n  p: {channel: c, ring: one, compose: [web.yaml]}\n",
        red: &[],
        edit: (", {name: two}]", "]"),
        says: "the ring `two` of `c` is gone",
        at: "c",
    },
    Case {
        keys: &["LaggingRing.release"],
        workspace: "schema: 1\nchannels: {c: {release: release.yaml, rings: [{name: one}]}}\nprofiles:\n  p: {channel: c, ring: one, compose: [web.yaml]}\n",
        red: BAD,
        edit: ("{name: one}", "{name: one, release: other.yaml}"),
        says: "the ring `one` of `c` is held to `other.yaml`, and no move brought it there",
        at: "other.yaml",
    },
    Case {
        keys: &["ChannelEntry.gates", "GatesEntry.signed_by"],
        workspace: GATED,
        red: &[],
        edit: ("signed_by: builder", "signed_by: anybody"),
        says: "a gate is gone, `c`: `signed_by: builder`",
        at: "anybody",
    },
    Case {
        keys: &["GatesEntry.approvals", "ApprovalsEntry.count"],
        workspace: GATED,
        red: &[],
        edit: ("count: 2", "count: 1"),
        says: "a gate is gone, `c`: 2 approvals by `lead`, not 1",
        at: "lead",
    },
    Case {
        keys: &["ApprovalsEntry.role"],
        workspace: GATED,
        red: &[],
        edit: ("role: lead, count: 2", "role: anybody, count: 2"),
        says: "a gate is gone, `c`: 2 approvals by `lead`, not 0",
        at: "c",
    },
    Case {
        keys: &["LaggingRing.gates"],
        workspace: GATED,
        red: &[],
        edit: (", gates: {approvals: [{role: lead}]}", ""),
        says: "a gate is gone, `c/last`: 1 approval by `lead`, not 0",
        at: "last",
    },
    Case {
        keys: &["GatesEntry.commands", "CommandEntry.run"],
        workspace: GATED,
        red: &[],
        edit: ("run: [make, e2e]", "run: ['true']"),
        says: "a gate is gone, `c`: the command `tests`",
        at: "tests",
    },
    Case {
        keys: &["CommandEntry.name"],
        workspace: GATED,
        red: &[],
        edit: ("name: tests", "name: toasts"),
        says: "a gate is gone, `c`: the command `tests`",
        at: "c",
    },
    Case {
        keys: &["GatesEntry.freezes", "FreezeEntry.from"],
        workspace: GATED,
        red: &[],
        edit: ("from: 2999-01-02", "from: 2999-01-20"),
        says: "a gate is gone, `c`: the freeze from 2999-01-02 until 2999-02-03",
        at: "2999-01-20",
    },
    Case {
        keys: &["FreezeEntry.until"],
        workspace: GATED,
        red: &[],
        edit: ("until: 2999-02-03", "until: 2999-01-20"),
        says: "a gate is gone, `c`: the freeze from 2999-01-02 until 2999-02-03",
        at: "2999-01-02",
    },
    Case {
        keys: &["profiles"],
        workspace: workspace!("p: {channel: c, compose: [web.yaml]}\n  q: {channel: c, compose: [spare.yaml]}"),
        red: BAD,
        edit: ("  p: {channel: c, compose: [web.yaml]}\n", ""),
        says: "the profile `p` is gone",
        at: "",
    },
    Case {
        keys: &["ProfileEntry.channel"],
        workspace: "schema: 1\nchannels:\n  c: {release: release.yaml}\n  d: {release: other.yaml}\nprofiles:\n  p: {channel: c, compose: [web.yaml]}\nrules: {release-channel-mismatch: off}\n",
        red: BAD,
        edit: ("{channel: c", "{channel: d"),
        says: "the profile `p` follows `d`, not `c`",
        at: "d",
    },
    Case {
        keys: &["ProfileEntry.ring"],
        workspace: "schema: 1\nchannels: {c: {release: release.yaml, rings: [{name: one}, {name: two, release: other.yaml}]}}\nprofiles:\n  p: {channel: c, ring: one, compose: [web.yaml]}\n",
        red: BAD,
        edit: ("ring: one", "ring: two"),
        says: "the profile `p` is in ring `two`, not in ring `one`",
        at: "two",
    },
    Case {
        keys: &["ProfileEntry.compose"],
        workspace: COMPOSE,
        red: BAD,
        edit: ("[web.yaml]", "[spare.yaml]"),
        says: "the profile `p` is rendered with another `compose`",
        at: "spare.yaml",
    },
    Case {
        keys: &["ProfileEntry.env"],
        workspace: workspace!("p: {channel: c, compose: [vars.yaml], env: [one.env]}"),
        red: &[("one.env", "DIGEST=<B>\n")],
        edit: ("[one.env]", "[one.env, two.env]"),
        says: "the profile `p` is rendered with another `env`",
        at: "two.env",
    },
    Case {
        keys: &["ProfileEntry.overlays"],
        workspace: workspace!(
            "p: {channel: c, compose: [web.yaml], overlays: [o]}",
            "overlays: {o: {compose: [more.yaml]}}\n"
        ),
        red: &[("more.yaml", "services: {more: {image: \"r.example.org/web:1.0.0@<B>\"}}\n")],
        edit: (", overlays: [o]}", "}"),
        says: "the profile `p` is not checked with the same `overlays`",
        at: "p",
    },
    Case {
        keys: &["overlays", "OverlayEntry.compose"],
        workspace: workspace!(
            "p: {channel: c, compose: [web.yaml], overlays: [o]}",
            "overlays: {o: {compose: [more.yaml]}}\n"
        ),
        red: &[("more.yaml", "services: {more: {image: \"r.example.org/web:1.0.0@<B>\"}}\n")],
        edit: ("[more.yaml]", "[more2.yaml]"),
        says: "the overlay `o` is rendered from other files: `compose`",
        at: "more2.yaml",
    },
    Case {
        keys: &["OverlayEntry.env"],
        workspace: workspace!(
            "p: {channel: c, compose: [web.yaml], overlays: [o]}",
            "overlays: {o: {compose: [vars.yaml], env: [one.env]}}\n"
        ),
        red: &[("one.env", "DIGEST=<B>\n")],
        edit: ("[one.env]", "[two.env]"),
        says: "the overlay `o` is rendered from other files: `env`",
        at: "two.env",
    },
    Case {
        keys: &["ProfileEntry.project_name"],
        workspace: COMPOSE,
        red: &[("web.yaml", "services: {web: {image: \"r.example.org/${COMPOSE_PROJECT_NAME}:1.0.0@<A>\"}}\n")],
        edit: ("compose: [web.yaml]", "compose: [web.yaml], project_name: web"),
        says: "the profile `p` is rendered with another `project_name`",
        at: "web",
    },
    Case {
        keys: &["ProfileEntry.chart"],
        workspace: CHART,
        red: BAD_CHART,
        edit: ("chart: chart,", "chart: chart2,"),
        says: "the profile `p` is rendered with another `chart`",
        at: "chart2",
    },
    Case {
        keys: &["ProfileEntry.values"],
        workspace: workspace!("p: {channel: c, chart: chart, values: [v.yaml]}"),
        red: &[("v.yaml", "digest: \"<B>\"\n")],
        edit: ("[v.yaml]", "[w.yaml]"),
        says: "the profile `p` is rendered with another `values`",
        at: "w.yaml",
    },
    Case {
        keys: &["ProfileEntry.set"],
        workspace: CHART,
        red: BAD_CHART,
        edit: ("chart: chart,", "chart: chart, set: [\"digest=<A>\"],"),
        says: "the profile `p` is rendered with another `set`",
        at: "digest=<A>",
    },
    Case {
        keys: &["ProfileEntry.release_name"],
        workspace: CHART,
        red: &[
            ("chart/values.yaml", "name: \"{{ .Release.Name }}\"\ndigest: \"<A>\"\n"),
            ("chart/templates/pod.yaml", TPL_POD),
        ],
        edit: ("release_name: x", "release_name: web"),
        says: "the profile `p` is rendered with another `release_name`",
        at: "web",
    },
    Case {
        keys: &["ProfileEntry.namespace"],
        workspace: CHART,
        red: &[
            ("chart/values.yaml", "name: \"{{ .Release.Namespace }}\"\ndigest: \"<A>\"\n"),
            ("chart/templates/pod.yaml", TPL_POD),
        ],
        edit: ("release_name: x", "release_name: x, namespace: web"),
        says: "the profile `p` is rendered with another `namespace`",
        at: "web",
    },
    Case {
        keys: &["ProfileEntry.kube_version"],
        workspace: CHART,
        red: &[
            (
                "chart/values.yaml",
                "name: \"{{ ternary \\\"web\\\" \\\"new\\\" (semverCompare \\\"<1.20\\\" .Capabilities.KubeVersion.Version) }}\"\ndigest: \"<A>\"\n",
            ),
            ("chart/templates/pod.yaml", TPL_POD),
        ],
        edit: ("release_name: x", "release_name: x, kube_version: \"1.19\""),
        says: "the profile `p` is rendered with another `kube_version`",
        at: "1.19",
    },
    Case {
        keys: &["ProfileEntry.api_versions"],
        workspace: CHART,
        red: &[
            (
                "chart/values.yaml",
                "name: \"{{ ternary \\\"web\\\" \\\"new\\\" (.Capabilities.APIVersions.Has \\\"x/v1\\\") }}\"\ndigest: \"<A>\"\n",
            ),
            ("chart/templates/pod.yaml", TPL_POD),
        ],
        edit: ("release_name: x", "release_name: x, api_versions: [x/v1]"),
        says: "the profile `p` is rendered with another `api_versions`",
        at: "x/v1",
    },
    Case {
        keys: &["ProfileEntry.manifests"],
        workspace: MANIFESTS,
        red: &[(
            "m.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: web, image: \"r.example.org/web:1.0.0@<B>\"}]}\n",
        )],
        edit: ("[m.yaml]", "[n.yaml]"),
        says: "the profile `p` is rendered with another `manifests`",
        at: "n.yaml",
    },
    Case {
        keys: &["ProfileEntry.twin"],
        workspace: workspace!(
            "p: {channel: c, compose: [web.yaml], twin: q}\n  q: {channel: c, compose: [spare.yaml]}"
        ),
        red: &[("web.yaml", "services: {}\n")],
        edit: (", twin: q}", "}"),
        says: "the profile `p` is not compared with `q`",
        at: "p",
    },
    Case {
        keys: &["ProfileEntry.generated"],
        workspace: COMPOSE,
        red: &[(
            "web.yaml",
            "services: {web: {image: \"r.example.org/web:1.0.0@<A>\", volumes: [\"./certs/ca.pem:/ca.pem:ro\"]}}\n",
        )],
        edit: ("compose: [web.yaml]", "compose: [web.yaml], generated: [certs/**]"),
        says: "the profile `p` has `certs/**` in `generated`",
        at: "certs/**",
    },
    Case {
        keys: &["ProfileEntry.external", "ExternalEntry.healthchecks"],
        workspace: COMPOSE,
        red: &[(
            "web.yaml",
            "services:\n  web: {image: \"r.example.org/web:1.0.0@<A>\", depends_on: {two: {condition: service_healthy}}}\n  two: {image: \"r.example.org/web:1.0.0@<A>\"}\n",
        )],
        edit: ("compose: [web.yaml]", "compose: [web.yaml], external: {healthchecks: [two]}"),
        says: "the profile `p` has `two` in `external.healthchecks`",
        at: "two",
    },
    Case {
        keys: &["ExternalEntry.variables"],
        workspace: COMPOSE,
        red: &[("web.yaml", "services: {web: {image: \"r.example.org/web:1.0.0@<A>\", command: [\"$NOWHERE\"]}}\n")],
        edit: ("compose: [web.yaml]", "compose: [web.yaml], external: {variables: [NOWHERE]}"),
        says: "the profile `p` has `NOWHERE` in `external.variables`",
        at: "NOWHERE",
    },
    Case {
        keys: &["ExternalEntry.secrets"],
        workspace: MANIFESTS,
        red: needs!("volumes: [{name: v, secret: {secretName: s}}]"),
        edit: ("manifests: [m.yaml]", "manifests: [m.yaml], external: {secrets: [s]}"),
        says: "the profile `p` has `s` in `external.secrets`",
        at: "s",
    },
    Case {
        keys: &["ExternalEntry.config_maps"],
        workspace: MANIFESTS,
        red: needs!("volumes: [{name: v, configMap: {name: m}}]"),
        edit: ("manifests: [m.yaml]", "manifests: [m.yaml], external: {config_maps: [m]}"),
        says: "the profile `p` has `m` in `external.config_maps`",
        at: "m",
    },
    Case {
        keys: &["ExternalEntry.service_accounts"],
        workspace: MANIFESTS,
        red: needs!("serviceAccountName: a"),
        edit: ("manifests: [m.yaml]", "manifests: [m.yaml], external: {service_accounts: [a]}"),
        says: "the profile `p` has `a` in `external.service_accounts`",
        at: "a",
    },
    Case {
        keys: &["ExternalEntry.volume_claims"],
        workspace: MANIFESTS,
        red: needs!("volumes: [{name: v, persistentVolumeClaim: {claimName: k}}]"),
        edit: ("manifests: [m.yaml]", "manifests: [m.yaml], external: {volume_claims: [k]}"),
        says: "the profile `p` has `k` in `external.volume_claims`",
        at: "k",
    },
    Case {
        keys: &["ExternalEntry.objects"],
        workspace: MANIFESTS,
        red: &[(
            "m.yaml",
            "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web}\nspec: {defaultBackend: {service: {name: web, port: {number: 80}}}}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: web, image: \"r.example.org/web:1.0.0@<A>\"}]}\n",
        )],
        edit: ("manifests: [m.yaml]", "manifests: [m.yaml], external: {objects: [Service/web]}"),
        says: "the profile `p` has `Service/web` in `external.objects`",
        at: "Service/web",
    },
    // No rule asks for these three today; a rule that will must not find them open.
    Case {
        keys: &["ExternalEntry.networks"],
        workspace: COMPOSE,
        red: &[],
        edit: ("compose: [web.yaml]", "compose: [web.yaml], external: {networks: [n]}"),
        says: "the profile `p` has `n` in `external.networks`",
        at: "n",
    },
    Case {
        keys: &["ExternalEntry.volumes"],
        workspace: COMPOSE,
        red: &[],
        edit: ("compose: [web.yaml]", "compose: [web.yaml], external: {volumes: [n]}"),
        says: "the profile `p` has `n` in `external.volumes`",
        at: "n",
    },
    Case {
        keys: &["ExternalEntry.configs"],
        workspace: COMPOSE,
        red: &[],
        edit: ("compose: [web.yaml]", "compose: [web.yaml], external: {configs: [n]}"),
        says: "the profile `p` has `n` in `external.configs`",
        at: "n",
    },
    Case {
        keys: &["ProfileEntry.hosts"],
        workspace: workspace!(
            "p: {channel: c, compose: [web.yaml], hosts: [.internal]}",
            "rules: {outbound-host: error}\n"
        ),
        red: &[
            (
                "web.yaml",
                "services: {web: {image: \"r.internal/web:1.0.0@<A>\", environment: {URL: \"https://api.example.org/\"}}}\n",
            ),
            (
                "release.yaml",
                "schema: 1\nversion: 1.0.0\nchannel: c\ndigests: resolved\ncomponents:\n  web: {image: r.internal/web, tag: 1.0.0, digest: <A>}\n",
            ),
        ],
        edit: ("[.internal]", "[.internal, .example.org]"),
        says: "the profile `p` may reach `.example.org`",
        at: ".example.org",
    },
    Case {
        keys: &["ProfileEntry.hosts"],
        workspace: workspace!("p: {channel: c, compose: [web.yaml], hosts: [.example.org]}"),
        red: &[(
            "web.yaml",
            "services: {web: {image: \"r.example.org/web:1.0.0@<A>\", environment: {URL: \"https://api.example.net/\"}}}\n",
        )],
        edit: (", hosts: [.example.org]", ""),
        says: "the profile `p` may reach any host: `hosts` is gone",
        at: "p",
    },
    Case {
        keys: &["ProfileEntry.registry_map"],
        workspace: COMPOSE,
        red: &[("web.yaml", "services: {web: {image: \"elsewhere.example.net/web:1.0.0@<A>\"}}\n")],
        edit: ("compose: [web.yaml]", "compose: [web.yaml], registry_map: {r.example.org: elsewhere.example.net}"),
        says: "the profile `p` may pull from `elsewhere.example.net` what the release lists of `r.example.org`",
        at: "elsewhere.example.net",
    },
    Case {
        keys: &["unmanaged", "UnmanagedEntry.image"],
        workspace: COMPOSE,
        red: &[("web.yaml", "services: {web: {image: \"r.example.org/web:1.0.0@<A>\"}, n: {image: \"nats:2.10\"}}\n")],
        edit: ("profiles:", "unmanaged: [{image: nats, reason: x}]\nprofiles:"),
        says: "`docker.io/library/nats` may be there without a release",
        at: "nats",
    },
    Case {
        keys: &["UnmanagedEntry.tags"],
        workspace: workspace!(
            "p: {channel: c, compose: [web.yaml]}",
            "unmanaged: [{image: nats, tags: [\"2.*\"], reason: x}]\nrules: {unmanaged-unused: off}\n"
        ),
        red: &[("web.yaml", "services: {web: {image: \"r.example.org/web:1.0.0@<A>\"}, n: {image: \"nats:3.0\"}}\n")],
        edit: ("[\"2.*\"]", "[\"2.1*\", \"*\"]"),
        says: "`docker.io/library/nats` may have the tag `*`",
        at: "*",
    },
    Case {
        keys: &["UnmanagedEntry.tags"],
        workspace: workspace!(
            "p: {channel: c, compose: [web.yaml]}",
            "unmanaged: [{image: nats, tags: [\"2.*\"], reason: x}]\nrules: {unmanaged-unused: off}\n"
        ),
        red: &[("web.yaml", "services: {web: {image: \"r.example.org/web:1.0.0@<A>\"}, n: {image: \"nats:3.0\"}}\n")],
        edit: (", tags: [\"2.*\"]", ""),
        says: "`docker.io/library/nats` may have any tag",
        at: "nats",
    },
    Case {
        keys: &["images_at", "ImagesAtEntry.kind"],
        workspace: workspace!(
            "p: {channel: c, manifests: [m.yaml]}",
            "images_at: [{kind: Widget, path: spec.image}]\n"
        ),
        red: &[("m.yaml", WIDGET)],
        edit: ("kind: Widget", "kind: Gadget"),
        says: "images of `Widget` at `spec.image` are not looked at",
        at: "",
    },
    Case {
        keys: &["ImagesAtEntry.path"],
        workspace: workspace!(
            "p: {channel: c, manifests: [m.yaml]}",
            "images_at: [{kind: Widget, path: spec.image}]\n"
        ),
        red: &[("m.yaml", WIDGET)],
        edit: ("path: spec.image", "path: spec.img"),
        says: "images of `Widget` at `spec.image` are not looked at",
        at: "",
    },
    Case {
        keys: &["ImagesAtEntry.args"],
        workspace: workspace!("p: {channel: c, manifests: [m.yaml]}", "images_at: [{args: \"--helper=*\"}]\n"),
        red: &[(
            "m.yaml",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: web, image: \"r.example.org/web:1.0.0@<A>\", args: [\"--helper=r.example.org/web:1.0.0@<B>\"]}]}\n",
        )],
        edit: ("--helper=*", "--halper=*"),
        says: "images in arguments `--helper=*` are not looked at",
        at: "",
    },
    Case {
        keys: &["ignore"],
        workspace: COMPOSE,
        red: BAD,
        edit: ("profiles:", "ignore: [{rule: digest-mismatch, at: p, reason: x, until: 2999-01-01}]\nprofiles:"),
        says: "findings of `digest-mismatch` are accepted at `p`",
        at: "{rule: digest-mismatch, at: p, reason: x, until: 2999-01-01}",
    },
    Case {
        keys: &["IgnoreEntry.rule"],
        workspace: workspace!(
            "p: {channel: c, compose: [web.yaml]}",
            "ignore: [{rule: image-unlisted, at: p, reason: x}]\nrules: {ignore-unused: off}\n"
        ),
        red: BAD,
        edit: ("rule: image-unlisted", "rule: digest-mismatch"),
        says: "findings of `digest-mismatch` are accepted at `p`",
        at: "{rule: digest-mismatch, at: p, reason: x}",
    },
    Case {
        keys: &["IgnoreEntry.at"],
        workspace: workspace!(
            "p: {channel: c, compose: [web.yaml]}",
            "ignore: [{rule: digest-mismatch, at: q, reason: x}]\nrules: {ignore-unused: off}\n"
        ),
        red: BAD,
        edit: (", at: q", ""),
        says: "findings of `digest-mismatch` are accepted everywhere",
        at: "{rule: digest-mismatch, reason: x}",
    },
    Case {
        keys: &["IgnoreEntry.until"],
        workspace: workspace!(
            "p: {channel: c, compose: [web.yaml]}",
            "ignore: [{rule: digest-mismatch, at: p, reason: x, until: 2020-01-01}]\nrules: {ignore-expired: off}\n"
        ),
        red: BAD,
        edit: (", until: 2020-01-01", ""),
        says: "findings of `digest-mismatch` are accepted at `p` for ever",
        at: "{rule: digest-mismatch, at: p, reason: x}",
    },
    Case {
        keys: &["rules"],
        workspace: COMPOSE,
        red: BAD,
        edit: ("profiles:", "rules: {digest-mismatch: warning}\nprofiles:"),
        says: "`digest-mismatch` reports `warning`, not what it is by itself",
        at: "warning",
    },
    Case {
        keys: &["mirror"],
        workspace: workspace!(
            "p: {channel: c, compose: [web.yaml]}",
            "mirror: mirror.yaml\nrules: {mirror-domains-differ: error, mirror-password-weak: off}\n"
        ),
        red: &[("mirror.yaml", "schema: 1\n")],
        edit: ("mirror: mirror.yaml\n", ""),
        says: "`mirror` does not name `mirror.yaml`",
        at: "",
    },
    Case {
        keys: &["docs"],
        workspace: workspace!("p: {channel: c, compose: [web.yaml]}", "docs: [doc.md]\n"),
        red: &[("doc.md", "It is <!-- collimate:version c -->0.9.0<!-- /collimate -->.\n")],
        edit: ("docs: [doc.md]\n", ""),
        says: "`docs` does not name `doc.md`",
        at: "",
    },
    Case {
        keys: &["trust"],
        workspace: workspace!("p: {channel: c, compose: [web.yaml]}", "trust: trust.yaml\n"),
        red: &[("keys.yaml", KEYS)],
        edit: ("trust: trust.yaml", "trust: keys.yaml"),
        says: "of `mallory` is trusted",
        at: "mallory",
    },
];

const TPL_POD: &str = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n    - {name: web, image: \"r.example.org/{{ tpl .Values.name . }}:1.0.0@{{ .Values.digest }}\"}\n";
const WIDGET: &str = "apiVersion: example.org/v1\nkind: Widget\nmetadata: {name: web}\nspec: {image: \"r.example.org/web:1.0.0@<B>\"}\n---\napiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec: {containers: [{name: web, image: \"r.example.org/web:1.0.0@<A>\"}]}\n";
/// An Ed25519 public key of a seed that everybody knows.
const KEYS: &str =
    "schema: 1\nkeys: [{name: mallory, roles: [lead], key: \"$KEY\", from: 2020-01-01, until: 2999-01-01}]\n";

/// Keys with which nobody can ask for less.
pub(super) const IRRELEVANT: &[(&str, &str)] = &[
    ("schema", "there is one version"),
    ("CommandEntry.minutes", "more time lets no more pass, and less time lets less pass"),
    ("FreezeEntry.reason", "for people"),
    ("UnmanagedEntry.reason", "for people"),
    ("IgnoreEntry.reason", "for people"),
];
