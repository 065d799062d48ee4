use std::fmt;
use std::fs::{File, Metadata};
use std::os::unix::fs::MetadataExt as _;

use camino::Utf8Path;
use nix::unistd::{Gid, Uid, fchown};

use crate::error::{Error, ErrorKind};

/// A user and a group by number: those of a container have no names outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owner {
    pub user: u32,
    pub group: u32,
}

/// Who may read the key of a component.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Access {
    /// Whom the files belong to; `None`: who runs this.
    pub(crate) owner: Option<Owner>,
    /// Whether the group may read the key.
    pub(crate) group_readable: bool,
}

/// Only the owner may read a key.
const KEY_MODE: u32 = 0o600;
/// The group may, too.
const GROUP_KEY_MODE: u32 = 0o640;
/// What is no secret may be read by all, whatever the umask: a container runs as another user.
const PUBLIC_MODE: u32 = 0o644;

impl Access {
    /// That of a key that lies there. More than the group's right to read is never kept.
    pub(crate) fn of(key: &Metadata) -> Self {
        let owner = Owner { user: key.uid(), group: key.gid() };
        Self { owner: Some(owner), group_readable: key.mode() & 0o040 != 0 }
    }

    /// What was asked for, else what is there.
    pub(crate) fn asked_or(owner: Option<Owner>, group_readable: bool, present: Option<Self>) -> Self {
        let present = present.unwrap_or_default();
        Self { owner: owner.or(present.owner), group_readable: group_readable || present.group_readable }
    }

    /// Whether a key that lies there has it already.
    pub(crate) fn is_of(self, key: &Metadata) -> bool {
        let owner = self.owner.is_none_or(|owner| (owner.user, owner.group) == (key.uid(), key.gid()));
        owner && key.mode() & 0o7777 == self.mode(true)
    }

    pub(crate) fn mode(self, secret: bool) -> u32 {
        match (secret, self.group_readable) {
            (false, _) => PUBLIC_MODE,
            (true, false) => KEY_MODE,
            (true, true) => GROUP_KEY_MODE,
        }
    }

    /// Gives an open file, or folder, to the owner.
    pub(crate) fn give(self, file: &File, path: &Utf8Path) -> Result<(), Error> {
        let Some(owner) = self.owner else { return Ok(()) };
        let metadata = file.metadata().map_err(|error| Error::files("read", path, &error))?;
        if (metadata.uid(), metadata.gid()) == (owner.user, owner.group) {
            return Ok(());
        }
        fchown(file, Some(Uid::from_raw(owner.user)), Some(Gid::from_raw(owner.group))).map_err(|errno| {
            Error::new(ErrorKind::Owner {
                path: path.to_owned(),
                owner: owner.to_string(),
                reason: source::system::reason(&errno.into()),
            })
        })
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.user, self.group)
    }
}

impl std::str::FromStr for Owner {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once(':').and_then(|(user, group)| Some((user.parse().ok()?, group.parse().ok()?)));
        match parts {
            // The highest number means "leave as it is" to the system.
            Some((user, group)) if user != u32::MAX && group != u32::MAX => Ok(Self { user, group }),
            _ => {
                Err("two numbers are needed, such as 10001:10001; names differ between a container and its host"
                    .to_owned())
            }
        }
    }
}
