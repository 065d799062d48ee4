//! An env file, both as the project's `.env` and as a service's `env_file:` in its two formats.

use camino::Utf8PathBuf;
use source::MemoryFiles;

const COMPOSE: &str = "services:
  a: {image: x, hostname: \"${A-}${B:+b}\", env_file: [a.env]}
  b: {image: x, env_file: [{path: a.env, format: raw}]}
";

pub(crate) fn check(bytes: &[u8]) {
    let text = crate::text_of(bytes);
    for (project, service) in [(text.as_str(), ""), ("A=1\n", text.as_str())] {
        let files = MemoryFiles::new([("compose.yaml", COMPOSE), (".env", project), ("a.env", service)]);
        let paths = [Utf8PathBuf::from("compose.yaml")];
        let plain = crate::compose::loaded(&files, &paths, false);
        assert_eq!(crate::compose::loaded(&files, &paths, true), plain, "a trace changes the project");
    }
}
