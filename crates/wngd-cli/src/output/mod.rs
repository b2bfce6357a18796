//! Files and tables that commands leave behind.

pub mod files;
pub mod identification;
pub mod pictures;
pub mod screen;
pub mod table;
