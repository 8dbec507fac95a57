//! Where a body runs by what it is: what is async, what polls, what a library calls on the executor's threads.

use nostall_catalog::Effect;
use nostall_model::facts::{BodyId, BodyKind, ExprKind, Flavour, ItemKind};
use nostall_model::finding::{Entry, Form, Place};
use nostall_model::{Context, Language};

use super::Cx;
use super::mounts::{DefId, MountId};
use super::names::{Namespace, Resolved};
use super::types::{Ty, TypeKind};

impl Cx<'_> {
    /// Where a body runs when nobody says otherwise.
    pub(super) fn context(&self, mount: MountId, id: BodyId) -> (Context, Option<Entry>) {
        let form = |form| (Context::Async, Some(Entry::Form(form)));
        let body = self.facts(mount).body(id);
        match (body.flavour, body.kind) {
            (_, BodyKind::Signature) => (Context::Sync, None),
            (Flavour::Async | Flavour::AsyncGenerator, BodyKind::AsyncBlock) => {
                form(Form::AsyncBlock)
            }
            (Flavour::Async | Flavour::AsyncGenerator, BodyKind::Closure) => {
                form(Form::AsyncClosure)
            }
            (Flavour::Async | Flavour::AsyncGenerator, _) => form(Form::AsyncFn),
            _ if self.is_poll(mount, id) => form(Form::Poll),
            _ => {
                let by_trait = self.called_by_executor(mount, id);
                match by_trait.or_else(|| self.handed_by_attribute(mount, id)) {
                    Some(entry) => (Context::Async, Some(entry)),
                    None => (Context::Sync, None),
                }
            }
        }
    }

    /// A function that is given a task's context and answers `Poll` is what an executor calls: `poll`, `poll_next`, ….
    fn is_poll(&self, mount: MountId, id: BodyId) -> bool {
        let facts = self.facts(mount);
        let body = facts.body(id);
        if body.kind != BodyKind::Function {
            return false;
        }
        let returns_poll = body.returns.is_some_and(|returns| {
            self.is_external(self.written_type(mount, returns), "std::task::Poll")
        });
        returns_poll
            && facts.body_parameters(id).iter().any(|parameter| {
                parameter.type_.is_some_and(|type_| {
                    self.is_external(self.written_type(mount, type_), "std::task::Context")
                })
            })
    }

    fn is_external(&self, ty: Ty, path: &str) -> bool {
        matches!(self.arena.kind(self.arena.referent(ty)), TypeKind::External(known, _) if &*self.arena.text(known) == path)
    }

    /// For a method of a trait that a library calls on the executor's threads, how people know it: `Service::call`.
    fn called_by_executor(&self, mount: MountId, id: BodyId) -> Option<Entry> {
        let facts = self.facts(mount);
        let item = facts.body(id).item?;
        let name = facts.text(facts.item(item).name?);
        let impl_ = self.owner(DefId { mount, item })?;
        let ItemKind::Impl {
            trait_: Some(trait_),
            ..
        } = self.item(impl_).kind
        else {
            return None;
        };
        let TypeKind::External(path, _) = self.arena.kind(self.written_type(impl_.mount, trait_))
        else {
            return None;
        };
        let entry = self
            .catalog
            .trait_entry(Language::Rust, &self.arena.text(path))?;
        let elsewhere = || {
            let other = entry.off_loop_with.iter();
            other
                .map(String::as_str)
                .any(|path| self.is_given(mount, id, path))
        };
        if !entry.on_loop.iter().any(|method| method == name) || elsewhere() {
            return None;
        }
        Some(Entry::Event {
            class: entry.path.rsplit("::").next()?.to_owned(),
            method: name.to_owned(),
        })
    }

    /// For a function that an attribute hands to a server, which runs it on the executor's threads whether it is async or
    /// not: Rocket's `#[get(..)]`, poem's `#[handler]`.
    fn handed_by_attribute(&self, mount: MountId, id: BodyId) -> Option<Entry> {
        let facts = self.facts(mount);
        let body = facts.body(id);
        let item = body.item.filter(|_| body.kind == BodyKind::Function)?;
        let attributes = facts.expr_list(facts.item(item).attributes);
        attributes.iter().find_map(|attribute| {
            let (ExprKind::Path(path) | ExprKind::Struct { path, .. }) =
                facts.expr(*attribute).kind
            else {
                return None;
            };
            let found = self.resolve_path(mount, path, Namespace::Macro);
            let [Resolved::External(path)] = found.as_slice() else {
                return None;
            };
            let found = self
                .catalog
                .lookup(Language::Rust, &self.arena.text(*path))?;
            let api = self.catalog.api(found.api);
            let hands_over = api.registers && api.effect == Effect::Schedules;
            hands_over.then(|| Entry::Callback {
                api: api.path.clone(),
                at: Place {
                    file: self.mount(mount).file,
                    span: facts.expr(*attribute).span,
                },
            })
        })
    }

    /// Says whether a function has a parameter of a type.
    fn is_given(&self, mount: MountId, id: BodyId, path: &str) -> bool {
        let mut parameters = self.facts(mount).body_parameters(id).iter();
        parameters.any(|parameter| {
            let type_ = parameter.type_;
            type_.is_some_and(|type_| self.is_external(self.written_type(mount, type_), path))
        })
    }
}
