//! A tree that somebody else made is looked at: nothing is run, no connection is opened, nothing is read outside of it, nothing is written.
//!
//! Two proofs. The kernel ends the program at the first call that it has no use for (`watch.c`); and `strace` says which paths it
//! opened: those of the tree, and a short list of what every program reads. In the environment lies what other tools obey.

use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::watch::{Mode, program, watched};
use crate::tree::{RELEASE, Tree};

/// What a program reads before and beside its own work: the loader and its libraries, the system's tables, itself, how many cores
/// it may use, and how memory is given out.
const OWN: &[&str] = &[
    "/etc/ld.so.cache",
    "/etc/ld.so.preload",
    "/lib/",
    "/lib64/",
    "/usr/lib/",
    "/proc/self/maps",
    "/proc/self/cgroup",
    "/proc/self/mountinfo",
    "/proc/self/exe",
    "/sys/fs/cgroup/",
    "/usr/share/zoneinfo/",
    "/etc/localtime",
    "/etc/_rjem_malloc.conf",
    "/proc/sys/vm/overcommit_memory",
    "/sys/kernel/mm/transparent_hugepage/enabled",
];

/// Leaves a mark if anything runs it.
const SCRIPT: &str = "#!/bin/sh\necho ran >\"$MARK\"\n";

