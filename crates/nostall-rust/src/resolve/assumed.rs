//! Methods of traits that a file imports, on values of which the type is not known.
//!
//! The queries of diesel are types that macros make: no analysis without a build finds them. What tells is the imported trait.
//! The catalogue says of which traits this may be assumed.

use nostall_model::facts::{ImportId, ImportKind, ScopeId};
use nostall_model::{Confidence, Language};

use super::Cx;
use super::methods::What;
use super::mounts::{MountId, ScopeRef};
use super::names::{Namespace, Resolved};
use super::types::{Ty, TypeKind};

impl Cx<'_> {
    /// A method of an imported trait, for a receiver that nothing else is known of.
    pub(super) fn assumed_method(
        &self,
        mount: MountId,
        scope: ScopeId,
        steps: &[Ty],
        name: &str,
    ) -> Option<(What, Confidence)> {
        if !self.is_blank(steps) {
            return None;
        }
        let traits = self.traits_in_scope(mount, scope);
        let found = traits.iter().find_map(|trait_| {
            let path = format!("{trait_}::{name}");
            let found = self.catalog.lookup(Language::Rust, &path)?;
            (!found.wildcard).then_some(path)
        })?;
        Some((
            What::External(self.arena.symbol(&found)),
            Confidence::Likely,
        ))
    }

    /// Says whether nothing is known of a type, looked at through references: no type at all, or one of a library that the
    /// catalogue does not speak of.
    pub(super) fn is_blank(&self, steps: &[Ty]) -> bool {
        steps.iter().all(|ty| match self.arena.kind(*ty) {
            TypeKind::Unknown | TypeKind::Reference(_) => true,
            TypeKind::External(path, _) => self
                .catalog
                .type_entry(Language::Rust, &self.arena.text(path))
                .is_none(),
            _ => false,
        })
    }

    /// The assumable traits that a scope and those around it import, by the path of the catalogue.
    fn traits_in_scope(&self, mount: MountId, scope: ScopeId) -> std::rc::Rc<[String]> {
        if let Some(found) = self.traits_in_scope.borrow().get(&(mount, scope.0)) {
            return std::rc::Rc::clone(found);
        }
        let facts = self.facts(mount);
        let around: Vec<ScopeId> =
            std::iter::successors(Some(scope), |id| facts.scopes[id.index()].parent).collect();
        let mut named: Vec<(String, bool)> = Vec::new();
        for (index, import) in facts.imports.iter().enumerate() {
            if !around.contains(&import.scope) || import.kind == ImportKind::Glob {
                continue;
            }
            let found = self.follow_import(mount, ImportId::new(index), Namespace::Type);
            named.extend(found.into_iter().filter_map(|resolved| match resolved {
                Resolved::External(path) => Some((self.arena.text(path).to_string(), false)),
                _ => None,
            }));
        }
        for scope in &around {
            let scope = ScopeRef {
                mount,
                scope: *scope,
            };
            let globs = self.globs.externals(scope);
            named.extend(
                globs
                    .iter()
                    .map(|path| (self.arena.text(*path).to_string(), true)),
            );
        }
        let traits = self.catalog.traits().filter(|entry| {
            entry.assume && entry.language() == Language::Rust && {
                let mut paths = std::iter::once(&entry.path).chain(entry.also.iter());
                paths.any(|path| is_imported(path, &named))
            }
        });
        let found: std::rc::Rc<[String]> = traits.map(|entry| entry.path.to_string()).collect();
        self.traits_in_scope
            .borrow_mut()
            .insert((mount, scope.0), std::rc::Rc::clone(&found));
        found
    }
}

/// A trait is imported by its path, or by a glob, unless another of its name is imported by path.
fn is_imported(path: &str, imports: &[(String, bool)]) -> bool {
    let Some((parent, name)) = path.rsplit_once("::") else {
        return false;
    };
    let last = |path: &str| path.rsplit("::").next().unwrap_or_default().to_owned();
    let other =
        |(imported, glob): &(String, bool)| !glob && imported != path && last(imported) == name;
    let this = |(imported, glob): &(String, bool)| {
        if *glob {
            imported == parent
        } else {
            imported == path
        }
    };
    imports.iter().any(this) && !imports.iter().any(other)
}
