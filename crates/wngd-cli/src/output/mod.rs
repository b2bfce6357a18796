//! Files and tables that commands leave behind.

pub mod files;
pub mod pictures;
pub mod screen;
pub mod table;
