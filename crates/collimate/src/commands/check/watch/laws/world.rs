//! A small workspace of every kind of profile, and changes of it that are made from a number.

use camino::{Utf8Path, Utf8PathBuf};
use testkit::Sandbox;

/// Every file that is changed, with texts that it may have. The first one is what it has at the beginning; an empty one: it is not there.
/// What depends on each other stands next to each other. Each text is such that what is rendered, or what is found, is another than with its neighbours.
const FILES: &[(&str, &[&str])] = &[
    (
        "collimate.yaml",
        &[
            "\
schema: 1
channels: {edge: {release: releases/edge.yaml}}
overlays: {more: {compose: [compose/over.yaml], env: [env/over.env]}, plain: {compose: [compose/plain.yaml]}}
profiles:
  compose/dev: {channel: edge, compose: [compose/base.yaml], env: [env/dev.env], overlays: [more]}
  compose/two: {channel: edge, compose: [compose/plain.yaml, compose/base.yaml], env: [env/dev.env], overlays: [plain]}
  helm/dev: {channel: edge, chart: chart, values: [values/dev.yaml], twin: compose/dev}
  helm/two: {channel: edge, chart: chart, values: [chart/values-two.yaml]}
  plain/dev: {channel: edge, manifests: [plain/pod.yaml]}
docs: [guide.md]
",
            "\
schema: 1
channels: {edge: {release: releases/edge.yaml}}
profiles:
  compose/dev: {channel: edge, compose: [compose/base.yaml], env: [env/over.env]}
  helm/dev: {channel: edge, chart: chart, values: [values/dev.yaml, values/more.yaml], namespace: other}
",
            "",
        ],
    ),
    (
        "compose/base.yaml",
        &[
            "services: {web: {image: \"nginx:${TAG}@sha256:${DIGEST}\", env_file: [service.env], volumes: [\"./web.conf:/web.conf\"]}}\n",
            "include: [more/more.yaml]\nservices: {web: {image: nginx, extends: {file: parent.yaml, service: web}}}\n",
            "services: [\n",
            "services: {web: {image: \"nginx:1\", ports: [\"80:80\"], profiles: [some]}}\nnetworks: {default: {name: ${NET:-net}}}\n",
            "",
        ],
    ),
    (
        "compose/parent.yaml",
        &["services: {web: {hostname: one}}\n", "", "services: {web: {hostname: two, labels: {a: \"${TAG}\"}}}\n"],
    ),
    (
        "compose/over.yaml",
        &["services: {web: {hostname: over}}\n", "services: {web: {image: other}}\n", "name: named\n"],
    ),
    (
        "compose/plain.yaml",
        &[
            "services: {plain: {image: redis}}\n",
            "services: {plain: {image: mongo, env_file: [{path: none.env, required: false}]}}\n",
        ],
    ),
    ("compose/more/more.yaml", &["services: {more: {image: \"redis:${TAG}\", hostname: \"${HOST:-none}\"}}\n", ""]),
    ("compose/more/.env", &["", "HOST=inside\n", "HOST=\"unclosed\n"]),
    ("compose/service.env", &["A=1\n", "", "A=2\nDB_PASSWORD=hunter2hunter2\n"]),
    ("compose/none.env", &["", "N=1\n"]),
    ("compose/web.conf", &["", "listen 80;\n"]),
    (
        "env/dev.env",
        &[
            "TAG=1.27\nDIGEST=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
            "TAG=1.28\nDIGEST=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab\n",
            "TAG=1.27\nUNUSED=1\n",
            "",
        ],
    ),
    ("env/over.env", &["TAG=1.29\n", "", "NET=other\n"]),
    (
        "chart/Chart.yaml",
        &[
            "apiVersion: v2\nname: chart\nversion: 0.1.0\n",
            "apiVersion: v2\nname: chart\nversion: 0.1.0\nappVersion: 9.9.9\ndependencies: [{name: sub, version: 0.1.0, condition: sub.on}]\n",
            "apiVersion: v9\n",
        ],
    ),
    ("chart/values.yaml", &["image: nginx\ntag: \"1.27\"\nsub: {on: true}\n", "image: redis\n", "- no map\n", ""]),
    (
        "chart/values.schema.json",
        &["", "{\"properties\": {\"tag\": {\"type\": \"string\"}}}", "{\"required\": [\"none\"]}"],
    ),
    ("chart/.helmignore", &["", "extra.yaml\n", "files\n"]),
    (
        "chart/templates/_helpers.tpl",
        &[
            "{{- define \"image\" }}{{ .Values.image }}:{{ .Values.tag }}{{ end }}\n",
            "{{- define \"image\" }}{{ .Values.image }}@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa{{ end }}\n",
            "{{- define \"other\" }}x{{ end }}\n",
        ],
    ),
    (
        "chart/templates/pod.yaml",
        &[
            "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n    - {name: web, image: {{ include \"image\" . | quote }}}\n",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: {{ .Release.Namespace }}}\nspec: {volumes: [{name: c, configMap: {name: files}}], containers: [{name: a, image: {{ .Values.image }}}]}\n",
            "{{ fail \"stop\" }}\n",
            "a: [\n",
        ],
    ),
    (
        "chart/templates/extra.yaml",
        &[
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: files}\ndata:\n{{ (.Files.Glob \"files/*\").AsConfig | indent 2 }}\n",
            "",
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: files}\ndata:\n  two: {{ .Files.Get \"files/two.txt\" | quote }}\n",
        ],
    ),
    ("chart/files/one.txt", &["one\n", "", "another: \"1\"\n"]),
    ("chart/files/two.txt", &["", "two\n"]),
    ("chart/charts/sub/Chart.yaml", &["", "apiVersion: v2\nname: sub\nversion: 0.1.0\n"]),
    (
        "chart/charts/sub/templates/pod.yaml",
        &["", "apiVersion: v1\nkind: Pod\nmetadata: {name: sub}\nspec: {containers: [{name: sub, image: mongo}]}\n"],
    ),
    ("values/dev.yaml", &["tag: 1.27.0\n", "tag: \"1.27\"\n", "tag: {a: 1}\n", "x: [\n", ""]),
    ("chart/values-two.yaml", &["tag: \"1.29\"\n", "image: two\n", "tag: [\n"]),
    ("values/more.yaml", &["image: more\n", ""]),
    (
        "plain/pod.yaml",
        &[
            "apiVersion: v1\nkind: Pod\nmetadata: {name: plain}\nspec: {containers: [{name: plain, image: nginx}]}\n",
            "apiVersion: v1\nkind: Pod\nmetadata: {name: plain}\nspec: {containers: [{name: plain, image: \"nginx:1.27\"}]}\n---\na: 1\n",
            "a: [\n",
            "",
        ],
    ),
    (
        "releases/edge.yaml",
        &[
            "schema: 1\nversion: 1.0.0\nchannel: edge\ndigests: resolved\ncomponents:\n  nginx: {image: docker.io/library/nginx, tag: \"1.27\", digest: \"sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}\n",
            "schema: 1\nversion: 1.0.1\nchannel: edge\ndigests: resolved\ncomponents:\n  redis: {image: docker.io/library/redis, tag: \"7\", digest: \"sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\"}\n",
            "schema: 2\n",
            "",
        ],
    ),
    (
        "releases/archive/old.yaml",
        &[
            "",
            "schema: 1\nversion: 0.9.0\nchannel: edge\ndigests: resolved\ncomponents:\n  nginx: {image: docker.io/library/nginx, tag: \"1.27\", digest: \"sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc\"}\n",
        ],
    ),
    (
        "guide.md",
        &[
            "",
            "<!-- collimate:version edge -->1.0.0<!-- /collimate -->\n",
            "<!-- collimate:version edge -->0.1<!-- /collimate -->\n",
        ],
    ),
];

/// Folders that are moved away and come back.
const FOLDERS: [&str; 7] = ["compose", "compose/more", "env", "chart/templates", "chart", "values", "releases"];

/// So many files are changed often.
const OFTEN: usize = 5;

/// Where what is linked really lies.
const ELSEWHERE: &str = "elsewhere";

pub(super) struct World {
    sandbox: Sandbox,
    chance: u64,
    /// Folders that were moved away.
    away: Vec<&'static str>,
    /// Files that were moved and linked.
    linked: Vec<&'static str>,
    /// The files that most changes are of: what depends on each other changes one after the other.
    often: Vec<usize>,
}

impl World {
    pub(super) fn new(seed: u64) -> Self {
        let sandbox = Sandbox::new();
        for (path, texts) in FILES {
            if let Some(text) = texts.first().filter(|text| !text.is_empty()) {
                sandbox.write(path, text);
            }
        }
        let mut world = Self { sandbox, chance: seed, away: Vec::new(), linked: Vec::new(), often: vec![0] };
        let first = world.below(FILES.len());
        world.often = (0..OFTEN).map(|next| (first + next) % FILES.len()).chain([0]).collect();
        world
    }

    /// A file, and the texts that it may have.
    fn file(&mut self) -> (&'static str, &'static [&'static str]) {
        let often = self.below(self.often.len());
        let index = if self.below(4) == 0 { self.below(FILES.len()) } else { self.often[often] };
        FILES[index]
    }

    pub(super) fn path(&self, path: &str) -> Utf8PathBuf {
        self.sandbox.path(path)
    }

    /// Changes something, mostly one thing, at most three; says what.
    pub(super) fn change(&mut self) -> Vec<String> {
        let more = if self.below(3) == 0 { 1 + self.below(2) } else { 0 };
        (0..=more).map(|_| self.change_one()).collect()
    }

    /// What cannot be done in the state that the tree is in is not done.
    fn change_one(&mut self) -> String {
        let (name, texts) = self.file();
        let path = self.path(name);
        match self.below(16) {
            0..8 => {
                // Most of the time most files are right: a tree with a fault in every file shows little.
                let text = texts[if self.below(3) == 0 { 0 } else { self.below(texts.len()) }];
                if text.is_empty() {
                    let _ = std::fs::remove_file(&path);
                    return format!("`{name}` removed");
                }
                let _ = path.parent().map(std::fs::create_dir_all);
                let is_replaced = self.below(2) == 0;
                if is_replaced {
                    let copy = self.path(&format!("{name}~"));
                    let _ = std::fs::write(&copy, text).and_then(|()| std::fs::rename(&copy, &path));
                } else {
                    let _ = std::fs::write(&path, text);
                }
                format!("`{name}` {}: {text}", if is_replaced { "replaced" } else { "written" })
            }
            8 => {
                let _ = std::fs::remove_file(&path);
                format!("`{name}` removed")
            }
            9 => {
                let _ = std::fs::read(&path).and_then(|same| std::fs::write(&path, same));
                format!("`{name}` written with what it had")
            }
            10 => {
                let (other, _) = self.file();
                let _ = std::fs::rename(&path, self.path(other));
                format!("`{name}` renamed to `{other}`")
            }
            11 => {
                let real = self.path(ELSEWHERE).join(name);
                self.link(&path, &real);
                self.linked.push(name);
                format!("`{name}` moved and linked")
            }
            12 if !self.linked.is_empty() => {
                let linked = self.below(self.linked.len());
                let name = self.linked[linked];
                let texts = FILES.iter().find(|(known, _)| *known == name).map_or(texts, |(_, texts)| texts);
                let text = texts[self.below(texts.len())];
                let _ = std::fs::write(self.path(ELSEWHERE).join(name), text);
                format!("`{ELSEWHERE}/{name}` written: {text}")
            }
            12 | 13 => {
                let folder = FOLDERS[self.below(FOLDERS.len())];
                let (path, real) = (self.path(folder), self.path(ELSEWHERE).join(format!("{folder}.d")));
                if path.is_symlink() && real.is_dir() {
                    let _ = std::fs::remove_file(&path);
                    self.sandbox.copy(&real, folder);
                    return format!("folder `{folder}` copied to where its link was");
                }
                self.link(&path, &real);
                format!("folder `{folder}` moved and linked")
            }
            _ => {
                if let Some(folder) = self.away.pop() {
                    let _ = std::fs::rename(self.path(&format!("{folder}.away")), self.path(folder));
                    return format!("folder `{folder}` came back");
                }
                let folder = FOLDERS[self.below(FOLDERS.len())];
                if std::fs::rename(self.path(folder), self.path(&format!("{folder}.away"))).is_ok() {
                    self.away.push(folder);
                }
                format!("folder `{folder}` moved away")
            }
        }
    }

    /// Moves what is at `path` and puts a link in its place.
    fn link(&self, path: &Utf8Path, real: &Utf8Path) {
        let _ = real.parent().map(std::fs::create_dir_all);
        if std::fs::rename(path, real).is_ok() {
            let _ = std::os::unix::fs::symlink(real, path);
        }
    }

    fn below(&mut self, most: usize) -> usize {
        // splitmix64
        self.chance = self.chance.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.chance;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % most as u64).unwrap()
    }
}
