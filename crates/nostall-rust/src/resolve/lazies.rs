//! Lazy statics: the first use of one runs what makes its value.

use nostall_catalog::Times;
use nostall_model::facts::{BodyId, CallId, Callee as Written, ExprId, ExprKind, ItemKind};
use nostall_model::{Confidence, Language};

use super::Cx;
use super::methods::{Callee, What};
use super::mounts::{DefId, MountId};
use super::names::{Namespace, Resolved};
use super::types::{Ty, TypeKind};

impl Cx<'_> {
    /// The initialiser of a lazy static that is used: `CONFIG.get(..)` where `CONFIG` is a `LazyLock::new(|| ..)`.
    pub(super) fn lazy_initialiser(&self, mount: MountId, used: ExprId) -> Option<Callee> {
        let path = match self.facts(mount).expr(used).kind {
            ExprKind::Path(path) => path,
            ExprKind::Reference(inner) => return self.lazy_initialiser(mount, inner),
            _ => return None,
        };
        let found = self.resolve_path(mount, path, Namespace::Value);
        let [Resolved::Item(def)] = found.as_slice() else {
            return None;
        };
        // Its value is no result of this call: what the method itself gives counts.
        let what = self.made_once(*def)?;
        Some(Callee::new(what, Confidence::Certain, Ty::UNKNOWN))
    }

    /// The body of a lazy static.
    pub(super) fn made_once(&self, def: DefId) -> Option<What> {
        let item = self.item(def);
        let (ItemKind::Constant { .. }, Some(body)) = (item.kind, item.body) else {
            return None;
        };
        self.is_made_once(def.mount, body)
            .then_some(What::Body(def.mount, body))
    }

    /// Says whether the value of a constant is a callable that is called once.
    fn is_made_once(&self, mount: MountId, body: BodyId) -> bool {
        let facts = self.facts(mount);
        let value = facts.body(body).value.map(|value| facts.expr(value).kind);
        let Some(ExprKind::Call(made)) = value else {
            return false;
        };
        self.callees(mount, made).iter().any(|callee| {
            let What::External(path) = callee.what else {
                return false;
            };
            let found = self.catalog.lookup(Language::Rust, &self.arena.text(path));
            found.is_some_and(|found| self.catalog.api(found.api).times == Some(Times::Once))
        })
    }

    /// The initialisers of lazy statics that a call is given for a reference to what they hold: `send(&CONFIG)`.
    pub(super) fn made_for_arguments(
        &self,
        mount: MountId,
        id: CallId,
        callees: &[Callee],
    ) -> Vec<Callee> {
        let facts = self.facts(mount);
        let arguments = facts.call_arguments(id).iter().enumerate();
        let given = arguments.filter(|(_, argument)| match facts.expr(argument.value).kind {
            ExprKind::Reference(inner) => matches!(facts.expr(inner).kind, ExprKind::Path(_)),
            _ => false,
        });
        let looked_behind = given.filter(|(index, argument)| {
            let own = self.type_of(mount, argument.value);
            let method = matches!(facts.call(id).callee, Written::Method { .. });
            callees
                .iter()
                .any(|callee| self.looks_behind(callee, index + usize::from(method), own))
        });
        looked_behind
            .filter_map(|(_, argument)| self.lazy_initialiser(mount, argument.value))
            .collect()
    }

    /// Says whether a parameter wants what is behind the holder that it is given. A type parameter takes the holder itself.
    fn looks_behind(&self, callee: &Callee, index: usize, holder: Ty) -> bool {
        let What::Function(def) = callee.what else {
            return false;
        };
        let Some(body) = self.item(def).body else {
            return false;
        };
        let wanted = self
            .arena
            .referent(self.declared_type(def.mount, body, index));
        match (
            self.arena.kind(wanted),
            self.arena.kind(self.arena.referent(holder)),
        ) {
            (TypeKind::External(wanted, _), TypeKind::External(own, _)) => wanted != own,
            (TypeKind::Named(..) | TypeKind::Slice(_) | TypeKind::Primitive(_), _) => true,
            _ => false,
        }
    }
}
