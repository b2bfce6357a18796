//! Files and tables that commands leave behind.

pub mod files;
pub mod npy;
pub mod pictures;
pub mod table;
