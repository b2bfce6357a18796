//! Upwind finite volumes.

use wngd::models::flow::Discretisation;

use super::SchemeChoice;
use super::finite_volumes::{Options, read};
use crate::registry::{Entry, schema_of};

pub(super) const ENTRY: Entry<dyn SchemeChoice> = Entry {
    name: "upwind",
    summary: "upwind finite volumes",
    old_names: &[],
    schema: schema_of::<Options>,
    read: |section| read(section, |diffusion, restart| Discretisation::Upwind { diffusion, restart }),
};
