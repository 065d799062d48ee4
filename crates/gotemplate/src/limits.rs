//! How much a rendering may use. Templates may be hostile or wrong: an endless `range`, a recursion without end, a text
//! that doubles itself. Each limit ends the rendering with an error at the place that passed it.

/// Nodes walked, calls made, elements ranged over and arguments looked at in one rendering. The largest public charts stay below
/// a million; this is half a second of work, and what fails is rendered once more for its place.
pub const MOST_STEPS: u64 = 8_000_000;

/// Bytes of an argument that are one step: `sha256sum` or `contains` of a megabyte is more work than that of a word.
pub(crate) const BYTES_OF_A_STEP: usize = 32;

/// About what one value takes while it is written, read or copied, beside its text.
pub const BYTES_OF_A_VALUE: usize = 64;

/// Levels of a value that are looked into when it is weighed: each takes stack, and functions of charts refuse what is deeper in their own
/// words.
pub(crate) const MOST_WEIGHED_DEPTH: usize = 1_000;

/// Bytes written or made by all templates and functions of one rendering, included texts counted each time they are
/// included. The largest public charts make a few megabytes.
pub const MOST_OUTPUT: usize = 64 << 20;

/// Templates that call each other, one inside the other, by whatever means. Helm lets each name be included a thousand times in itself;
/// a template of every level's own text, as `tpl` makes them, takes a hundred kilobytes of stack and heap.
pub(crate) const MOST_TEMPLATES_INSIDE: usize = 2_500;

/// Bytes of stack that parsing and running may use on a thread of unknown size: a quarter of what Rust gives a
/// new thread, for printing and comparing may each add as much.
pub const DEFAULT_STACK: usize = 512 << 10;

/// Bytes of stack that [`on_large_stack`](crate::on_large_stack) gives. Address space, not memory: only what is used is ever
/// mapped. Enough for a thousand nested `include`s (Helm's own limit) with room to spare, also in debug builds.
pub const LARGE_STACK: usize = 256 << 20;

/// What is left of [`LARGE_STACK`] for the last call, which may be any function of the caller.
pub(crate) const STACK_RESERVE: usize = 16 << 20;

/// Values that one rendering looks at to see whether any is other in the run that follows it, and how deep: what has more than that is rendered twice.
pub(crate) const MOST_SEARCHED: usize = 4_000_000;
/// See [`MOST_SEARCHED`].
pub(crate) const MOST_SEARCHED_DEPTH: usize = 200;

/// Control structures and parentheses inside each other. Go lets parentheses nest 10,000 deep, for its stack grows. Trees this deep can still
/// be dropped on any thread; real charts stay below thirty.
pub const MOST_NESTED: usize = 1000;

/// Maps and lists inside each other that are compared or printed. Go has no limit; only values that contain themselves
/// come here.
pub(crate) const MOST_VALUE_DEPTH: usize = 10_000;

/// Bytes that one value may be printed as. A list that holds another one twice, and that one another, has a size that
/// doubles with each level.
pub(crate) const MOST_FORMATTED: usize = 16 << 20;

/// What one rendering may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// See [`MOST_STEPS`].
    pub steps: u64,
    /// See [`MOST_OUTPUT`].
    pub output: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: MOST_STEPS, output: MOST_OUTPUT }
    }
}
