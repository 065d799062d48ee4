//! Nodes to plain values, with go-yaml's rules for duplicate keys, merge keys and aliases.

use std::collections::{HashMap, HashSet};

use source::{Text, octets};

use super::go_syntax::{print, quote};
use super::{MOST_DEPTH, Numbers};
use crate::number::{format_g, format_g32};
use crate::{Data, Dialect, Error, Kind, Limit, NodeRef, Scalar, base64};

/// Up to this many steps, nearly all of them may come from aliases.
const ALIAS_RANGE_LOW: f64 = 400_000.0;
/// From this many steps on, a tenth may.
const ALIAS_RANGE_HIGH: f64 = 4_000_000.0;

/// Complaints that are collected. go-yaml collects all, which is quadratic in the number of equal keys.
const MOST_COMPLAINTS: usize = 1_000;

pub(super) struct Constructor<'s> {
    source: &'s Text,
    dialect: Dialect,
    strict: bool,
    json: Option<Numbers>,
    steps: u64,
    alias_steps: u64,
    alias_depth: usize,
    /// Aliases that are being followed.
    following: HashSet<u32>,
    depth: usize,
    /// Complaints that do not stop go-yaml, with the line each begins with.
    complaints: Vec<(Error, String)>,
    /// What the conversion to JSON will refuse: a key, or else a number.
    bad_key: Option<Error>,
    bad_number: Option<Error>,
}

/// The entries of a map that is being filled.
#[derive(Default)]
struct Filling {
    entries: Vec<(Text, Data)>,
    /// Typed keys, where it matters whether one is there already.
    seen: HashSet<String>,
    /// Why JSON cannot have one of the keys.
    bad_key: Option<Error>,
    /// v3 and v4: a Go map whose keys are strings, so that keys that are merged in become strings as they are written.
    strings: bool,
}

type Built = Result<Option<Data>, Error>;

impl<'s> Constructor<'s> {
    pub(super) fn new(source: &'s Text, dialect: Dialect, strict: bool) -> Self {
        Self {
            source,
            dialect,
            strict,
            json: None,
            steps: 0,
            alias_steps: 0,
            alias_depth: 0,
            following: HashSet::new(),
            depth: 0,
            complaints: Vec::new(),
            bad_key: None,
            bad_number: None,
        }
    }

    /// The values go through JSON: keys that cannot be strings and numbers that JSON does not have are refused.
    pub(super) fn for_json(&mut self, numbers: Numbers) {
        self.json = Some(numbers);
    }

    pub(super) fn document(&mut self, root: NodeRef<'_>) -> Result<Data, Error> {
        // go-yaml counts the document itself.
        self.steps += 1;
        let data = self.value(root)?;
        if let Some((first, _)) = self.complaints.first() {
            let lines: Vec<&str> = self.complaints.iter().map(|(_, line)| line.as_str()).collect();
            let message = match self.dialect {
                Dialect::GoYamlV4 => format!("yaml: construct errors: {}", lines.join("; ")),
                _ => format!("yaml: unmarshal errors:\n  {}", lines.join("\n  ")),
            };
            return Err(Error::new(message, first.span()));
        }
        let data = data.unwrap_or(Data::Null);
        match self.bad_key.take().or(self.bad_number.take()) {
            // Where a key is there twice, what stood at the first one is gone.
            Some(error) if has_no_json(&data) => Err(error),
            _ => Ok(data),
        }
    }

    /// An error that stops go-yaml at `node`.
    fn fail(&self, node: NodeRef<'_>, stage: &str, message: &str) -> Error {
        let message = match self.dialect {
            Dialect::GoYamlV4 => {
                let (line, column) = node.line_and_column();
                format!("go-yaml load error in {stage} at L{line}.C{column}: {message}")
            }
            _ => format!("yaml: {message}"),
        };
        Error::new(message, Some(node.span()))
    }

