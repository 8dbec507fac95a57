//! The answer: every body with its path and context, every call with its targets.

use std::collections::BTreeMap;
use std::sync::Arc;

use nostall_catalog::{ApiId, Wait};
use nostall_model::facts::{
    Body, BodyId, BodyKind, CallId, Callee as Written, ExprKind, FileFacts, ItemKind, Literal, Run,
    ScopeId, ScopeKind,
};
use nostall_model::finding::Entry;
use nostall_model::layout::Target;
use nostall_model::program::{
    Libraries, Mount as ProgramMount, Passed, Presence, ProgramBody, Resolution, ResolvedBody,
    ResolvedCall, RuntimeId, Target as CallTarget, TargetKind, Unresolved,
};
use nostall_model::{Confidence, Context, FileId, Language};

use super::Cx;
use super::conditions::scope_presence;
use super::methods::What;
use super::mounts::{DefId, MountId};
use super::names::{Namespace, Resolved};
use super::types::{Ty, TypeKind};

/// Resolves all bodies and calls of all mounts.
pub(crate) fn resolve_all(cx: &Cx<'_>, reasons: bool) -> Resolution {
    let mut resolution = Resolution::default();
    let (mut bodies, mut calls) = (0, 0);
    for mount in &cx.tree.mounts {
        let facts = cx.files.facts(mount.file);
        resolution.mounts.push(ProgramMount {
            file: mount.file,
            first_body: bodies,
            first_call: calls,
        });
        bodies += facts.bodies.len() as u32;
        calls += facts.calls.len() as u32;
    }
    resolution.libraries = libraries(cx);
    for mount in (0..cx.tree.mounts.len()).map(|index| MountId(index as u32)) {
        let runtime = cx.runtime(mount);
        for index in 0..cx.facts(mount).bodies.len() {
            let body = cx.resolved_body(mount, BodyId::new(index), runtime, &resolution.bodies);
            resolution.bodies.push(body);
        }
    }
    for mount in (0..cx.tree.mounts.len()).map(|index| MountId(index as u32)) {
        for index in 0..cx.facts(mount).calls.len() {
            cx.resolve_call(mount, CallId::new(index), &mut resolution);
            if reasons {
                let reason = cx.reason(mount, CallId::new(index));
                resolution.reasons.push(reason.into());
            }
        }
        cx.add_guards(mount, &mut resolution);
        cx.add_captured(mount, &mut resolution);
    }
    resolution
}

/// The crates that the code of each file can use. One that a usual build does not have is used where the file names it.
fn libraries(cx: &Cx<'_>) -> BTreeMap<FileId, Arc<Libraries>> {
    let always: Vec<Arc<Libraries>> = cx
        .tree
        .targets
        .iter()
        .map(|target| Arc::new(usable(target, &|_| false)))
        .collect();
    let mounts = cx.tree.mounts.iter();
    mounts
        .map(|mount| {
            let target = &cx.tree.targets[mount.target];
            let names = &cx.files.facts(mount.file).names;
            let named = |name: &str| names.find(name).is_some();
            let libraries = if target.optional.iter().any(|name| named(name)) {
                Arc::new(usable(target, &named))
            } else {
                Arc::clone(&always[mount.target])
            };
            (mount.file, libraries)
        })
        .collect()
}

fn usable(target: &Target, named: &dyn Fn(&str) -> bool) -> Libraries {
    let all = target.dependencies.keys();
    let own = all.filter(|name| is_usable(target, name, named));
    Libraries {
        names: own.cloned().collect(),
        features: target.features.clone(),
        version: None,
    }
}

/// Says whether code of a target that names crates can use one of its dependencies.
fn is_usable(target: &Target, name: &str, named: &dyn Fn(&str) -> bool) -> bool {
    !target.for_tests.contains(name) && (!target.optional.contains(name) || named(name))
}

