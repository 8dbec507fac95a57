//! How a callee was found, in words.

use nostall_model::facts::{CallId, CallKind, Callee as Written, ExprKind, ItemKind};

use super::Cx;
use super::methods::{Callee, What};
use super::mounts::{DefId, MountId};
use super::types::{Ty, TypeKind};

impl Cx<'_> {
    /// Says how the callee of a call was found.
    pub(super) fn reason(&self, mount: MountId, id: CallId) -> String {
        let facts = self.facts(mount);
        let call = facts.call(id);
        let mut text = match call.callee {
            Written::Macro(path) => format!("the macro `{}`", facts.path_text(path, "::")),
            Written::Value(value) => match facts.expr(value).kind {
                ExprKind::Path(path) => format!("the path `{}`", facts.path_text(path, "::")),
                ExprKind::Use { binding, .. } => {
                    let name = facts.text(facts.bindings[binding.index()].name);
                    format!("the value of `{name}`")
                }
                _ => format!(
                    "a value of the type {}",
                    self.shown(self.type_of(mount, value))
                ),
            },
            Written::Method { receiver, name } => {
                let ty = self.shown(self.type_of(mount, receiver));
                let name = facts.text(name);
                match call.kind {
                    CallKind::Drop => format!("the end of a value of the type {ty}"),
                    CallKind::Format => format!("writing a value of the type {ty}"),
                    CallKind::Iterate => format!("iterating over a value of the type {ty}"),
                    CallKind::Operator | CallKind::Index => {
                        format!("an operator (`{name}`) on a value of the type {ty}")
                    }
                    CallKind::Convert => format!("`?`, which converts the error of {ty}"),
                    _ => format!("the method `{name}` of {ty}"),
                }
            }
        };
        let callees = self.callees(mount, id);
        if let [only] = &*callees
            && let Some(more) = self.whose(only)
        {
            text += &more;
        } else if callees.len() > 1 {
            text += &format!(", {} candidates", callees.len());
        }
        text
    }

    /// Where a function of a trait is written.
    fn whose(&self, callee: &Callee) -> Option<String> {
        let What::Function(def) = callee.what else {
            return None;
        };
        let owner = self.owner(def)?;
        match self.item(owner).kind {
            ItemKind::Trait { .. } => Some(format!(
                ", a default of the trait `{}`",
                self.item_name(owner)
            )),
            ItemKind::Impl {
                trait_: Some(trait_),
                ..
            } => Some(format!(
                ", from its impl of {}",
                self.shown(self.written_type(owner.mount, trait_))
            )),
            _ => None,
        }
    }

    fn item_name(&self, def: DefId) -> String {
        let facts = self.facts(def.mount);
        let name = facts.item(def.item).name;
        name.map_or_else(|| "_".to_owned(), |name| facts.text(name).to_owned())
    }

    fn shown(&self, ty: Ty) -> String {
        match self.arena.kind(ty) {
            TypeKind::Unknown => "an unknown type".to_owned(),
            _ => format!("`{}`", self.display(ty, 4)),
        }
    }

    /// A type as people write it.
    fn display(&self, ty: Ty, budget: u32) -> String {
        if budget == 0 {
            return "…".to_owned();
        }
        let list = |types: &[Ty]| {
            let shown: Vec<String> = types
                .iter()
                .map(|ty| self.display(*ty, budget - 1))
                .collect();
            shown.join(", ")
        };
        let with = |name: &str, arguments: &[Ty]| {
            if arguments.is_empty() {
                name.to_owned()
            } else {
                format!("{name}<{}>", list(arguments))
            }
        };
        match self.arena.kind(ty) {
            TypeKind::Unknown => "_".to_owned(),
            TypeKind::Never => "!".to_owned(),
            TypeKind::Named(def, arguments) => with(&self.item_name(def), &arguments),
            TypeKind::External(path, arguments) => with(&self.arena.text(path), &arguments),
            TypeKind::Primitive(name) | TypeKind::Parameter(_, name) => {
                self.arena.text(name).to_string()
            }
            TypeKind::Reference(inner) => format!("&{}", self.display(inner, budget)),
            TypeKind::Tuple(members) => format!("({})", list(&members)),
            TypeKind::Slice(inner) => format!("[{}]", self.display(inner, budget)),
            TypeKind::Function(parameters, returns) => {
                format!(
                    "fn({}) -> {}",
                    list(&parameters),
                    self.display(returns, budget - 1)
                )
            }
            TypeKind::Closure(..) => "a closure".to_owned(),
            TypeKind::FunctionItem(def) => format!("fn {}", self.item_name(def)),
            TypeKind::ExternalFunction(path) => format!("fn {}", self.arena.text(path)),
            TypeKind::Future(inner) => {
                format!("impl Future<Output = {}>", self.display(inner, budget - 1))
            }
            TypeKind::Impl(bounds) => format!("impl {}", list(&bounds)),
            TypeKind::Dyn(bounds) => format!("dyn {}", list(&bounds)),
            TypeKind::Associated(name, inner) => {
                format!(
                    "{} = {}",
                    self.arena.text(name),
                    self.display(inner, budget - 1)
                )
            }
            TypeKind::Union(members) => {
                let shown: Vec<String> = members
                    .iter()
                    .map(|ty| self.display(*ty, budget - 1))
                    .collect();
                shown.join(" or ")
            }
        }
    }
}
