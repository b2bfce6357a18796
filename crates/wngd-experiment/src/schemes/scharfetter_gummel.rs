//! Smooth finite volumes with diffusion.

use wngd::models::flow::Discretisation;

use super::SchemeChoice;
use super::finite_volumes::{Options, read};
use crate::registry::{Entry, schema_of};

pub(super) const ENTRY: Entry<dyn SchemeChoice> = Entry {
    name: "scharfetter-gummel",
    summary: "smooth finite volumes with diffusion",
    old_names: &[],
    schema: schema_of::<Options>,
    read: |section| read(section, |diffusion, restart| Discretisation::ScharfetterGummel { diffusion, restart }),
};
