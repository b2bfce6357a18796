//! What a command prints.

pub mod screen;
pub mod table;
