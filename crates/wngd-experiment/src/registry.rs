//! Things that a user can name, each in a file of its own, and the lists that all texts about them come from.

use schemars::{Schema, SchemaGenerator};

use crate::error::ExperimentError;
use crate::keys::keys;
pub use crate::keys::{Key, keys_of, near, schema_of};
use crate::source::Section;

/// One thing that a user can name: a metric, an objective, a model …
pub struct Entry<C: ?Sized + 'static> {
    /// Its name in experiment files.
    pub name: &'static str,
    /// What it is, in a line.
    pub summary: &'static str,
    /// Names it had before; taken with a remark.
    pub old_names: &'static [&'static str],
    /// Its options as a JSON schema.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    /// Reads its options from what is left of a section.
    pub read: fn(&Section<'_>) -> Result<Box<C>, ExperimentError>,
}

impl<C: ?Sized> Entry<C> {
    /// Whether a key is one of its options.
    pub fn has(&self, key: &str) -> bool {
        keys(&mut SchemaGenerator::default(), self.schema).iter().any(|k| k.name == key)
    }

    /// Its options.
    pub fn keys(&self) -> Vec<Key> {
        keys(&mut SchemaGenerator::default(), self.schema)
    }
}

/// The things of one kind.
pub struct Family<C: ?Sized + 'static> {
    /// What each of them is: "metric".
    pub what: &'static str,
    /// The key that names one: "method.metric".
    pub key: &'static str,
    /// All of them, in the order of lists.
    pub entries: &'static [&'static Entry<C>],
}

impl<C: ?Sized> Family<C> {
    /// The entry of a name, or of a name that it had before.
    pub fn find(&self, name: &str) -> Option<&'static Entry<C>> {
        let named = self.entries.iter().find(|e| e.name == name);
        named.or_else(|| self.entries.iter().find(|e| e.old_names.contains(&name))).copied()
    }

    /// All names.
    pub fn names(&self) -> Vec<&'static str> {
        self.entries.iter().map(|e| e.name).collect()
    }

    /// The entry that a key of a section names, or else the usual one.
    ///
    /// # Errors
    /// A name that is none of them.
    pub fn chosen(
        &self,
        section: &Section<'_>,
        key: &str,
        usual: Option<&str>,
    ) -> Result<&'static Entry<C>, ExperimentError> {
        let name = match (section.text(key)?, usual) {
            (Some(name), _) => name,
            (None, Some(usual)) => usual.to_string(),
            (None, None) => {
                let problem = format!("a {} is needed; there are {}", self.what, self.names().join(", "));
                return Err(section.error(key, problem));
            }
        };
        self.find(&name).ok_or_else(|| {
            let hint = near(&name, &self.names()).map_or(String::new(), |near| format!(", did you mean \"{near}\"?"));
            let known = self.names().join(", ");
            section.error(key, format!("there is no {} \"{name}\"{hint}; there are {known}", self.what))
        })
    }

    /// Entries that have an option of this name.
    pub fn owners(&self, key: &str) -> Vec<&'static str> {
        self.entries.iter().filter(|e| e.has(key)).map(|e| e.name).collect()
    }
}

/// Lists the members of a family: a file each, whose `ENTRY` describes it.
macro_rules! family {
    ($(#[$doc:meta])* $choice:ty, what: $what:literal, key: $key:literal, members: [$($member:ident),+ $(,)?]) => {
        $(mod $member;)+
        $(#[$doc])*
        pub static FAMILY: $crate::registry::Family<$choice> =
            $crate::registry::Family { what: $what, key: $key, entries: &[$(&$member::ENTRY),+] };
    };
}
pub(crate) use family;

/// An [`Entry`] whose options are read into the choice itself.
macro_rules! entry {
    ($options:ty as $choice:ty, $name:literal, $summary:expr) => {
        $crate::registry::Entry::<$choice> {
            name: $name,
            summary: $summary,
            old_names: &[],
            schema: $crate::registry::schema_of::<$options>,
            read: |section| Ok(Box::new(section.read::<$options>()?)),
        }
    };
}
pub(crate) use entry;
