#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

mod client;
mod error;
mod http;
mod protocol;

pub use client::{Client, Settings, Support};
pub use error::{CallError, Fault};
