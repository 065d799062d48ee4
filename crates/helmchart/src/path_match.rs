//! Go's `path.Match`: the patterns of `.helmignore` and `--show-only`.

/// The pattern is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadPattern;

/// Whether `name` as a whole matches the shell pattern. `*` and `?` do not cross `/`.
///
/// As in Go, a malformed pattern is an error only if the match comes as far as the bad part; but an early mismatch still
/// scans the rest of the pattern for well-formedness.
pub(crate) fn path_match(pattern: &str, name: &str) -> Result<bool, BadPattern> {
    let mut pattern = pattern;
    let mut name = name;
    while !pattern.is_empty() {
        let (star, chunk, rest) = scan_chunk(pattern);
        pattern = rest;
        if star && chunk.is_empty() {
            return Ok(!name.contains('/'));
        }
        let matched = match_chunk(chunk, name)?;
        if let Some(rest) = matched
            && (rest.is_empty() || !pattern.is_empty())
        {
            name = rest;
            continue;
        }
        if star {
            let mut found = None;
            for (at, character) in name.char_indices() {
                if character == '/' {
                    break;
                }
                let from = at + character.len_utf8();
                if let Some(rest) = match_chunk(chunk, &name[from..])? {
                    if pattern.is_empty() && !rest.is_empty() {
                        continue;
                    }
                    found = Some(rest);
                    break;
                }
            }
            if let Some(rest) = found {
                name = rest;
                continue;
            }
        }
        while !pattern.is_empty() {
            let (_, chunk, rest) = scan_chunk(pattern);
            pattern = rest;
            match_chunk(chunk, "")?;
        }
        return Ok(false);
    }
    Ok(name.is_empty())
}

/// Leading stars, the piece up to the next star outside brackets, and the rest.
fn scan_chunk(pattern: &str) -> (bool, &str, &str) {
    let stripped = pattern.trim_start_matches('*');
    let star = stripped.len() != pattern.len();
    let bytes = stripped.as_bytes();
    let mut in_range = false;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if at + 1 < bytes.len() => at += 1,
            b'[' => in_range = true,
            b']' => in_range = false,
            b'*' if !in_range => break,
            _ => {}
        }
        at += 1;
    }
    let at = at.min(bytes.len());
    (star, stripped.get(..at).unwrap_or(stripped), stripped.get(at..).unwrap_or(""))
}

/// What is left of `name` after the star-free `chunk`, or `None`.
fn match_chunk<'n>(chunk: &str, name: &'n str) -> Result<Option<&'n str>, BadPattern> {
    let mut chunk = chunk;
    let mut name = name;
    let mut failed = false;
    while let Some(head) = chunk.chars().next() {
        if !failed && name.is_empty() {
            failed = true;
        }
        match head {
            '[' => {
                let mut character = '\0';
                if !failed {
                    let Some(next) = name.chars().next() else { return Ok(None) };
                    character = next;
                    name = &name[next.len_utf8()..];
                }
                chunk = &chunk[1..];
                let negated = chunk.starts_with('^');
                if negated {
                    chunk = &chunk[1..];
                }
                let mut matched = false;
                let mut ranges = 0;
                loop {
                    if ranges > 0 && chunk.starts_with(']') {
                        chunk = &chunk[1..];
                        break;
                    }
                    let (low, rest) = bracket_char(chunk)?;
                    let mut high = low;
                    chunk = rest;
                    if let Some(after) = chunk.strip_prefix('-') {
                        let (end, rest) = bracket_char(after)?;
                        high = end;
                        chunk = rest;
                    }
                    matched |= low <= character && character <= high;
                    ranges += 1;
                }
                if matched == negated {
                    failed = true;
                }
            }
            '?' => {
                if !failed {
                    if name.starts_with('/') {
                        failed = true;
                    }
                    let skip = name.chars().next().map_or(0, char::len_utf8);
                    name = &name[skip..];
                }
                chunk = &chunk[1..];
            }
            _ => {
                let mut head = head;
                if head == '\\' {
                    chunk = &chunk[1..];
                    head = chunk.chars().next().ok_or(BadPattern)?;
                }
                if !failed {
                    match name.strip_prefix(head) {
                        Some(rest) => name = rest,
                        None => failed = true,
                    }
                }
                chunk = &chunk[head.len_utf8()..];
            }
        }
    }
    Ok(if failed { None } else { Some(name) })
}

fn bracket_char(chunk: &str) -> Result<(char, &str), BadPattern> {
    let mut rest = chunk;
    let mut head = rest.chars().next().ok_or(BadPattern)?;
    if head == '-' || head == ']' {
        return Err(BadPattern);
    }
    if head == '\\' {
        rest = &rest[1..];
        head = rest.chars().next().ok_or(BadPattern)?;
    }
    let rest = &rest[head.len_utf8()..];
    if rest.is_empty() { Err(BadPattern) } else { Ok((head, rest)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_as_go_does() {
        for (pattern, name, expected) in [
            ("abc", "abc", Ok(true)),
            ("*", "abc", Ok(true)),
            ("*c", "abc", Ok(true)),
            ("a*", "a", Ok(true)),
            ("a*", "ab/c", Ok(false)),
            ("a*/b", "abc/b", Ok(true)),
            ("a*/b", "a/c/b", Ok(false)),
            ("a*b*c*d*e*/f", "axbxcxdxe/f", Ok(true)),
            ("a*b?c*x", "abxbbxdbxebxczzx", Ok(true)),
            ("ab[c]", "abc", Ok(true)),
            ("ab[b-d]", "abc", Ok(true)),
            ("ab[^c]", "abc", Ok(false)),
            ("a\\*b", "a*b", Ok(true)),
            ("a???b", "a☺b", Ok(false)),
            ("[\\]a]", "]", Ok(true)),
            ("[]a]", "]", Err(BadPattern)),
            ("[-x]", "x", Err(BadPattern)),
            ("[", "a", Err(BadPattern)),
            ("a[", "ab", Err(BadPattern)),
            ("*x", "xxx", Ok(true)),
            ("templates/.?*", "templates/.x", Ok(true)),
            ("templates/.?*", "templates/a.x", Ok(false)),
        ] {
            assert_eq!(path_match(pattern, name), expected, "{pattern} {name}");
        }
    }
}
