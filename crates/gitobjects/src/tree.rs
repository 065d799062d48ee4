//! Folders of a revision.

use crate::id::Id;

/// What a folder has under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    Folder(Id),
    File(Id),
    Link,
    Submodule,
}

/// Finds a name in a tree; an error says why the tree is none.
pub(crate) fn find(tree: &[u8], name: &str) -> Result<Option<Entry>, &'static str> {
    const CUT: &str = "the tree is cut off";
    let mut rest = tree;
    while !rest.is_empty() {
        let space = rest.iter().position(|byte| *byte == b' ').ok_or(CUT)?;
        let (mode, more) = rest.split_at_checked(space).ok_or(CUT)?;
        let more = more.get(1..).ok_or(CUT)?;
        let end = more.iter().position(|byte| *byte == 0).ok_or(CUT)?;
        let (known, more) = more.split_at_checked(end).ok_or(CUT)?;
        let (id, more) = more.get(1..).and_then(|more| more.split_at_checked(Id::LENGTH)).ok_or(CUT)?;
        rest = more;
        if known == name.as_bytes() {
            let id = Id::from_slice(id).ok_or(CUT)?;
            return match mode {
                b"40000" => Ok(Some(Entry::Folder(id))),
                b"120000" => Ok(Some(Entry::Link)),
                b"160000" => Ok(Some(Entry::Submodule)),
                mode if mode.starts_with(b"100") => Ok(Some(Entry::File(id))),
                _ => Err("the tree has an entry of no kind that is known"),
            };
        }
    }
    Ok(None)
}