    fn complain(&mut self, node: NodeRef<'_>, message: &str) {
        let line = format!("line {}: {message}", node.line_and_column().0);
        self.complaints.push((Error::new("", Some(node.span())), line));
    }

    fn count(&mut self, node: NodeRef<'_>) -> Result<(), Error> {
        self.steps += 1;
        if self.alias_depth > 0 {
            self.alias_steps += 1;
        }
        if self.alias_steps > 100 && self.steps > 1000 {
            #[expect(clippy::cast_precision_loss, reason = "Go compares as floats too")]
            let (steps, aliased) = (self.steps as f64, self.alias_steps as f64);
            let beyond = ((steps - ALIAS_RANGE_LOW) / (ALIAS_RANGE_HIGH - ALIAS_RANGE_LOW)).clamp(0.0, 1.0);
            if aliased / steps > 0.99 - 0.89 * beyond {
                return Err(self.fail(node, "constructor", "document contains excessive aliasing"));
            }
        }
        Ok(())
    }

    /// The value of a node that is no key.
    fn value(&mut self, node: NodeRef<'_>) -> Built {
        let data = self.build(node)?;
        Ok(data.map(|data| self.through_json(node, data)))
    }

    /// The value of a node; none where go-yaml sets none.
    fn build(&mut self, node: NodeRef<'_>) -> Built {
        self.count(node)?;
        match node.kind() {
            Kind::Alias => self.within_alias(node, Self::build),
            Kind::Scalar => self.scalar(node),
            Kind::Sequence => self.deeper(node, |this| {
                let mut items = Vec::with_capacity(node.items().len());
                for item in node.items() {
                    items.extend(this.value(item)?);
                }
                Ok(Some(Data::Seq(items)))
            }),
            Kind::Mapping => {
                let strings = self.dialect != Dialect::GoYamlV2 && node.entries().all(|(key, _)| is_string_key(key));
                let mut filling = Filling { strings, ..Filling::default() };
                if !self.mapping(node, &mut filling, None)? {
                    return Ok(None);
                }
                let mut entries = filling.entries;
                // Of equal keys the last was set last.
                entries.reverse();
                entries.sort_by(|(a, _), (b, _)| a.cmp(b));
                entries.dedup_by(|(a, _), (b, _)| a == b);
                if let Some(error) = filling.bad_key {
                    // What JSON cannot have either, so that it is known whether this map is still there at the end.
                    entries.push((Text::default(), Data::Float(f64::NAN)));
                    self.bad_key.get_or_insert(error);
                }
                Ok(Some(Data::Map(entries)))
            }
        }
    }

