//! Relative paths to absolute ones, by path of the attribute.

use std::sync::LazyLock;

use source::Text;

use crate::path::{ITEM, Path, Table};
use crate::volume::join;
use crate::{Error, Node, Value};

/// What relative paths start from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Base<'b> {
    /// May itself be relative: an included file's folder, relative to the one that includes it.
    pub(crate) folder: &'b str,
    /// What `~` stands for.
    pub(crate) home: Option<&'b str>,
}

#[derive(Clone, Copy, Debug)]
enum Rule {
    Path,
    BuildContext,
    /// A path that may be a Windows one.
    HostPath,
    Mount,
    DriverOptions,
    ExtendsFile,
}

static RULES: LazyLock<Table<Rule>> = LazyLock::new(|| {
    let mut table = Table::new();
    let both = ["services.*", "jobs.*"];
    table.add(&both, "build.context", Rule::BuildContext);
    table.add(&both, "build.additional_contexts.*", Rule::BuildContext);
    table.add(&both, "build.ssh.*", Rule::HostPath);
    table.add(&both, "env_file.*.path", Rule::Path);
    table.add(&both, "label_file.*", Rule::Path);
    table.add(&both, "extends.file", Rule::ExtendsFile);
    table.add(&both, "volumes.*", Rule::Mount);
    table.add(&["services.*"], "develop.watch.*.path", Rule::Path);
    table.add(&["services.*.pre_start.*"], "env_file.*.path", Rule::Path);
    table.add(&["services.*.pre_start.*"], "label_file.*", Rule::Path);
    table.add(&["services.*.pre_start.*"], "volumes.*", Rule::Mount);
    table.add(&["configs.*", "secrets.*"], "file", Rule::HostPath);
    table.add(&["volumes"], "*", Rule::DriverOptions);
    table
});

/// Makes every relative path below the root start at `base`.
pub(crate) fn resolve(root: &mut Node, base: Base<'_>) -> Result<(), Error> {
    walk(root, &Path::ROOT, base)
}

fn walk(node: &mut Node, path: &Path<'_>, base: Base<'_>) -> Result<(), Error> {
    if let Some(rule) = RULES.find(path) {
        let span = node.span;
        return apply(rule, node, base).map_err(|error| error.at(span));
    }
    if RULES.ends_before(path) {
        return Ok(());
    }
    match &mut node.value {
        Value::Map(map) => map.iter_mut().try_for_each(|(key, child)| walk(child, &path.next(key), base)),
        Value::Seq(items) => items.iter_mut().try_for_each(|child| walk(child, &path.next(ITEM), base)),
        _ => Ok(()),
    }
}

fn apply(rule: Rule, node: &mut Node, base: Base<'_>) -> Result<(), Error> {
    match rule {
        Rule::Path | Rule::ExtendsFile => absolute(node, base),
        Rule::BuildContext => {
            let Some(text) = node.as_str() else { return Ok(()) };
            if text.contains("://") || text.starts_with("service:") || is_remote(text) {
                return Ok(());
            }
            absolute(node, base)
        }
        Rule::HostPath => {
            host_path(node, base);
            Ok(())
        }
        Rule::Mount => {
            let Some(map) = node.as_map_mut() else { return Ok(()) };
            if map.get("type").and_then(Node::as_str) != Some("bind") {
                return Ok(());
            }
            let Some(source) = map.get_mut("source") else {
                let message = "invalid mount config for type \"bind\": field Source must not be empty";
                return Err(Error::invalid(message));
            };
            host_path(source, base);
            Ok(())
        }
        Rule::DriverOptions => {
            let Some(map) = node.as_map_mut() else { return Ok(()) };
            if map.get("driver").and_then(Node::as_str) != Some("local") {
                return Ok(());
            }
            let Some(options) = map.get_mut("driver_opts").and_then(Node::as_map_mut) else { return Ok(()) };
            if options.get("o").and_then(Node::as_str) == Some("bind")
                && let Some(device) = options.get_mut("device")
            {
                host_path(device, base);
            }
            Ok(())
        }
    }
}

/// Git and HTTP references.
fn is_remote(text: &str) -> bool {
    ["https://", "http://", "git://", "ssh://", "github.com/", "git@"].iter().any(|prefix| text.starts_with(prefix))
}

fn set(node: &mut Node, path: String) {
    if let Value::Str(text) = &node.value
        && text.as_str() != path
    {
        node.value = Value::Str(Text::derived_from(path, [text]));
    }
}

/// `~` at the start is the home folder; what follows it is taken as a path below.
pub(crate) fn expand_home(path: &str, home: Option<&str>) -> String {
    match (path.strip_prefix('~'), home) {
        (Some(rest), Some(home)) => join(home, rest),
        _ => path.to_owned(),
    }
}

fn absolute(node: &mut Node, base: Base<'_>) -> Result<(), Error> {
    match &mut node.value {
        Value::Seq(items) => items.iter_mut().try_for_each(|item| absolute(item, base)),
        Value::Str(text) => {
            let path = expand_home(text, base.home);
            let path = if path.starts_with('/') || path.is_empty() { path } else { join(base.folder, &path) };
            set(node, path);
            Ok(())
        }
        _ => Err(Error::invalid(format!("unexpected type {}", node.go_type()))),
    }
}

fn host_path(node: &mut Node, base: Base<'_>) {
    let Some(text) = node.as_str() else { return };
    let path = expand_home(text, base.home);
    let path = if path.starts_with('/') || is_windows_absolute(&path) { path } else { join(base.folder, &path) };
    set(node, path);
}

/// `C:\…`, `C:/…` and `\\server\share\…`.
fn is_windows_absolute(path: &str) -> bool {
    let bytes = path.as_bytes();
    let is_slash = |byte: Option<&u8>| matches!(byte, Some(b'\\' | b'/'));
    if bytes.first().is_some_and(u8::is_ascii_alphabetic) && bytes.get(1) == Some(&b':') {
        return is_slash(bytes.get(2));
    }
    // A share: two slashes, a server, a slash, a share that does not start with a dot, and a slash.
    if !(is_slash(bytes.first()) && is_slash(bytes.get(1))) || is_slash(bytes.get(2)) || bytes.get(2) == Some(&b'.') {
        return false;
    }
    let mut parts = path.get(2..).unwrap_or_default().splitn(3, ['\\', '/']);
    let server = parts.next().unwrap_or_default();
    let share = parts.next().unwrap_or_default();
    !server.is_empty() && !share.is_empty() && !share.starts_with('.') && parts.next().is_some()
}
