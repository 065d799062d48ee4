use std::fs;

use testkit::{Cli, Recipe};

use crate::mirror_pull::world::{PROGRAM, World};

/// A copy that was pulled, and two key pairs: `carrier` and `stranger`.
pub(super) struct Gap {
    pub(super) world: World,
}

impl Gap {
    pub(super) fn new() -> Self {
        Self::with(Recipe::default())
    }

    pub(super) fn with(recipe: Recipe) -> Self {
        let gap = Self { world: World::with(recipe) };
        for name in ["carrier", "stranger"] {
            gap.run(&["key", "new", name]).any_stdout().any_stderr().run();
        }
        gap.world.pull().any_stdout().run();
        gap
    }

    /// The program in the sandbox.
    pub(super) fn run(&self, arguments: &[&str]) -> Cli {
        Cli::new(PROGRAM).folder(self.world.sandbox.root()).args(arguments.iter().copied())
    }

    pub(super) fn export(&self, file: &str) -> Cli {
        self.run(&["mirror", "export", "copy", file, "--key", "carrier"])
    }

    pub(super) fn import(&self, file: &str) -> Cli {
        self.run(&["mirror", "import", file, "inside", "--key", "carrier.pub"])
    }

    /// What `latest` of the other side names, and whether that shows the files of the generation of this name.
    #[track_caller]
    pub(super) fn inside(&self) -> String {
        let target = fs::read_link(self.world.sandbox.path("inside/latest")).expect("`latest` is a link");
        target.to_str().expect("a name").to_owned()
    }

    /// The bytes of a generation's files on one side, without the record.
    pub(super) fn files(&self, folder: &str, name: &str) -> Vec<(String, Vec<u8>)> {
        let root = self.world.sandbox.path(folder).join(name);
        let prefix = format!("{folder}/{name}/");
        let files = self.world.sandbox.files();
        let below = files.iter().filter_map(|file| file.as_str().strip_prefix(&prefix));
        below
            .filter(|file| *file != "replica.json")
            .map(|file| (file.to_owned(), fs::read(root.join(file)).unwrap()))
            .collect()
    }
}