    fn deeper<T>(&mut self, node: NodeRef<'_>, run: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if self.depth >= MOST_DEPTH {
            let message = format!("yaml: values nest deeper than {MOST_DEPTH} levels");
            return Err(Error::over(Limit::Depth, message, Some(node.span())));
        }
        self.depth += 1;
        let result = run(self);
        self.depth -= 1;
        result
    }

    fn within_alias<'d, T>(
        &mut self,
        node: NodeRef<'d>,
        run: impl FnOnce(&mut Self, NodeRef<'d>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if !self.following.insert(node.id()) {
            let message = format!("anchor '{}' value contains itself", node.anchor().unwrap_or_default());
            return Err(self.fail(node, "composer", &message));
        }
        self.alias_depth += 1;
        let result = run(self, node.target());
        self.alias_depth -= 1;
        self.following.remove(&node.id());
        result
    }

    fn scalar(&mut self, node: NodeRef<'_>) -> Built {
        let data = match node.resolve()? {
            Scalar::Null => Data::Null,
            Scalar::Bool(value) => Data::Bool(value),
            Scalar::Int(value) => Data::Int(value),
            Scalar::Uint(value) => Data::Uint(value),
            Scalar::Float(value) => Data::Float(value),
            // v4 has no value for it.
            Scalar::Merge if self.dialect == Dialect::GoYamlV4 => return Ok(None),
            Scalar::Str | Scalar::Merge => Data::Str(node.text(self.source)),
            Scalar::Timestamp(_) if self.dialect == Dialect::GoYamlV2 => Data::Str(node.text(self.source)),
            Scalar::Timestamp(time) => Data::Str(Text::derived_from(time.to_string(), [&node.text(self.source)])),
            Scalar::Binary => {
                let message = "!!binary value contains invalid base64 data";
                let bytes = base64::decode(node.raw()).ok_or_else(|| self.fail(node, "constructor", message))?;
                // JSON, on the way to values, holds characters only.
                let text = if self.json.is_some() { octets::with_replacements(&bytes) } else { octets::marked(&bytes) };
                Data::Str(Text::derived_from(&*text, [&node.text(self.source)]))
            }
        };
        Ok(Some(data))
    }

    /// Numbers as the JSON between YAML and values has them.
    fn through_json(&mut self, node: NodeRef<'_>, data: Data) -> Data {
        let Some(numbers) = self.json else { return data };
        if let Data::Float(value) = data
            && !value.is_finite()
            && self.bad_number.is_none()
        {
            let message = format!("json: unsupported value: {}", format_g(value));
            self.bad_number = Some(Error::new(message, Some(node.span())));
        }
        #[expect(clippy::cast_precision_loss, reason = "as encoding/json decodes numbers")]
        match data {
            Data::Int(value) if numbers == Numbers::Floats => Data::Float(value as f64),
            Data::Uint(value) if numbers == Numbers::Floats => Data::Float(value as f64),
            data => data,
        }
    }

    /// Fills a map from a mapping. `merged` holds the keys that are not to be set again (v3 and v4). False if the mapping
    /// is given up.
    fn mapping(
        &mut self,
        node: NodeRef<'_>,
        filling: &mut Filling,
        merged: Option<&mut HashSet<String>>,
    ) -> Result<bool, Error> {
        self.deeper(node, |this| match this.dialect {
            Dialect::GoYamlV2 => this.mapping_v2(node, filling),
            _ => this.mapping_v3(node, filling, merged),
        })
    }

    fn mapping_v2(&mut self, node: NodeRef<'_>, filling: &mut Filling) -> Result<bool, Error> {
        for (key, value) in node.entries() {
            if key.is_merge_key() {
                self.merge_v2(value, filling)?;
                continue;
            }
            let Some(name) = self.build(key)? else { continue };
            if matches!(name, Data::Map(_) | Data::Seq(_)) {
                let message = format!("invalid map key: {}", print(key));
                return Err(self.fail(key, "", &message));
            }
            let Some(data) = self.value(value)? else { continue };
            if self.strict && !filling.seen.insert(typed(&name)) {
                self.complain(value, &format!("key {} already set in map", print(key)));
                continue;
            }
            self.enter((key, &name), (value, data), filling);
        }
        Ok(true)
    }

    /// A key of a map (v3 and v4).
    fn key(&mut self, node: NodeRef<'_>, strings: bool) -> Built {
        let target = node.target();
        let verb = if self.dialect == Dialect::GoYamlV4 { "construct" } else { "unmarshal" };
        if strings && target.kind() != Kind::Scalar {
            self.count(node)?;
            let kind = if target.kind() == Kind::Mapping { "!!map" } else { "!!seq" };
            let kind = target.tag().unwrap_or(kind);
            self.complain(target, &format!("cannot {verb} {kind} into string"));
            return Ok(None);
        }
        let key = self.build(node)?;
        if !strings || matches!(key, Some(Data::Str(_))) && !matches!(target.value(), Scalar::Timestamp(_)) {
            return Ok(key);
        }
        match target.value() {
            Scalar::Null => Ok(None),
            Scalar::Timestamp(_) if self.dialect == Dialect::GoYamlV4 => {
                let raw = target.raw();
                let shown = if raw.len() > 10 { format!("{}...", raw.get(..7).unwrap_or(raw)) } else { raw.to_owned() };
                self.complain(target, &format!("cannot construct !!timestamp `{shown}` into string"));
                Ok(None)
            }
            _ => Ok(Some(Data::Str(target.text(self.source)))),
        }
    }

    fn merge_v2(&mut self, value: NodeRef<'_>, filling: &mut Filling) -> Result<(), Error> {
        let target = value.target();
        match (value.kind(), target.kind()) {
            (_, Kind::Mapping) => self.merge_one(value, filling, None),
            (Kind::Sequence, _) => {
                // Backwards: the earlier ones win.
                for item in value.items().rev() {
                    if item.target().kind() != Kind::Mapping {
                        return Err(self.wants_map(item));
                    }
                    self.merge_one(item, filling, None)?;
                }
                Ok(())
            }
            _ => Err(self.wants_map(value)),
        }
    }

    fn wants_map(&self, node: NodeRef<'_>) -> Error {
        let message = "map merge requires map or sequence of maps as the value";
        self.fail(node.target(), "constructor", message)
    }

    /// Merges a mapping, or an alias of one.
    fn merge_one(
        &mut self,
        node: NodeRef<'_>,
        filling: &mut Filling,
        merged: Option<&mut HashSet<String>>,
    ) -> Result<(), Error> {
        self.count(node)?;
        if node.kind() == Kind::Alias {
            return self.within_alias(node, |this, target| {
                this.count(target)?;
                this.mapping(target, filling, merged).map(drop)
            });
        }
        self.mapping(node, filling, merged).map(drop)
    }

    fn mapping_v3(
        &mut self,
        node: NodeRef<'_>,
        filling: &mut Filling,
        mut merged: Option<&mut HashSet<String>>,
    ) -> Result<bool, Error> {
        if self.complain_of_duplicates(node) {
            return Ok(false);
        }
        let mut merge = None;
        for (key, value) in node.entries() {
            if key.is_merge_key() {
                merge = Some(value);
                continue;
            }
            let Some(name) = self.key(key, filling.strings)? else { continue };
            if let Some(merged) = merged.as_deref_mut()
                && !merged.insert(typed(&name))
            {
                continue;
            }
            if matches!(name, Data::Map(_) | Data::Seq(_)) {
                let printed = print(key);
                let message = match self.dialect {
                    Dialect::GoYamlV4 => format!("cannot use '{printed}' as a map key; try decoding into yaml.Node"),
                    _ => format!("invalid map key: {printed}"),
                };
                return Err(self.fail(key, "constructor", &message));
            }
            if let Some(data) = self.value(value)? {
                self.enter((key, &name), (value, data), filling);
            }
        }
        let Some(merge) = merge else { return Ok(true) };
        let mut own = HashSet::new();
        let merged = match merged {
            Some(merged) => merged,
            None => {
                for (key, _) in node.entries() {
                    if let Some(name) = self.build(key)? {
                        own.insert(typed(&name));
                    }
                }
                &mut own
            }
        };
        let target = merge.target();
        match (merge.kind(), target.kind()) {
            (_, Kind::Mapping) => self.merge_one(merge, filling, Some(merged))?,
            (Kind::Sequence, _) => {
                for item in merge.items() {
                    if item.target().kind() != Kind::Mapping {
                        return Err(self.wants_map(item));
                    }
                    self.merge_one(item, filling, Some(merged))?;
                }
            }
            _ => return Err(self.wants_map(merge)),
        }
        Ok(true)
    }

    /// v3 and v4 compare keys as they are written. Each pair of equal keys is a complaint, of the later one.
    fn complain_of_duplicates(&mut self, node: NodeRef<'_>) -> bool {
        let keys: Vec<NodeRef<'_>> = node.entries().map(|(key, _)| key).collect();
        let mut same: HashMap<(Kind, &str), Vec<usize>> = HashMap::with_capacity(keys.len());
        for (index, key) in keys.iter().enumerate() {
            same.entry(written(*key)).or_default().push(index);
        }
        if same.len() == keys.len() {
            return false;
        }
        for (index, &early) in keys.iter().enumerate() {
            let line = early.line_and_column().0;
            let equal = same.get(&written(early)).map(Vec::as_slice).unwrap_or_default();
            let later = equal.partition_point(|&other| other <= index);
            for &late in equal.iter().skip(later).filter_map(|&late| keys.get(late)) {
                if self.complaints.len() >= MOST_COMPLAINTS {
                    return true;
                }
                let name = quote(written(late).1);
                self.complain(late, &format!("mapping key {name} already defined at line {line}"));
            }
        }
        true
    }

    /// One more entry, its key as a string.
    fn enter(&self, (node, key): (NodeRef<'_>, &Data), (value, data): (NodeRef<'_>, Data), filling: &mut Filling) {
        let made = |string: String| Text::derived_from(string, [&node.text(self.source)]);
        let name = match key {
            Data::Str(text) => text.clone(),
            Data::Bool(value) => made(value.to_string()),
            Data::Int(value) => made(value.to_string()),
            Data::Float(value) => {
                let number = if self.json.is_some() { format_g32(*value) } else { format_g(*value) };
                made(match number.as_str() {
                    "NaN" => ".nan".to_owned(),
                    "+Inf" => ".inf".to_owned(),
                    "-Inf" => "-.inf".to_owned(),
                    _ => number,
                })
            }
            Data::Uint(number) if self.json.is_none() => made(number.to_string()),
            Data::Null if self.json.is_none() => made("null".to_owned()),
            Data::Null | Data::Uint(_) | Data::Seq(_) | Data::Map(_) => {
                let kind = if *key == Data::Null { "%!s(<nil>)" } else { "uint64" };
                let (printed, value) = (print(node), print(value));
                let message = format!("unsupported map key of type: {kind}, key: {printed}, value: {value}");
                // A key that is written twice has the value that was set last.
                filling.bad_key = Some(Error::new(message, Some(node.span())));
                return;
            }
        };
        filling.entries.push((name, data));
    }
}