/// Everything that a tool on the way could be made to obey.
fn tree() -> Tree {
    let tree = Tree::of(&[
        ("secret.txt", "outside-secret\n"),
        ("evil/git", SCRIPT),
        ("w/.git/HEAD", "ref: refs/heads/main\n"),
        (
            "w/.git/config",
            "[core]\n\tfsmonitor = ../evil/git\n\tsshCommand = ../evil/git\n\teditor = ../evil/git\n\thooksPath = ../evil\n\tpager = ../evil/git\n\
             [filter \"x\"]\n\tclean = ../evil/git\n\tsmudge = ../evil/git\n[include]\n\tpath = /etc/passwd\n[credential]\n\thelper = !../evil/git\n",
        ),
        ("w/.git/hooks/post-checkout", SCRIPT),
        ("w/.git/objects/info/alternates", "/etc\n"),
        ("w/.gitattributes", "* filter=x diff=x\n"),
        ("w/.env", "A=$(../evil/git)\nB=`../evil/git`\nDOCKER_HOST=tcp://127.0.0.1:9\nCOMPOSE_FILE=/etc/passwd\n"),
        ("w/good/compose.yaml", "services: {a: {image: nginx:1.27}}\n"),
        ("w/edge.yaml", RELEASE),
        (
            "w/collimate.yaml",
            "schema: 1\n\
             channels:\n\
             \x20 edge:\n\
             \x20   release: edge.yaml\n\
             \x20   gates: {commands: [{name: evil, run: [../evil/git]}]}\n\
             profiles:\n\
             \x20 compose/remote: {channel: edge, compose: [remote.yaml]}\n\
             \x20 compose/files: {channel: edge, compose: [files.yaml], env: [.env]}\n\
             \x20 compose/secrets: {channel: edge, compose: [secrets.yaml]}\n\
             \x20 compose/link: {channel: edge, compose: [link.yaml]}\n\
             \x20 helm/c: {channel: edge, chart: c, values: [c/out.txt]}\n\
             \x20 helm/d: {channel: edge, chart: c}\n",
        ),
        (
            "w/remote.yaml",
            "include: [\"https://127.0.0.1:9/a.git\", \"oci://127.0.0.1:9/a:1\", \"git@127.0.0.1:a.git\"]\nservices: {a: {image: nginx:1.27}}\n",
        ),
        (
            "w/files.yaml",
            "services: {a: {image: nginx:1.27, env_file: /etc/passwd, extends: {file: /etc/passwd, service: b}}}\n",
        ),
        (
            "w/secrets.yaml",
            "services: {a: {image: nginx:1.27, build: {context: \"https://127.0.0.1:9/a.git\"}, volumes: [\"/etc/shadow:/x\", \"~/.ssh:/y\"], secrets: [s, t]}}\n\
             secrets: {s: {file: /etc/shadow}, t: {file: ../secret.txt}}\nconfigs: {c: {file: /etc/passwd}}\n",
        ),
        (
            "w/c/Chart.yaml",
            "apiVersion: v2\nname: c\nversion: 0.1.0\ndependencies:\n- {name: d, version: \"1\", repository: \"https://127.0.0.1:9/\", condition: d.enabled}\n",
        ),
        ("w/c/charts/d/Chart.yaml", "apiVersion: v2\nname: d\nversion: \"1.0.0\"\n"),
        (
            "w/c/templates/t.yaml",
            "a: {{ lookup \"v1\" \"Secret\" \"a\" \"b\" | toJson }}\n\
             b: {{ getHostByName \"localhost\" | quote }}\n\
             c: {{ .Files.Get \"../../secret.txt\" | quote }}{{ .Files.Get \"/etc/passwd\" | quote }}{{ .Files.Get \"out.txt\" | quote }}\n\
             d: {{ range $path, $_ := .Files.Glob \"../**\" }}{{ $path }}{{ end }}\n",
        ),
    ]);
    std::fs::create_dir_all(tree.path("home")).unwrap();
    for name in ["helm", "docker", "docker-compose", "ssh", "kubectl", "sh", "less", "docker-credential-x"] {
        std::fs::copy(tree.path("evil/git"), tree.path(&format!("evil/{name}"))).unwrap();
    }
    for name in std::fs::read_dir(tree.path("evil")).unwrap() {
        std::fs::set_permissions(name.unwrap().path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    symlink("../secret.txt", tree.path("w/link.yaml")).unwrap();
    symlink("../../secret.txt", tree.path("w/c/out.txt")).unwrap();
    symlink("/etc", tree.path("w/etc")).unwrap();
    tree
}

/// What other tools would obey.
fn environment(tree: &Tree) -> Vec<(&'static str, String)> {
    let evil = tree.path("evil").to_string();
    let nowhere = "http://127.0.0.1:9".to_owned();
    let script = format!("{evil}/git");
    vec![
        ("PATH", evil.clone()),
        ("MARK", tree.path("ran").to_string()),
        ("HOME", tree.path("home").to_string()),
        ("http_proxy", nowhere.clone()),
        ("HTTPS_PROXY", nowhere.clone()),
        ("ALL_PROXY", nowhere),
        ("DOCKER_HOST", "tcp://127.0.0.1:9".to_owned()),
        ("DOCKER_CONFIG", evil.clone()),
        ("KUBECONFIG", "/etc/passwd".to_owned()),
        ("HELM_PLUGINS", evil),
        ("GIT_DIR", "/etc".to_owned()),
        ("GIT_SSH_COMMAND", script.clone()),
        ("GIT_EXTERNAL_DIFF", script.clone()),
        ("GIT_CONFIG_GLOBAL", "/etc/passwd".to_owned()),
        ("PAGER", script.clone()),
        ("EDITOR", script.clone()),
        ("COLLIMATE", script),
        ("COMPOSE_FILE", "/etc/passwd".to_owned()),
        ("COMPOSE_ENV_FILES", "/etc/passwd".to_owned()),
    ]
}

/// Commands that look at a tree, and the exit codes that they may end with here.
const LOOKING: &[(&[&str], &[i32])] = &[
    (&["check"], &[1]),
    (&["check", "--format", "json"], &[1]),
    (&["show"], &[0, 1]),
    (&["show", "--format", "json"], &[0, 1]),
    (&["why", "nginx"], &[0, 1, 3]),
    (&["render", "compose/remote"], &[1, 3]),
    (&["render", "compose/files"], &[1, 3]),
    (&["render", "compose/secrets"], &[0]),
    (&["render", "compose/link"], &[1, 3]),
    (&["render", "helm/c"], &[1, 3]),
    (&["render", "helm/d"], &[0, 1, 3]),
    (&["pin", "--dry-run"], &[0, 1]),
];

#[test]
fn the_kernel_sees_nothing_else() {
    let tree = tree();
    let environment = environment(&tree);
    for (arguments, exits) in LOOKING {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--workspace", "w/collimate.yaml"]).collect();
        let ran = watched(&tree, &arguments, Mode::Sealed, |cli| {
            environment.iter().fold(cli, |cli, (name, value)| cli.env(*name, value))
        });
        let Some(ran) = ran else { return };
        let said = format!("{}{}", ran.stdout, ran.stderr);
        assert!(exits.contains(&ran.exit), "`{arguments:?}` ends with {}:\n{said}", ran.exit);
        assert!(!said.contains("outside-secret") && !said.contains("root:x:0"), "`{arguments:?}`:\n{said}");
    }
    assert!(!tree.path("ran").exists(), "a program of the tree ran");
}

#[test]
fn only_the_tree_is_opened() {
    let Some(strace) = testkit::tool("strace") else { return };
    let tree = tree();
    let program = program();
    let root = tree.path("").canonicalize_utf8().unwrap();
    let inside = root.join("w");
    let init = ["init"];
    let commands = LOOKING.iter().map(|(arguments, _)| (*arguments, true)).chain([(&init[..], false)]);
    for (arguments, only_looks) in commands {
        if !only_looks {
            std::fs::remove_file(tree.path("w/collimate.yaml")).unwrap();
        }
        let before = listed(&tree);
        let log = tree.path("trace");
        let mut cli = testkit::Cli::new(&strace).folder(&inside);
        for (name, value) in environment(&tree) {
            cli = cli.env(name, value);
        }
        let words = ["-f", "-y", "-o", log.as_str(), "-e", "trace=file,network,process,desc", program.as_str()];
        let output = cli.args(words).args(arguments.iter().copied()).output();
        let trace = std::fs::read_to_string(&log).unwrap();
        std::fs::remove_file(&log).unwrap();
        let calls: Vec<&str> =
            trace.lines().filter_map(|line| line.split_once(' ').map(|(_, call)| call.trim_start())).collect();
        assert!(calls.iter().any(|call| call.starts_with("exit_group")), "{trace}");
        let forbidden = ["socket", "connect", "sendto", "bind(", "fork", "vfork", "ptrace"];
        for call in &calls {
            assert!(!forbidden.iter().any(|name| call.starts_with(name)), "`{arguments:?}`: {call}");
            assert!(!call.starts_with("clone") || call.contains("CLONE_THREAD"), "`{arguments:?}`: {call}");
        }
        let executed = calls.iter().filter(|call| call.starts_with("execve")).count();
        assert_eq!(executed, 1, "`{arguments:?}` runs another program:\n{output}");
        for call in calls.iter().filter(|call| call.starts_with("open")) {
            let reads = call.contains("O_RDONLY") && !call.contains("O_CREAT");
            assert!(reads || !only_looks, "`{arguments:?}` writes: {call}");
        }
        // A call that another thread interrupts stands on two lines, and its result on the second.
        let opens = |call: &&&str| call.starts_with("open") || call.starts_with("<... open");
        for call in calls.iter().filter(opens).filter(|call| call.contains(" = ") && !call.contains(" = -1 ")) {
            let path = opened(call);
            let own = OWN.iter().any(|own| path.starts_with(own))
                || path == program
                || path == inside
                || path.starts_with(&format!("{inside}/"));
            assert!(own, "`{arguments:?}` opens `{path}`: {call}");
        }
        let after = listed(&tree);
        let mut expected = before;
        if !only_looks {
            expected.extend(["w/collimate.yaml".to_owned(), "w/releases/current.yaml".to_owned()]);
            expected.sort();
        }
        assert_eq!(after, expected, "`{arguments:?}` leaves other files:\n{output}");
    }
}

/// The path that was really opened: strace resolves what the descriptor stands for.
fn opened(call: &str) -> String {
    let result = call.rsplit(" = ").next().unwrap_or_default();
    let path = result.split_once('<').map_or("", |(_, path)| path.trim_end_matches('>'));
    // `/proc/self` is one of the program's own numbers by then.
    match path.strip_prefix("/proc/").and_then(|rest| rest.split_once('/')) {
        Some((number, rest)) if number.bytes().all(|byte| byte.is_ascii_digit()) => format!("/proc/self/{rest}"),
        _ => path.to_owned(),
    }
}

/// All files of the tree.
fn listed(tree: &Tree) -> Vec<String> {
    fn walk(folder: &std::path::Path, root: &std::path::Path, into: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.is_symlink() {
                walk(&path, root, into);
            } else {
                into.push(path.strip_prefix(root).unwrap().display().to_string());
            }
        }
    }
    let mut files = Vec::new();
    walk(tree.path("").as_std_path(), tree.path("").as_std_path(), &mut files);
    files.sort();
    files
}
