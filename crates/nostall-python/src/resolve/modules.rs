//! Module names: which file is `package.module`.

use std::rc::Rc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Input;
use super::value::Value;

/// The modules of the program by name.
pub(super) struct Modules {
    /// Per file, its name from the longest root that holds it.
    names: Vec<Name>,
    /// Per name, the files that answer to it, by the root that they do so from.
    by_name: FxHashMap<String, Vec<(usize, String)>>,
    /// Names of packages that have no file of their own.
    namespaces: FxHashSet<String>,
}

struct Name {
    text: String,
    root: String,
    is_package: bool,
}

impl Modules {
    pub(super) fn new(input: &Input<'_>) -> Self {
        let mut roots = input.layout.python_roots.clone();
        roots.sort_by_key(|root| std::cmp::Reverse(root.len()));
        let mut modules = Self {
            names: Vec::new(),
            by_name: FxHashMap::default(),
            namespaces: FxHashSet::default(),
        };
        for (file, (_, path, _)) in input.files.iter().enumerate() {
            modules.add(file, path, &roots);
        }
        modules
    }

    fn add(&mut self, file: usize, path: &str, roots: &[String]) {
        let (stem, is_package) = stem(path);
        let mut holding = roots
            .iter()
            .filter_map(|root| Some((below(stem, root)?, root)))
            .peekable();
        if holding.peek().is_none() {
            // A file that no root holds is known by its own name only.
            let name = stem.rsplit('/').next().unwrap_or(stem);
            self.names.push(Name {
                text: name.to_owned(),
                root: String::new(),
                is_package,
            });
            return;
        }
        for (number, (name, root)) in holding.enumerate() {
            let text = name.replace('/', ".");
            self.register(file, &text, root, path.ends_with(".pyi"));
            if number == 0 {
                self.names.push(Name {
                    text,
                    root: root.clone(),
                    is_package,
                });
            }
        }
    }

    fn register(&mut self, file: usize, name: &str, root: &str, is_stub: bool) {
        let files = self.by_name.entry(name.to_owned()).or_default();
        let entry = (file, root.to_owned());
        // Code goes before the stub that describes it.
        if is_stub {
            files.push(entry);
        } else {
            files.insert(0, entry);
        }
        let mut package = name;
        while let Some((outer, _)) = package.rsplit_once('.') {
            if !self.namespaces.insert(outer.to_owned()) {
                break;
            }
            package = outer;
        }
    }

    /// Returns the name of a file's module.
    pub(super) fn name(&self, file: usize) -> &str {
        &self.names[file].text
    }

    /// Finds a module of the program as seen from a file.
    pub(super) fn find(&self, from: usize, name: &str) -> Option<Value> {
        if let Some(files) = self.by_name.get(name) {
            let root = &self.names[from].root;
            let near = files
                .iter()
                .find(|(_, of)| of == root)
                .or_else(|| files.first());
            return near.map(|(file, _)| Value::Module(*file));
        }
        self.namespaces
            .contains(name)
            .then(|| Value::Namespace(Rc::from(name)))
    }

    /// Returns the package that a relative import with this many dots starts from.
    pub(super) fn package(&self, file: usize, level: u16) -> Option<String> {
        let name = &self.names[file];
        let mut package = name.text.as_str();
        let ups = usize::from(level) - usize::from(name.is_package && level > 0);
        for _ in 0..ups {
            package = match package.rsplit_once('.') {
                Some((outer, _)) => outer,
                None if package.is_empty() => return None,
                None => "",
            };
        }
        Some(package.to_owned())
    }
}

/// A path without its ending, and whether it is a package's own file.
fn stem(path: &str) -> (&str, bool) {
    let stem = path
        .strip_suffix(".pyi")
        .or_else(|| path.strip_suffix(".py"))
        .unwrap_or(path);
    match stem.strip_suffix("/__init__") {
        Some(package) => (package, true),
        None => (stem, false),
    }
}

fn below<'p>(path: &'p str, root: &str) -> Option<&'p str> {
    let root = root.trim_end_matches('/');
    let rest = match root {
        "" | "." => path,
        _ => path.strip_prefix(root)?.strip_prefix('/')?,
    };
    (!rest.is_empty() && !rest.starts_with('/') && !rest.starts_with("../")).then_some(rest)
}
