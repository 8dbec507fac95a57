//! Names of macros that no scope declares: `macro_rules!` of outer modules and of the crate, `#[macro_use]`.

use nostall_model::Language;
use nostall_model::facts::{ExprKind, ItemId, ItemKind};
use rustc_hash::FxHashMap;

use super::Cx;
use super::mounts::{DefId, MountId, ScopeRef};
use super::names::{Namespace, Resolved};

impl Cx<'_> {
    /// `macro_rules!` are visible in the modules that follow, and with `#[macro_use]` beyond: by text, not by path.
    pub(super) fn macro_in_outer_modules(&self, scope: ScopeRef, name: &str) -> Vec<Resolved> {
        let mut current = self.parent_module(self.module(scope));
        while let Some(module) = current {
            let found = self.lookup(module, name, Namespace::Macro, None);
            if !found.is_empty() {
                return found;
            }
            current = self.parent_module(module);
        }
        let found = self.macros_of_crate(self.mount(scope.mount).target, name);
        if found.is_empty() {
            self.macro_of_used_crate(scope.mount, name)
        } else {
            found
        }
    }

    /// `#[macro_use] extern crate rocket;` gives each file of the crate the macros of another, where the catalogue or the
    /// program has them.
    fn macro_of_used_crate(&self, mount: MountId, name: &str) -> Vec<Resolved> {
        let by_target = self
            .macro_crates
            .get_or_init(|| self.collect_macro_crates());
        let crates = by_target.get(&self.mount(mount).target);
        let of_crate = |used: &Resolved| match used {
            Resolved::Module(root) => self.macros_of_crate(self.mount(root.mount).target, name),
            Resolved::External(path) => {
                let own = format!("{}::{name}", self.arena.text(*path));
                let known = self.catalog.lookup(Language::Rust, &own);
                let known = known.filter(|found| !found.wildcard);
                let external = |_| Resolved::External(self.arena.symbol(&own));
                known.map(external).into_iter().collect()
            }
            _ => Vec::new(),
        };
        crates.into_iter().flatten().flat_map(of_crate).collect()
    }

    fn collect_macro_crates(&self) -> FxHashMap<usize, Vec<Resolved>> {
        let mut found: FxHashMap<usize, Vec<Resolved>> = FxHashMap::default();
        for (index, mount) in self.tree.mounts.iter().enumerate() {
            let id = MountId(index as u32);
            let facts = self.facts(id);
            for item in &facts.items {
                let ItemKind::ExternCrate { target } = item.kind else {
                    continue;
                };
                let attributes = facts.expr_list(item.attributes).iter();
                let mut paths =
                    attributes.filter_map(|attribute| match facts.expr(*attribute).kind {
                        ExprKind::Path(path) | ExprKind::Struct { path, .. } => Some(path),
                        _ => None,
                    });
                if paths.any(|path| facts.path_text(path, "::") == "macro_use") {
                    let used = self.external_crate(id, facts.text(target), true);
                    found.entry(mount.target).or_default().extend(used);
                }
            }
        }
        found
    }

    pub(super) fn macros_of_crate(&self, target: usize, name: &str) -> Vec<Resolved> {
        let by_name = self.macros.get_or_init(|| self.collect_macros());
        by_name
            .get(&(target, name.to_owned()))
            .cloned()
            .unwrap_or_default()
    }

    pub(super) fn collect_macros(&self) -> FxHashMap<(usize, String), Vec<Resolved>> {
        let mut found: FxHashMap<(usize, String), Vec<Resolved>> = FxHashMap::default();
        for (index, mount) in self.tree.mounts.iter().enumerate() {
            let id = MountId(index as u32);
            let facts = self.facts(id);
            for (item_index, item) in facts.items.iter().enumerate() {
                if let (ItemKind::Macro { .. }, Some(name)) = (item.kind, item.name) {
                    let def = DefId {
                        mount: id,
                        item: ItemId::new(item_index),
                    };
                    found
                        .entry((mount.target, facts.text(name).to_owned()))
                        .or_default()
                        .push(Resolved::Item(def));
                }
            }
        }
        found
    }
}