fn has_no_json(data: &Data) -> bool {
    match data {
        Data::Float(value) => !value.is_finite(),
        Data::Seq(items) => items.iter().any(has_no_json),
        Data::Map(entries) => entries.iter().any(|(_, value)| has_no_json(value)),
        _ => false,
    }
}

/// Whether go-yaml v3 and v4 take a key for a string (or a merge key).
pub(super) fn is_string_key(key: NodeRef<'_>) -> bool {
    let key = key.target();
    let plain = || matches!(key.value(), Scalar::Str | Scalar::Merge);
    key.kind() == Kind::Scalar && matches!(key.tag(), None | Some("!" | "!!str" | "!!merge")) && plain()
}

/// What v3 and v4 compare of a key: collections are all alike.
fn written(key: NodeRef<'_>) -> (Kind, &str) {
    let text = match key.kind() {
        Kind::Scalar => key.raw(),
        Kind::Alias => key.anchor().unwrap_or_default(),
        Kind::Sequence | Kind::Mapping => "",
    };
    (key.kind(), text)
}

/// A key with its Go type: `1` and `"1"` differ.
fn typed(key: &Data) -> String {
    match key {
        Data::Str(text) => format!("s{}", text.as_str()),
        Data::Null => "n".to_owned(),
        Data::Bool(value) => format!("b{value}"),
        Data::Int(value) => format!("i{value}"),
        Data::Uint(value) => format!("u{value}"),
        Data::Float(value) => format!("f{}", format_g(*value)),
        // Refused as keys.
        Data::Seq(_) | Data::Map(_) => "c".to_owned(),
    }
}
