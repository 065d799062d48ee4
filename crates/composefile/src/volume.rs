//! The short form of a volume mount: `[SOURCE:]TARGET[:OPTIONS]`.

use source::letters::is_letter;
use source::{Span, Text};

use crate::{Map, Node, Value};

/// A parsed mount. Source and target keep the places of their bytes.
#[derive(Debug, Default)]
pub(crate) struct Mount {
    pub(crate) kind: &'static str,
    pub(crate) source: Text,
    pub(crate) target: Text,
    read_only: bool,
    no_copy: bool,
    bind: Option<Bind>,
    /// Anything longer than two bytes gets a `volume` or `bind` section.
    has_section: bool,
}

#[derive(Debug, Default)]
struct Bind {
    propagation: Option<Text>,
    selinux: Option<Text>,
}

/// Parses a mount, whatever the platform.
pub(crate) fn parse(spec: &Text) -> Result<Mount, String> {
    let mut mount = Mount { kind: "volume", ..Mount::default() };
    match spec.len() {
        0 => return Err("invalid empty volume spec".to_owned()),
        1 | 2 => {
            mount.target = spec.clone();
            return Ok(mount);
        }
        _ => {}
    }
    mount.has_section = true;
    let bytes = spec.as_bytes();
    let mut start = 0;
    let mut nesting = 0_usize;
    let ends = spec.char_indices().map(|(at, character)| (at, Some(character))).chain([(spec.len(), None)]);
    for (at, character) in ends {
        match character {
            Some('$') if bytes.get(at + 1) == Some(&b'{') => nesting += 1,
            Some('}') if nesting > 0 => nesting -= 1,
            Some(':') | None if nesting == 0 => {
                let buffer = spec.slice(start..at);
                if character.is_some() && is_drive(&buffer) {
                    continue;
                }
                mount.take(&buffer, character.is_none()).map_err(|reason| format!("invalid spec: {spec}: {reason}"))?;
                start = at + 1;
            }
            _ => {}
        }
    }
    if is_file_path(&mount.source) {
        mount.kind = "bind";
        mount.bind.get_or_insert_default();
    }
    Ok(mount)
}

/// A letter before a colon is a Windows drive.
fn is_drive(buffer: &str) -> bool {
    let mut characters = buffer.chars();
    characters.next().is_some_and(is_letter) && characters.next().is_none()
}

fn is_file_path(source: &str) -> bool {
    if source.starts_with(['.', '/', '~']) || source.starts_with("\\\\") {
        return true;
    }
    let mut characters = source.chars();
    characters.next().is_some_and(is_letter) && characters.next() == Some(':')
}

impl Mount {
    fn take(&mut self, buffer: &Text, is_end: bool) -> Result<(), &'static str> {
        if buffer.is_empty() {
            return Err("empty section between colons");
        }
        if self.source.is_empty() {
            if is_end {
                self.target = buffer.clone();
            } else {
                self.source = buffer.clone();
            }
            return Ok(());
        }
        if self.target.is_empty() {
            self.target = buffer.clone();
            return Ok(());
        }
        if !is_end {
            return Err("too many colons");
        }
        for option in buffer.split(',') {
            match option {
                "ro" => self.read_only = true,
                "rw" => self.read_only = false,
                "nocopy" => self.no_copy = true,
                "rprivate" | "private" | "rshared" | "shared" | "rslave" | "slave" => {
                    self.bind.get_or_insert_default().propagation = Some(Text::new(option));
                }
                "z" | "Z" => self.bind.get_or_insert_default().selinux = Some(Text::new(option)),
                _ => {}
            }
        }
        Ok(())
    }

    /// The long form.
    pub(crate) fn into_node(self, span: Option<Span>) -> Node {
        let mut map = Map::new();
        let is_bind = self.kind == "bind";
        map.set("type", Node::at(self.kind, span));
        if !self.source.is_empty() {
            map.set("source", Node::at(self.source, span));
        }
        if !self.target.is_empty() {
            let target = clean(&self.target);
            let target =
                if target == self.target.as_str() { self.target } else { Text::derived_from(target, [&self.target]) };
            map.set("target", Node::at(target, span));
        }
        if self.read_only {
            map.set("read_only", Node::at(true, span));
        }
        if let Some(bind) = self.bind {
            let mut section = Map::new();
            if let Some(selinux) = bind.selinux {
                section.set("selinux", Node::at(selinux, span));
            }
            if let Some(propagation) = bind.propagation {
                section.set("propagation", Node::at(propagation, span));
            }
            if is_bind {
                section.set("create_host_path", Node::at(true, span));
            }
            map.set("bind", Node::at(section, span));
        }
        if self.no_copy || (self.has_section && !is_bind) {
            let mut section = Map::new();
            if self.no_copy {
                section.set("nocopy", Node::at(true, span));
            }
            map.set("volume", Node::at(section, span));
        }
        Node::at(Value::Map(map), span)
    }
}