impl Cx<'_> {
    // ---- bodies

    fn resolved_body(
        &self,
        mount: MountId,
        id: BodyId,
        runtime: Option<RuntimeId>,
        earlier: &[ResolvedBody],
    ) -> ResolvedBody {
        let facts = self.facts(mount);
        let body = facts.body(id);
        let first = earlier.len() - id.index();
        let path = match body.parent {
            // Outer bodies come before inner ones.
            Some(parent) if body.item.is_none() => format!(
                "{}::{}",
                earlier[first + parent.index()].path,
                inner_name(body)
            ),
            _ => self.body_path(mount, body),
        };
        let (context, why) = self.context(mount, id);
        let route = body.item.filter(|_| context == Context::Async);
        let route = route.and_then(|item| self.route_attribute(DefId { mount, item }));
        let entry = route.or(why);
        let around = body.parent.map_or(Presence::Present, |parent| {
            earlier[first + parent.index()].presence
        });
        let own = scope_presence(facts, body.scope).max(self.index(mount).presence(body.span));
        let presence = self.mount(mount).presence.max(own).max(around);
        ResolvedBody {
            path,
            context,
            entry,
            confidence: Confidence::Certain,
            presence,
            runtime,
        }
    }

    /// `#[get("/users")]`: what an attribute that the catalogue knows says of a function's route.
    fn route_attribute(&self, def: DefId) -> Option<Entry> {
        let facts = self.facts(def.mount);
        facts
            .expr_list(facts.item(def.item).attributes)
            .iter()
            .find_map(|attribute| {
                let ExprKind::Struct { path, fields } = facts.expr(*attribute).kind else {
                    return None;
                };
                let found = self.resolve_path(def.mount, path, Namespace::Macro);
                let [Resolved::External(path)] = found.as_slice() else {
                    return None;
                };
                let found = self
                    .catalog
                    .lookup(Language::Rust, &self.arena.text(*path))?;
                let route = self.catalog.api(found.api).route.as_ref()?;
                let arguments = &facts.arguments[fields.range()];
                let path = route.path.as_ref();
                let path = path.and_then(|wanted| literal(facts, arguments, wanted));
                Entry::route(route.method.as_deref().map(str::to_owned), path)
            })
    }

    fn body_path(&self, mount: MountId, body: &Body) -> String {
        let facts = self.facts(mount);
        let Some(item) = body.item else {
            return self.scope_path(mount, body.scope);
        };
        let outer = self.scope_path(mount, facts.item(item).scope);
        match facts.item(item).name {
            Some(name) => format!("{outer}::{}", facts.text(name)),
            None => outer,
        }
    }

    /// The path of a scope: the mount's modules, then modules, types and functions in the file.
    fn scope_path(&self, mount: MountId, scope: ScopeId) -> String {
        let facts = self.facts(mount);
        let mut names: Vec<String> = Vec::new();
        let mut current = Some(scope);
        while let Some(id) = current {
            if let ScopeKind::Item(item) | ScopeKind::Function(item) = facts.scopes[id.index()].kind
            {
                names.extend(self.scope_name(DefId { mount, item }));
            }
            current = facts.scopes[id.index()].parent;
        }
        names.push(self.mount(mount).path.clone());
        names.reverse();
        names.join("::")
    }

    fn scope_name(&self, def: DefId) -> Option<String> {
        let facts = self.facts(def.mount);
        let item = facts.item(def.item);
        match item.kind {
            ItemKind::Impl { self_type, .. } => {
                Some(self.type_name(self.written_type(def.mount, self_type)))
            }
            _ => item.name.map(|name| facts.text(name).to_owned()),
        }
    }

    /// A type's last name, as people call it.
    fn type_name(&self, ty: Ty) -> String {
        match self.arena.kind(self.arena.referent(ty)) {
            TypeKind::Named(def, _) => {
                let name = self.item(def).name;
                name.map_or_else(
                    || "_".to_owned(),
                    |name| self.facts(def.mount).text(name).to_owned(),
                )
            }
            TypeKind::External(path, _) | TypeKind::Primitive(path) => {
                let text = self.arena.text(path);
                text.rsplit("::").next().unwrap_or_default().to_owned()
            }
            TypeKind::Parameter(_, name) => self.arena.text(name).to_string(),
            TypeKind::Slice(_) => "[_]".to_owned(),
            _ => "_".to_owned(),
        }
    }

    /// The runtime that a crate uses, as its dependencies say; without a manifest, as the file's own words say.
    fn runtime(&self, mount: MountId) -> Option<RuntimeId> {
        let target = self.target(mount);
        let names = &self.facts(mount).names;
        let named = |name: &str| names.find(name).is_some();
        let seen = self.catalog.runtime_seen(Language::Rust, &|name| {
            let own = target.dependencies.contains_key(name) && is_usable(target, name, &named);
            own || (!target.closed && named(name))
        });
        // A manifest without a runtime means one that is not known; a file without a manifest says nothing.
        seen.or_else(|| {
            self.catalog
                .usual_runtime(Language::Rust)
                .filter(|_| !target.closed)
        })
    }

    // ---- calls

    fn resolve_call(&self, mount: MountId, id: CallId, resolution: &mut Resolution) {
        // What a statement's condition leaves out runs nothing; in a test all of it counts.
        let presence = self.index(mount).presence(self.facts(mount).call(id).span);
        if presence > self.mount(mount).presence {
            resolution.calls.push(ResolvedCall::default());
            return;
        }
        let callees = self.callees(mount, id);
        let first = resolution.targets.len() as u32;
        for callee in callees.iter() {
            let Some(kind) = self.target_kind(mount, Some(id), callee.what, resolution) else {
                continue;
            };
            let target = CallTarget {
                kind,
                confidence: callee.confidence,
            };
            let conditions = self.conditions(mount, id, callee);
            for (condition, wait) in &conditions {
                let number = resolution.targets.len() as u32;
                resolution.conditions.push((number, *condition));
                resolution.targets.push(self.waiting_for(&target, *wait));
            }
            if conditions.is_empty() {
                resolution.targets.push(target);
            }
        }
        let call = resolution.mounts[mount.index()].call(id);
        let reached = &resolution.targets[first as usize..];
        let matches = self.type_matches(mount, id, call, reached);
        resolution.type_matches.extend(matches);
        let reached = &resolution.targets[first as usize..];
        let channels = self.channel_uses(mount, id, call, reached);
        resolution.channels.extend(channels);
        let put_in = self.instantiations(mount, id, &callees);
        resolution.instantiations.extend(
            put_in
                .into_iter()
                .map(|instantiation| (call, instantiation)),
        );
        let targets = Run {
            start: first,
            end: resolution.targets.len() as u32,
        };
        let first = resolution.passed.len() as u32;
        self.passed(mount, id, resolution);
        let passed = Run {
            start: first,
            end: resolution.passed.len() as u32,
        };
        resolution.calls.push(ResolvedCall { targets, passed });
    }

    /// A target as it is where a type parameter stands for a type that waits for this.
    fn waiting_for(&self, target: &CallTarget, wait: Option<Wait>) -> CallTarget {
        let kind = match target.kind {
            TargetKind::Api(api) => TargetKind::Api(self.catalog.on(ApiId(api), wait).0),
            _ => target.kind.clone(),
        };
        CallTarget {
            kind,
            ..target.clone()
        }
    }

    fn target_kind(
        &self,
        mount: MountId,
        call: Option<CallId>,
        what: What,
        resolution: &Resolution,
    ) -> Option<TargetKind> {
        match what {
            What::Constructor => None,
            What::Unresolved(reason) => Some(TargetKind::Unresolved(reason)),
            What::Body(mount, body) => {
                Some(TargetKind::Body(program_body(resolution, mount, body)))
            }
            What::Parameter(mount, body, index) => {
                let index = index.min(u16::MAX - 1);
                Some(TargetKind::Parameter(
                    program_body(resolution, mount, body),
                    index,
                ))
            }
            What::Function(def) => Some(self.function_target(def, resolution)),
            What::External(path) => {
                let path = self.arena.text(path);
                let found = self.catalog.lookup(Language::Rust, &path);
                let entry = found.and_then(|found| self.entry_at(mount, call, found.api));
                Some(match entry {
                    Some(api) => TargetKind::Api(api.0),
                    None => TargetKind::External((&*path).into()),
                })
            }
        }
    }

    fn function_target(&self, def: DefId, resolution: &Resolution) -> TargetKind {
        let Some(body) = self.item(def).body else {
            return TargetKind::Unresolved(Unresolved::Method);
        };
        let program = program_body(resolution, def.mount, body);
        let path = &resolution.bodies[program.index()].path;
        if let Some(found) = self.catalog.lookup_user(Language::Rust, path) {
            return TargetKind::Api(found.api.0);
        }
        if self.facts(def.mount).body(body).is_signature() {
            return TargetKind::Unresolved(Unresolved::Method);
        }
        TargetKind::Body(program)
    }

    fn passed(&self, mount: MountId, id: CallId, resolution: &mut Resolution) {
        let facts = self.facts(mount);
        if matches!(facts.call(id).callee, Written::Macro(_)) {
            return;
        }
        for (index, argument) in facts.call_arguments(id).iter().enumerate() {
            if !may_be_callable(facts, argument.value) {
                continue;
            }
            for (what, confidence) in self.callable(mount, argument.value, 16) {
                if let Some(kind) = self.target_kind(mount, None, what, resolution) {
                    resolution.passed.push(Passed {
                        index: index as u16,
                        target: CallTarget { kind, confidence },
                    });
                }
            }
        }
    }
}

