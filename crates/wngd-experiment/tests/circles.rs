//! No file imports, by way of others, one that imports it: within each crate the files' imports are followed, as `use`
//! lines and as paths in the text, through re-exports to the file that has the thing.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Folders whose `mod.rs` still imports from its files what imports from it.
const STANDING: [&str; 2] = ["data::formats", "report"];

/// A module's place: `["flow", "systems"]`; the crate itself is empty.
type Module = Vec<String>;

/// The sources of one crate, tests left out.
#[derive(Default)]
struct Crate {
    files: BTreeMap<Module, String>,
    /// Names that a file re-exports, with what they stand for.
    exports: BTreeMap<(Module, String), Module>,
    /// Paths that a file uses, from the crate on.
    used: Vec<(Module, Module)>,
}

impl Crate {
    fn read(root: &Path) -> Self {
        let mut files = BTreeMap::new();
        let mut folders = vec![root.to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|e| e == "rs") {
                    files.insert(module(root, &path), std::fs::read_to_string(&path).unwrap());
                }
            }
        }
        Self::of(files)
    }

    fn of(files: BTreeMap<Module, String>) -> Self {
        let mut found = Self { files, ..Self::default() };
        for (module, text) in found.files.clone() {
            found.follow(&module, &words(&text));
        }
        found
    }

    /// Notes what a file uses and re-exports.
    fn follow(&mut self, module: &Module, words: &[String]) {
        let is = |at: usize, word: &str| words.get(at).is_some_and(|w| w == word);
        let mut at = 0;
        while at < words.len() {
            if is(at, "use") {
                let end = at + words[at..].iter().position(|w| w == ";").unwrap_or(words.len() - at);
                // `pub use`, or `pub(crate) use`.
                let shown = at > 0 && (is(at - 1, "pub") || is(at - 1, ")"));
                for (path, name) in tree(&words[at + 1..end]) {
                    let Some(path) = self.absolute(module, &path) else { continue };
                    if shown {
                        self.exports.insert((module.clone(), name), path);
                    } else {
                        self.used.push((module.clone(), path));
                    }
                }
                at = end;
            } else if is(at + 1, "::") && !(at > 0 && is(at - 1, "::")) {
                let mut path = vec![words[at].clone()];
                while is(at + 1, "::") && words.get(at + 2).is_some_and(|w| is_name(w)) {
                    path.push(words[at + 2].clone());
                    at += 2;
                }
                if let Some(path) = self.absolute(module, &path) {
                    self.used.push((module.clone(), path));
                }
            }
            at += 1;
        }
    }

    /// A path from the crate on; `None` for those into other crates and into the file itself.
    fn absolute(&self, module: &Module, path: &[String]) -> Option<Module> {
        let (first, mut rest) = path.split_first()?;
        let mut base = module.clone();
        match first.as_str() {
            "crate" => return Some(rest.to_vec()),
            "super" => drop(base.pop()),
            "self" => {}
            _ => {
                base.push(first.clone());
                return self.files.contains_key(&base).then(|| [base, rest.to_vec()].concat());
            }
        }
        while rest.first().is_some_and(|word| word == "super") {
            base.pop();
            rest = &rest[1..];
        }
        Some([base, rest.to_vec()].concat())
    }

    /// The file that has what a path names; `None` where that is a module whose file lies elsewhere.
    fn file(&self, path: &[String], depth: usize) -> Option<Module> {
        let length = (0..=path.len()).rev().find(|n| self.files.contains_key(&path[..*n])).unwrap_or(0);
        let (module, rest) = (path[..length].to_vec(), &path[length..]);
        let target = rest.first().and_then(|name| self.exports.get(&(module.clone(), name.clone())));
        if let (Some(target), true) = (target, depth < 8) {
            return self.file(&[target.clone(), rest[1..].to_vec()].concat(), depth + 1);
        }
        let text = self.files.get(&module).map_or("", String::as_str);
        let elsewhere = rest.first().is_some_and(|name| text.contains(&format!("]\nmod {name};")));
        (!elsewhere).then_some(module)
    }

    fn imports(&self) -> BTreeMap<Module, BTreeSet<Module>> {
        let mut imports: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
        for (module, path) in &self.used {
            let Some(file) = self.file(path, 0) else { continue };
            if file != *module {
                imports.entry(module.clone()).or_default().insert(file);
            }
        }
        imports
    }

    /// A circle, as the files on it in order, if there is one.
    fn circle(&self) -> Option<Vec<Module>> {
        let imports = self.imports();
        let mut done = BTreeSet::new();
        self.files.keys().find_map(|start| descend(&imports, &mut done, &mut Vec::new(), start))
    }
}

fn descend(
    imports: &BTreeMap<Module, BTreeSet<Module>>,
    done: &mut BTreeSet<Module>,
    way: &mut Vec<Module>,
    here: &Module,
) -> Option<Vec<Module>> {
    if let Some(at) = way.iter().position(|module| module == here) {
        return Some(way[at..].to_vec());
    }
    if done.contains(here) {
        return None;
    }
    way.push(here.clone());
    let found = imports.get(here).into_iter().flatten().find_map(|next| descend(imports, done, way, next));
    way.pop();
    done.insert(here.clone());
    found
}

