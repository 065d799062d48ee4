//! `verify.sh`, in an empty environment with the tools that it names and no others.

use std::process::Command;

use bundle::BesideFile;
use camino::Utf8PathBuf;
use testkit::Sandbox;

use crate::fixture::{NAME, key, other_key, signed};

/// What the script says that it needs; `sh` runs it.
const TOOLS: [&str; 6] = ["dirname", "basename", "sha256sum", "openssl", "tar", "gzip"];

struct Site(Sandbox);

impl Site {
    /// A bundle beside its signatures, unpacked with tar, and a PATH of the listed tools; `None` where one of them is absent.
    fn new() -> Option<Self> {
        let folder = Sandbox::new();
        let (archive, beside) = signed();
        let name = archive.manifest.archive_name();
        folder.write(&name, &archive.bytes);
        for file in BesideFile::ALL {
            folder.write(format!("{name}{}", file.suffix()), beside.get(file).unwrap());
        }
        folder.write("key.pem", key().public().to_pem()).write("other.pem", other_key().public().to_pem());
        std::fs::create_dir(folder.path("bin")).unwrap();
        for tool in TOOLS {
            std::os::unix::fs::symlink(testkit::tool(tool)?, folder.path("bin").join(tool)).unwrap();
        }
        let unpacked = Command::new("/usr/bin/tar").args(["-xzf", &name]).current_dir(folder.root()).status();
        assert!(unpacked.unwrap().success());
        Some(Self(folder))
    }

    fn path(&self, path: &str) -> Utf8PathBuf {
        self.0.path(path)
    }

    /// Exit code, stdout and stderr together.
    fn run(&self, arguments: &[&str]) -> (i32, String) {
        let output = Command::new("/bin/sh")
            .arg(format!("{NAME}/verify.sh"))
            .args(arguments)
            .current_dir(self.0.root())
            .env_clear()
            .env("PATH", self.path("bin"))
            .output()
            .unwrap();
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (output.status.code().unwrap(), text.replace(self.0.root().as_str(), "[DIR]"))
    }

    #[track_caller]
    fn check(&self, exit: i32, expected: &str) {
        let (code, text) = self.run(&["key.pem"]);
        assert!(text.contains(expected), "{text}");
        assert_eq!(code, exit, "{text}");
    }
}

#[test]
fn a_good_bundle() {
    let Some(site) = Site::new() else { return };
    let sha256 = signed().0.sha256;
    let expected =
        format!("trusted: [DIR]/small-bundle.tar.gz (sha256 {sha256})\ntrusted: [DIR]/small-bundle (9 files)\n");
    assert_eq!(site.run(&["key.pem"]), (0, expected));
}

#[test]
fn an_archive_by_name() {
    let Some(site) = Site::new() else { return };
    std::fs::create_dir(site.path("elsewhere")).unwrap();
    for suffix in ["", ".sig", ".sha256"] {
        let file = format!("small-bundle.tar.gz{suffix}");
        std::fs::rename(site.path(&file), site.path("elsewhere").join(&file)).unwrap();
    }
    assert_eq!(site.run(&["key.pem", "elsewhere/small-bundle.tar.gz"]).0, 0);
    site.check(3, "`[DIR]/small-bundle.tar.gz` cannot be read");
    // A copy of the script that lies beside nothing looks at the archive only.
    std::fs::remove_file(site.path("small-bundle/SHA256SUMS")).unwrap();
    let (code, text) = site.run(&["key.pem", "elsewhere/small-bundle.tar.gz"]);
    assert!(code == 0 && text.contains("only the archive was looked at"), "{text}");
}

#[test]
fn what_is_not_trusted() {
    let Some(site) = Site::new() else { return };
    let (code, text) = site.run(&["other.pem"]);
    assert_eq!((code, text.contains("signed with another key")), (5, true), "{text}");
    for (file, expected) in [
        ("small-bundle.tar.gz", "was changed after it was signed"),
        ("small-bundle.tar.gz.sig", "was changed after it was signed"),
        ("small-bundle.tar.gz.sha256", "is not that of the archive"),
        ("small-bundle/SHA256SUMS", "is not the one in the archive"),
        ("small-bundle/deploy/a.yaml", "was changed or is missing"),
        ("small-bundle/manifest.json", "was changed or is missing"),
        ("small-bundle/verify.sh", "was changed or is missing"),
    ] {
        let good = std::fs::read(site.path(file)).unwrap();
        let mut bad = good.clone();
        // The last byte but one: in the script a letter within a text, in a checksum a letter of the name.
        let at = bad.len() - 2;
        bad[at] ^= 1;
        if file.ends_with("verify.sh") {
            bad = [good.as_slice(), b"# more\n"].concat();
        }
        site.0.write(file, bad);
        site.check(5, expected);
        site.0.write(file, good);
    }
    site.check(0, "trusted");
    site.0.write("small-bundle/deploy/extra.yaml", "x");
    site.check(5, "`deploy/extra.yaml` in this folder is not part of the bundle");
    site.0.remove("small-bundle/deploy/extra.yaml").remove("small-bundle/deploy/b.yaml");
    site.check(5, "was changed or is missing");
    site.0.write("b.yaml", "b: 2\n");
    std::os::unix::fs::symlink("../../b.yaml", site.path("small-bundle/deploy/b.yaml")).unwrap();
    site.check(5, "`deploy/b.yaml` in this folder is a link");
}

#[test]
fn what_cannot_be_looked_at() {
    let Some(site) = Site::new() else { return };
    assert_eq!(site.run(&[]).0, 2);
    assert_eq!(site.run(&["a", "b", "c"]).0, 2);
    assert_eq!(site.run(&["no-such-key"]).0, 3);
    site.0.write("key.pem", "no key");
    site.check(3, "is no public key in PEM form");
    for tool in TOOLS {
        let path = site.path("bin").join(tool);
        std::fs::rename(&path, site.path("away")).unwrap();
        site.check(4, &format!("`{tool}` is not installed"));
        std::fs::rename(site.path("away"), path).unwrap();
    }
}
