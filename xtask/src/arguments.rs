//! Arguments of a task: switches, options with a value, names.

use anyhow::{Context as _, Result, bail};

/// The words after the task's name. Each `switch`, `option` or `list` takes what it knows; [`Arguments::names`] takes the rest.
pub(crate) struct Arguments {
    words: Vec<String>,
}

impl Arguments {
    pub(crate) fn new(words: impl Iterator<Item = String>) -> Self {
        Self { words: words.collect() }
    }

    /// Whether `--name` was given.
    pub(crate) fn switch(&mut self, name: &str) -> bool {
        let before = self.words.len();
        self.words.retain(|word| word != name);
        self.words.len() < before
    }

    /// The value of `--name VALUE`.
    pub(crate) fn option(&mut self, name: &str) -> Result<Option<String>> {
        let Some(at) = self.words.iter().position(|word| word == name) else { return Ok(None) };
        self.words.remove(at);
        if self.words.get(at).is_none_or(|word| word.starts_with("--")) {
            bail!("`{name}` needs a value");
        }
        Ok(Some(self.words.remove(at)))
    }

    /// The value of `--name NUMBER`.
    pub(crate) fn number(&mut self, name: &str) -> Result<Option<usize>> {
        self.option(name)?
            .map(|value| value.parse().with_context(|| format!("`{name}` needs a number, not `{value}`")))
            .transpose()
    }

    /// All values of `--name VALUE…`, up to the next `--`; may be given several times.
    pub(crate) fn list(&mut self, name: &str) -> Vec<String> {
        let mut values = Vec::new();
        while let Some(at) = self.words.iter().position(|word| word == name) {
            self.words.remove(at);
            while self.words.get(at).is_some_and(|word| !word.starts_with("--")) {
                values.push(self.words.remove(at));
            }
        }
        values
    }

    /// What is left, which must be names.
    pub(crate) fn names(self) -> Result<Vec<String>> {
        match self.words.iter().find(|word| word.starts_with('-')) {
            Some(unknown) => bail!("there is no option `{unknown}` here"),
            None => Ok(self.words),
        }
    }

    /// All words as they are.
    pub(crate) fn all(self) -> Vec<String> {
        self.words
    }

    /// Nothing must be left.
    pub(crate) fn done(self) -> Result<()> {
        match self.names()?.first() {
            Some(name) => bail!("`{name}` is not understood here"),
            None => Ok(()),
        }
    }
}