fn module(root: &Path, path: &Path) -> Module {
    let stem = path.strip_prefix(root).unwrap().with_extension("");
    let mut module: Module = stem.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    match module.last().map(String::as_str) {
        Some("mod") => drop(module.pop()),
        Some("lib") if module.len() == 1 => module.clear(),
        // The file of a program whose modules are its own.
        Some("main") if module.len() == 1 && !root.join("lib.rs").exists() => module.clear(),
        _ => {}
    }
    module
}

fn is_name(word: &str) -> bool {
    word.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Names, `::` and signs of a file up to its tests; no comments, no texts.
fn words(text: &str) -> Vec<String> {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let (mut words, mut rest) = (Vec::new(), text);
    while let Some(first) = rest.chars().next() {
        let name = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let long = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(raw) = ["r#\"", "br#\""].into_iter().find(|raw| rest.starts_with(raw)) {
            rest[raw.len()..].find("\"#").map_or(rest.len(), |end| raw.len() + end + 2)
        } else if first == '"' {
            let mut escaped = false;
            let end = rest[1..].find(|c| {
                let ends = c == '"' && !escaped;
                escaped = c == '\\' && !escaped;
                ends
            });
            end.map_or(rest.len(), |end| end + 2)
        } else if rest.starts_with("'\"'") {
            3
        } else if name > 0 {
            words.push(rest[..name].to_string());
            name
        } else {
            let sign = if rest.starts_with("::") { "::" } else { &rest[..first.len_utf8()] };
            if !first.is_whitespace() {
                words.push(sign.to_string());
            }
            sign.len()
        };
        rest = &rest[long..];
    }
    words
}

/// The paths of a `use`, each with the name that it gives.
fn tree(words: &[String]) -> Vec<(Module, String)> {
    let mut found = Vec::new();
    let mut at = 0;
    branch(words, &mut at, &[], &mut found);
    found
}

fn branch(words: &[String], at: &mut usize, before: &[String], found: &mut Vec<(Module, String)>) {
    let mut path = before.to_vec();
    while let Some(word) = words.get(*at) {
        *at += 1;
        match word.as_str() {
            "::" => {}
            "{" => {
                while words.get(*at).is_some_and(|w| w != "}") {
                    branch(words, at, &path, found);
                    if words.get(*at).is_some_and(|w| w == ",") {
                        *at += 1;
                    }
                }
                *at += 1;
                return;
            }
            "as" => {
                let name = words.get(*at).cloned().unwrap_or_default();
                *at += 1;
                found.push((path, name));
                return;
            }
            "," | "}" => {
                *at -= 1;
                break;
            }
            // `module::{self, …}` is the module.
            "self" if !path.is_empty() => {}
            _ => path.push(word.clone()),
        }
    }
    let name = path.last().cloned().unwrap_or_default();
    found.push((path, name));
}

#[test]
fn no_crate_has_a_circle_of_imports() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut sources: Vec<PathBuf> =
        std::fs::read_dir(root.join("crates")).unwrap().map(|entry| entry.unwrap().path()).collect();
    sources.push(root.join("xtask"));
    sources.sort();
    let mut checked = 0;
    for folder in sources.iter().map(|folder| folder.join("src")).filter(|folder| folder.exists()) {
        let mut found = Crate::read(&folder);
        checked += found.files.len();
        found.used.retain(|(module, _)| !STANDING.iter().any(|room| module.join("::") == *room));
        if let Some(circle) = found.circle() {
            let names: Vec<String> = circle.iter().map(|module| format!("crate::{}", module.join("::"))).collect();
            panic!("{}: {} → {}", folder.display(), names.join(" → "), names[0]);
        }
    }
    assert!(checked > 200, "{checked} files");
}

#[test]
fn circles_are_seen_through_reexports_paths_and_folders() {
    let of = |files: &[(&str, &str)]| {
        let files = files.iter().map(|(name, text)| {
            let module: Module = name.split("::").filter(|part| !part.is_empty()).map(str::to_string).collect();
            (module, (*text).to_string())
        });
        Crate::of(files.collect()).circle().map(|circle| circle.iter().map(|m| m.join("::")).collect::<Vec<_>>())
    };
    let seen = |names: &[&str]| Some(names.iter().map(|name| (*name).to_string()).collect::<Vec<_>>());
    assert_eq!(of(&[("a", "use crate::b::B;"), ("b", "fn f() { crate::a::g(); }")]), seen(&["a", "b"]));
    // Through what a folder shows of its files; the folder itself is on no circle.
    let shown = [("", "mod a;"), ("a", "mod x; mod y; pub use x::{X, Z as W};"), ("a::y", "pub struct Y;")];
    assert_eq!(of(&[&shown[..], &[("a::x", "use super::y::Y;"), ("b", "use crate::a::{W, X};")]].concat()), None);
    assert_eq!(
        of(&[&shown[..2], &[("a::x", "use super::y::Y;"), ("a::y", "use crate::a::X;")]].concat()),
        seen(&["a::x", "a::y"])
    );
    assert_eq!(of(&[("a", "mod x; struct A; x::f();"), ("a::x", "use super::A;")]), seen(&["a", "a::x"]));
    // Comments, texts, tests and other crates do not count.
    let quiet = "// crate::b::f()\nconst T: &str = \"crate::b::f\\\"\"; use other::b;\n#[cfg(test)]\nmod tests { use crate::b::B; }";
    assert_eq!(of(&[("a", quiet), ("b", "use crate::a::{self, T};")]), None);
}
