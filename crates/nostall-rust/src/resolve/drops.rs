//! What the end of a value runs: the `Drop` impls of the program, and what libraries do there.

use nostall_model::facts::{
    BindingId, Call, CallId, CallKind, Callee as Written, Definition, DefinitionId, DefinitionKind,
    ExprId, ExprKind, ItemKind, ParameterKind, RegionId, Sink,
};
use nostall_model::{Confidence, Language};

use super::Cx;
use super::impls::Substitution;
use super::methods::{Callee, What};
use super::mounts::{DefId, MountId};
use super::types::{Ty, TypeKind};

/// How deep values within values are looked at for `Drop`.
const DEEPEST_DROP: u32 = 5;

impl Cx<'_> {
    /// What the end of a variable runs, unless a method has taken its value.
    pub(super) fn dropped_here(
        &self,
        mount: MountId,
        end: CallId,
        ended: ExprId,
        ty: Ty,
    ) -> Vec<Callee> {
        let found = self.dropped(ty);
        if found.is_empty() || self.is_taken(mount, ended, end) || self.is_taken_apart(mount, ended)
        {
            return Vec::new();
        }
        found
    }

    /// What a call as a statement runs when it has returned: nobody keeps its value.
    pub(super) fn dropped_result(&self, call: &Call, callees: &[Callee]) -> Vec<Callee> {
        let (whole, own) = (call.statement, call.span);
        let is_statement = own.start == whole.start && own.end + 1 == whole.end;
        if call.sink != Sink::Dropped || !is_statement {
            return Vec::new();
        }
        let results = callees.iter().map(|callee| callee.returns);
        let found = results.flat_map(|result| self.dropped(result));
        // They have no part in the value of the call.
        found
            .map(|callee| Callee {
                returns: Ty::UNKNOWN,
                ..callee
            })
            .collect()
    }

    /// Says whether a method takes the value that a variable ends with, whichever way leads there:
    /// `runtime.shutdown_background()`.
    fn is_taken(&self, mount: MountId, ended: ExprId, end: CallId) -> bool {
        let Some((binding, last)) = self.values_of_variable(mount, ended) else {
            return false;
        };
        let facts = self.facts(mount);
        let around = std::iter::successors(Some(facts.call(end).region), |region| {
            facts.regions[region.index()].parent
        });
        let around: Vec<RegionId> = around.collect();
        let is_on_it = |call: &&Call| match call.callee {
            Written::Method { receiver, .. }
                if call.kind == CallKind::Plain && around.contains(&call.region) =>
            {
                let used = self.values_of_variable(mount, self.whole(mount, receiver));
                used.is_some_and(|(used, values)| {
                    used == binding && last.iter().all(|value| values.contains(value))
                })
            }
            _ => false,
        };
        let mut calls = facts.calls.iter().filter(is_on_it);
        calls.any(|call| {
            let callees = self.callees(mount, super::methods::call_id(facts, call));
            callees
                .iter()
                .any(|callee| self.takes_its_object(callee.what))
        })
    }

    /// Says whether a pattern takes a part out of a variable that has something to do at its end: `Ok(runtime) => ..`.
    fn is_taken_apart(&self, mount: MountId, ended: ExprId) -> bool {
        let Some((binding, _)) = self.values_of_variable(mount, ended) else {
            return false;
        };
        let facts = self.facts(mount);
        let takes_part = |definition: &&Definition| match definition.kind {
            DefinitionKind::Value(value) => {
                let whole = self.whole(mount, value);
                whole != value
                    && matches!(facts.expr(whole).kind, ExprKind::Use { binding: used, .. } if used == binding)
            }
            _ => false,
        };
        let mut parts = facts.definitions.iter().filter(takes_part);
        parts.any(|part| !self.drops_of(self.definition_type(mount, part)).is_empty())
    }

    /// The value of which this is a part: `app` of `app.runtime`, or what a pattern takes apart.
    fn whole(&self, mount: MountId, mut part: ExprId) -> ExprId {
        while let ExprKind::Attribute { base, .. } | ExprKind::Project { base, .. } =
            self.facts(mount).expr(part).kind
        {
            part = base;
        }
        part
    }

    /// The variable that is used, and the definitions of its value there.
    fn values_of_variable(
        &self,
        mount: MountId,
        id: ExprId,
    ) -> Option<(BindingId, &[DefinitionId])> {
        let facts = self.facts(mount);
        let ExprKind::Use { binding, reaching } = facts.expr(id).kind else {
            return None;
        };
        let definitions = if reaching.is_empty() {
            self.index(mount).definitions_of(binding)
        } else {
            &facts.definition_lists[reaching.range()]
        };
        Some((binding, definitions))
    }

    /// Says whether a method takes its object by value.
    pub(super) fn takes_its_object(&self, what: What) -> bool {
        match what {
            What::Function(def) => {
                let object = self.object_taken_by(def);
                object.is_some_and(|ty| !matches!(self.arena.kind(ty), TypeKind::Reference(_)))
            }
            What::External(path) => {
                let path = self.arena.text(path);
                let found = self.catalog.lookup(Language::Rust, &path);
                let says_so = found.is_some_and(|found| self.catalog.api(found.api).takes_self);
                // So the language's own guidelines name what uses a value up.
                says_so
                    || path
                        .rsplit("::")
                        .next()
                        .is_some_and(|name| name.starts_with("into_"))
            }
            _ => false,
        }
    }

    /// The type of `self` as a method declares it.
    pub(super) fn object_taken_by(&self, def: DefId) -> Option<Ty> {
        let body = self.item(def).body?;
        let first = self.facts(def.mount).body_parameters(body).first()?;
        match (first.kind, first.type_) {
            (ParameterKind::Receiver, Some(type_)) => Some(self.written_type(def.mount, type_)),
            (ParameterKind::Receiver, None) => Some(self.self_type(self.owner(def)?)),
            _ => None,
        }
    }

    /// What the end of a value runs: its own `Drop`, and those of what it holds. A reference owns nothing.
    pub(super) fn dropped(&self, ty: Ty) -> Vec<Callee> {
        self.drops_of(ty)
            .iter()
            .map(|what| match *what {
                What::Function(def) => {
                    self.function(def, &Substitution::default(), Confidence::Likely)
                }
                what => Callee::new(what, Confidence::Certain, Ty::UNKNOWN),
            })
            .collect()
    }

    fn drops_of(&self, ty: Ty) -> std::rc::Rc<[What]> {
        if let Some(found) = self.drops.borrow().get(&ty) {
            return std::rc::Rc::clone(found);
        }
        let mut found = Vec::new();
        self.add_dropped(ty, DEEPEST_DROP, &mut found);
        found.sort_unstable();
        found.dedup();
        let found: std::rc::Rc<[What]> = found.into();
        self.drops
            .borrow_mut()
            .insert(ty, std::rc::Rc::clone(&found));
        found
    }

    fn add_dropped(&self, ty: Ty, budget: u32, found: &mut Vec<What>) {
        let Some(budget) = budget.checked_sub(1) else {
            return;
        };
        for member in self.arena.members(ty) {
            self.add_own_drop(member, found);
            for held in self.held_by(member) {
                self.add_dropped(held, budget, found);
            }
        }
    }

    fn add_own_drop(&self, ty: Ty, found: &mut Vec<What>) {
        match self.arena.kind(ty) {
            TypeKind::Named(..) if self.has_drop_impls() => {
                let impl_ = self.impl_of_external_trait(ty, &["std::ops::Drop"]);
                let methods = impl_
                    .into_iter()
                    .flat_map(|impl_| self.associated_in(impl_, "drop"));
                found.extend(methods.map(What::Function));
            }
            TypeKind::External(path, _) => {
                let entry = self
                    .catalog
                    .type_entry(Language::Rust, &self.arena.text(path));
                let drop = entry.and_then(|entry| entry.drop.as_deref());
                found.extend(drop.map(|path| What::External(self.arena.symbol(path))));
            }
            _ => {}
        }
    }

    /// The types of the values that a value owns.
    pub(super) fn held_by(&self, ty: Ty) -> Vec<Ty> {
        match self.arena.kind(ty) {
            TypeKind::Named(def, _) => self.fields_of(def, ty),
            TypeKind::Tuple(members) => members.to_vec(),
            TypeKind::Slice(item) => vec![item],
            TypeKind::External(path, arguments) if owns_arguments(&self.arena.text(path)) => {
                arguments.to_vec()
            }
            TypeKind::External(path, _) => self.external_parts(path, ty),
            _ => Vec::new(),
        }
    }

    /// The types of all fields of a struct or an enum.
    pub(super) fn fields_of(&self, def: DefId, owner: Ty) -> Vec<Ty> {
        let runs: Vec<nostall_model::facts::Run> = match self.item(def).kind {
            ItemKind::Struct { fields } => vec![fields],
            ItemKind::Enum => self.variants_of(def),
            _ => Vec::new(),
        };
        let mut substitution = Substitution::default();
        self.unify(self.self_type(def), owner, &mut substitution);
        let facts = self.facts(def.mount);
        let fields = runs
            .into_iter()
            .flat_map(|run| facts.fields[run.range()].iter());
        fields
            .map(|field| self.substitute(self.written_type(def.mount, field.type_), &substitution))
            .collect()
    }

    fn variants_of(&self, def: DefId) -> Vec<nostall_model::facts::Run> {
        let facts = self.facts(def.mount);
        let inner = self.item(def).inner;
        let own = facts.items.iter().filter(|item| Some(item.scope) == inner);
        own.filter_map(|item| match item.kind {
            ItemKind::Variant { fields } => Some(fields),
            _ => None,
        })
        .collect()
    }
}

/// Containers of the standard library that own what their type arguments say. `Arc` and `Rc` are not among them: who is the
/// last owner, nobody knows.
fn owns_arguments(path: &str) -> bool {
    const OWNERS: [&str; 12] = [
        "std::boxed::Box",
        "std::option::Option",
        "std::result::Result",
        "std::vec::Vec",
        "std::collections::VecDeque",
        "std::collections::HashMap",
        "std::collections::BTreeMap",
        "std::collections::HashSet",
        "std::collections::BTreeSet",
        "std::sync::Mutex",
        "std::sync::RwLock",
        "std::cell::RefCell",
    ];
    OWNERS.contains(&path)
}