pub(super) fn program_body(resolution: &Resolution, mount: MountId, body: BodyId) -> ProgramBody {
    resolution.mounts[mount.index()].body(body)
}

/// The text of a literal argument.
fn literal(
    facts: &FileFacts,
    arguments: &[nostall_model::facts::Argument],
    wanted: &nostall_catalog::Argument,
) -> Option<String> {
    let found = arguments.get(usize::from(wanted.index?))?;
    match facts.expr(found.value).kind {
        ExprKind::Literal(Literal::Str(text)) => Some(facts.text(text).to_owned()),
        _ => None,
    }
}

fn inner_name(body: &Body) -> &'static str {
    match body.kind {
        BodyKind::AsyncBlock => "{async block}",
        BodyKind::Constant => "{constant}",
        _ => "{closure}",
    }
}

pub(super) fn may_be_callable(facts: &FileFacts, id: nostall_model::facts::ExprId) -> bool {
    match facts.expr(id).kind {
        ExprKind::Callable(_)
        | ExprKind::Path(_)
        | ExprKind::Use { .. }
        | ExprKind::Call(_)
        | ExprKind::Attribute { .. }
        | ExprKind::Project { .. } => true,
        ExprKind::Reference(inner)
        | ExprKind::Dereference(inner)
        | ExprKind::Cast { value: inner, .. } => may_be_callable(facts, inner),
        ExprKind::Select(_) | ExprKind::Collection { .. } => true,
        _ => false,
    }
}