/// Go's `path.Clean`.
pub(crate) fn clean(path: &str) -> String {
    if path.is_empty() {
        return ".".to_owned();
    }
    let rooted = path.starts_with('/');
    let mut out: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match out.last() {
                Some(&last) if last != ".." => {
                    out.pop();
                }
                _ if rooted => {}
                _ => out.push(".."),
            },
            other => out.push(other),
        }
    }
    let joined = out.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

/// Go's `filepath.Join` of two parts, on Unix.
pub(crate) fn join(base: &str, path: &str) -> String {
    match (base.is_empty(), path.is_empty()) {
        (true, true) => String::new(),
        (true, false) => clean(path),
        (false, true) => clean(base),
        (false, false) => clean(&format!("{base}/{path}")),
    }
}

/// Go's `filepath.Dir`, on Unix.
pub(crate) fn dir(path: &str) -> String {
    match path.rfind('/') {
        Some(at) => clean(&path[..=at]),
        None => ".".to_owned(),
    }
}

/// Go's `filepath.Rel` of two absolute clean paths; `target` itself where there is no relative one.
pub(crate) fn relative(base: &str, target: &str) -> String {
    let (base, target) = (clean(base), clean(target));
    if base.starts_with('/') != target.starts_with('/') {
        return target;
    }
    let parts = |path: &str| -> Vec<String> {
        path.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect()
    };
    let (base, goal) = (parts(&base), parts(&target));
    let common = base.iter().zip(&goal).take_while(|(a, b)| a == b).count();
    if base[common..].iter().any(|part| part == "..") {
        return target;
    }
    let mut out: Vec<&str> = vec![".."; base.len() - common];
    out.extend(goal[common..].iter().map(String::as_str));
    if out.is_empty() { ".".to_owned() } else { out.join("/") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_have_a_source_a_target_and_a_kind() {
        for (spec, expected) in [
            ("/data", ("volume", "", "/data")),
            ("name:/data", ("volume", "name", "/data")),
            ("./a:/b:ro,z", ("bind", "./a", "/b")),
            ("C:\\a:/b", ("bind", "C:\\a", "/b")),
            ("${A:-x}:/b", ("volume", "${A:-x}", "/b")),
        ] {
            let mount = parse(&Text::new(spec)).unwrap();
            assert_eq!((mount.kind, mount.source.as_str(), mount.target.as_str()), expected, "{spec}");
        }
        let refused = |spec: &str| parse(&Text::new(spec)).unwrap_err();
        assert_eq!(refused("aa::b"), "invalid spec: aa::b: empty section between colons");
        assert_eq!(refused("aa:bb:cc:dd"), "invalid spec: aa:bb:cc:dd: too many colons");
        assert_eq!(refused(""), "invalid empty volume spec");
    }

    #[test]
    fn paths_are_joined_by_name() {
        for (base, path, expected) in [
            ("/a", "./b", "/a/b"),
            ("a", "..", "."),
            ("/", "../x", "/x"),
            ("", "x/", "x"),
            ("../a", "../../b", "../../b"),
        ] {
            assert_eq!(join(base, path), expected);
        }
        assert_eq!(relative("/a/b", "/a/c/d"), "../c/d");
        assert_eq!(relative("/a", "/a"), ".");
        assert_eq!(dir("/a/b.yaml"), "/a");
    }
}
