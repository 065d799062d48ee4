//! Line wrapping and abbreviation as `goutils` does them: in bytes.

/// `goutils.WrapCustom`. `breaks_words` cuts words that are longer than a line.
pub(crate) fn wrap(text: &[u8], width: i64, newline: &[u8], breaks_words: bool) -> Vec<u8> {
    let newline = if newline.is_empty() { b"\n" } else { newline };
    let width = usize::try_from(width.max(1)).unwrap_or(1);
    let mut out = Vec::with_capacity(text.len());
    let mut offset = 0;
    while text.len() - offset > width {
        if text[offset] == b' ' {
            offset += 1;
            continue;
        }
        let line = &text[offset..=offset + width];
        if let Some(space) = line.iter().rposition(|byte| *byte == b' ') {
            out.extend_from_slice(&line[..space]);
            out.extend_from_slice(newline);
            offset += space + 1;
        } else if breaks_words {
            out.extend_from_slice(&text[offset..offset + width]);
            out.extend_from_slice(newline);
            offset += width;
        } else if let Some(space) = text[offset + width..].iter().position(|byte| *byte == b' ') {
            out.extend_from_slice(&text[offset..offset + width + space]);
            out.extend_from_slice(newline);
            offset += width + space + 1;
        } else {
            out.extend_from_slice(&text[offset..]);
            offset = text.len();
        }
    }
    out.extend_from_slice(&text[offset..]);
    out
}

/// `goutils.AbbreviateFull`: `...` in place of what is beyond `width` bytes, seen from `offset` on. `None` for an
/// illegal width (the original's error, which sprig turns into an empty text). Panics of the original are
/// `Err(message)`.
pub(crate) fn abbreviate(text: &[u8], offset: i64, width: i64) -> Result<Option<Vec<u8>>, String> {
    let length = i64::try_from(text.len()).unwrap_or(i64::MAX);
    let cut = |from: i64, to: i64| text.get(usize::try_from(from).ok()?..usize::try_from(to).ok()?);
    if text.is_empty() {
        return Ok(Some(Vec::new()));
    }
    if width < 4 {
        return Ok(None);
    }
    if length <= width {
        return Ok(Some(text.to_vec()));
    }
    let mut offset = offset.min(length);
    if length - offset < width - 3 {
        offset = length - (width - 3);
    }
    let broken = || format!("runtime error: slice bounds out of range [{offset}:]");
    if offset <= 4 {
        let start = cut(0, width - 3).ok_or_else(broken)?;
        return Ok(Some([start, b"..."].concat()));
    }
    if width < 7 {
        return Ok(None);
    }
    if offset + width - 3 < length {
        let rest = cut(offset, length).ok_or_else(broken)?;
        let rest = abbreviate(rest, 0, width - 3)?.unwrap_or_default();
        return Ok(Some([b"...".to_vec(), rest].concat()));
    }
    let end = cut(length - (width - 3), length).ok_or_else(broken)?;
    Ok(Some([b"...", end].concat()))
}
