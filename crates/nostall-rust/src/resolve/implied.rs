//! Code of the program that a call runs although it does not name it: conversions, `Display` behind `to_string`, `next` behind
//! what uses an iterator up.

use nostall_model::Confidence;
use nostall_model::facts::{CallId, DefinitionKind, ExprId, ExprKind, ItemKind, Sink};
use rustc_hash::FxHashMap;

use super::Cx;
use super::impls::Substitution;
use super::methods::{Callee, What};
use super::mounts::{DefId, MountId};
use super::types::{Ty, TypeKind};

/// What each expression is the object, the operand or the value of.
#[derive(Debug, Default)]
pub(crate) struct Parents {
    /// The expression around it: `?`, `.await`, a method call on it.
    around: FxHashMap<ExprId, ExprId>,
    /// The written type of the variable that it is the value of.
    bound: FxHashMap<ExprId, nostall_model::facts::TypeExprId>,
}

impl Cx<'_> {
    // ---- conversions

    /// Adds what a method call runs by way of a trait of the standard library.
    pub(super) fn add_implied(
        &self,
        mount: MountId,
        id: CallId,
        receiver: Ty,
        name: &str,
        callees: &mut Vec<Callee>,
    ) {
        if callees
            .iter()
            .any(|callee| matches!(callee.what, What::Function(_)))
        {
            return;
        }
        let found = match name {
            "to_string" => self.by_external_trait(&[receiver], "std::fmt::Display", "fmt"),
            "into" => self.made_from(mount, id, receiver, "std::convert::From", "from"),
            "try_into" => self.made_from(mount, id, receiver, "std::convert::TryFrom", "try_from"),
            "parse" => self.parsed(mount, id),
            _ if self.uses_up(name) => {
                self.by_external_trait(&[receiver], "std::iter::Iterator", "next")
            }
            _ => return,
        };
        // Their values are no result of this call: what the method itself gives counts.
        callees.extend(found.into_iter().map(|callee| Callee {
            returns: Ty::UNKNOWN,
            ..callee
        }));
    }

    /// `value.into()`: the `From` impl of the type that is wanted.
    fn made_from(
        &self,
        mount: MountId,
        id: CallId,
        receiver: Ty,
        trait_: &str,
        name: &str,
    ) -> Vec<Callee> {
        let Some(wanted) = self.wanted(mount, self.facts(mount).call(id).expr) else {
            return Vec::new();
        };
        let wanted = self.within_result(wanted);
        self.conversion_impls(wanted, receiver, trait_, name)
    }

    /// The impls of a conversion trait for a type that take a value of another.
    fn conversion_impls(&self, wanted: Ty, given: Ty, trait_: &str, name: &str) -> Vec<Callee> {
        let fits = |impl_: &DefId| {
            let ItemKind::Impl {
                trait_: Some(written),
                ..
            } = self.item(*impl_).kind
            else {
                return false;
            };
            match self.arena.kind(self.written_type(impl_.mount, written)) {
                TypeKind::External(path, arguments) => {
                    let from = arguments.first().copied().unwrap_or(Ty::UNKNOWN);
                    &*self.arena.text(path) == trait_ && self.fits(from, given)
                }
                _ => false,
            }
        };
        let impls = self.impls_of(wanted).into_iter().filter(fits);
        let methods = impls.flat_map(|impl_| self.associated_in(impl_, name));
        let function = |def| self.function(def, &Substitution::default(), Confidence::Likely);
        methods.map(function).collect()
    }

    /// `text.parse::<T>()`: the `FromStr` impl of `T`.
    fn parsed(&self, mount: MountId, id: CallId) -> Vec<Callee> {
        let facts = self.facts(mount);
        let call = facts.call(id);
        let written = facts.type_list(call.type_arguments).first();
        let wanted = match written {
            Some(written) => Some(self.written_type(mount, *written)),
            None => self
                .wanted(mount, call.expr)
                .map(|wanted| self.within_result(wanted)),
        };
        wanted.map_or_else(Vec::new, |wanted| {
            self.by_external_trait(&[wanted], "std::str::FromStr", "from_str")
        })
    }

    /// `?` makes the error that the function returns from the one at hand.
    pub(super) fn converted_error(&self, mount: MountId, id: CallId, operand: Ty) -> Vec<Callee> {
        let facts = self.facts(mount);
        let body = facts.body(facts.call(id).body);
        let Some(returns) = body.returns else {
            return Vec::new();
        };
        let error = |ty: Ty| match self.arena.kind(ty) {
            TypeKind::External(_, arguments) => arguments.get(1).copied(),
            _ => None,
        };
        let (Some(wanted), Some(given)) =
            (error(self.written_type(mount, returns)), error(operand))
        else {
            return Vec::new();
        };
        if given == Ty::UNKNOWN || given == wanted {
            return Vec::new();
        }
        self.conversion_impls(wanted, given, "std::convert::From", "from")
    }

    /// The type that a value should have: of the variable, the parameter or the result that it becomes.
    fn wanted(&self, mount: MountId, value: ExprId) -> Option<Ty> {
        let parents = self.parents(mount);
        let mut current = value;
        for _ in 0..6 {
            if let Some(type_) = parents.bound.get(&current) {
                return Some(self.written_type(mount, *type_)).filter(|ty| *ty != Ty::UNKNOWN);
            }
            if let Some(ty) = self.wanted_by_call(mount, current) {
                return Some(ty);
            }
            current = *parents.around.get(&current)?;
        }
        None
    }

    fn wanted_by_call(&self, mount: MountId, value: ExprId) -> Option<Ty> {
        let facts = self.facts(mount);
        let ExprKind::Call(id) = facts.expr(value).kind else {
            return None;
        };
        match facts.call(id).sink {
            Sink::Returned => {
                let returns = facts.body(facts.call(id).body).returns?;
                Some(self.written_type(mount, returns))
            }
            Sink::Argument { call, index } => {
                let callees = self.callees(mount, call);
                let [
                    Callee {
                        what: What::Function(def),
                        ..
                    },
                ] = &*callees
                else {
                    return None;
                };
                let body = self.item(*def).body?;
                let method = matches!(
                    facts.call(call).callee,
                    nostall_model::facts::Callee::Method { .. }
                );
                let ty =
                    self.declared_type(def.mount, body, usize::from(index) + usize::from(method));
                Some(ty).filter(|ty| *ty != Ty::UNKNOWN)
            }
            _ => None,
        }
    }

    /// What is in a `Result` or `Option`; any other type as it is.
    fn within_result(&self, ty: Ty) -> Ty {
        match self.arena.kind(ty) {
            TypeKind::External(path, arguments)
                if super::stubs::is_wrapper(&self.arena.text(path)) =>
            {
                arguments.first().copied().unwrap_or(ty)
            }
            _ => ty,
        }
    }

    fn parents(&self, mount: MountId) -> std::rc::Rc<Parents> {
        if let Some(found) = self.parents.borrow().get(&mount) {
            return std::rc::Rc::clone(found);
        }
        let parents = std::rc::Rc::new(self.find_parents(mount));
        self.parents
            .borrow_mut()
            .insert(mount, std::rc::Rc::clone(&parents));
        parents
    }

    fn find_parents(&self, mount: MountId) -> Parents {
        let facts = self.facts(mount);
        let mut parents = Parents::default();
        for (index, expr) in facts.exprs.iter().enumerate() {
            if let ExprKind::Try(inner) | ExprKind::Await(inner) = expr.kind {
                parents.around.insert(inner, ExprId::new(index));
            }
        }
        // Only what takes a value out leaves its type as it is wanted: `unwrap`, `expect` and their like.
        for call in &facts.calls {
            if let nostall_model::facts::Callee::Method { receiver, name } = call.callee
                && facts.text(name).starts_with(['u', 'e', 'm'])
                && matches!(
                    facts.text(name),
                    "unwrap"
                        | "expect"
                        | "unwrap_or_default"
                        | "unwrap_or"
                        | "unwrap_or_else"
                        | "map_err"
                )
            {
                parents.around.insert(receiver, call.expr);
            }
        }
        for definition in &facts.definitions {
            if let (DefinitionKind::Value(value), Some(type_)) = (definition.kind, definition.type_)
            {
                parents.bound.insert(value, type_);
            }
        }
        parents
    }

    // ---- iteration

    /// Says whether a method of `Iterator` runs it to its end, or at least one step.
    fn uses_up(&self, name: &str) -> bool {
        const USES_UP: [&str; 25] = [
            "all",
            "any",
            "collect",
            "count",
            "eq",
            "extend",
            "find",
            "find_map",
            "fold",
            "for_each",
            "last",
            "max",
            "max_by",
            "max_by_key",
            "min",
            "min_by",
            "min_by_key",
            "nth",
            "partition",
            "position",
            "product",
            "reduce",
            "sum",
            "try_fold",
            "try_for_each",
        ];
        USES_UP.contains(&name)
    }
}
