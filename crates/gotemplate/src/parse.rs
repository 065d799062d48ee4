//! From text to trees: the lexer, the parser and the tree.

mod lexer;
mod number;
mod parser;
mod tree;

pub(crate) use parser::parse;
pub(crate) use tree::{
    Action, Branch, Call, Command, Constant, Function, Node, NodeRef, Number, Pipe, Place, StringWord, Target, Tree,
    Variable, Word,
};
