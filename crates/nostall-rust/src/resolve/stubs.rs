//! Types that the catalogue writes: `returns`, `deref`, `item`, `alias`.

use std::rc::Rc;

use nostall_model::facts::{CallId, Callee, ExprKind};
use nostall_model::{Confidence, Language};
use rustc_hash::FxHashMap;

use super::methods::Substitution;
use super::mounts::MountId;
use super::types::{Symbol, Ty, TypeKind};
use super::{Cx, DEEPEST};

/// What the names in a written stub stand for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    /// `Self`.
    pub(crate) receiver: Ty,
    /// Type parameters by name.
    pub(crate) parameters: FxHashMap<String, Ty>,
    /// The call whose arguments are `A0`, `A1`, ….
    pub(crate) call: Option<(MountId, CallId)>,
}

impl Default for Ty {
    fn default() -> Self {
        Self::UNKNOWN
    }
}

impl Cx<'_> {
    /// Reads a type of the catalogue. A text that is no type is not known.
    pub(crate) fn stub_type(&self, text: &str, names: &Names) -> Ty {
        let parsed = {
            let mut stubs = self.stubs.borrow_mut();
            let entry = stubs.entry(text.to_owned());
            entry
                .or_insert_with(|| syn::parse_str::<syn::Type>(text).ok().map(Rc::new))
                .clone()
        };
        parsed.map_or(Ty::UNKNOWN, |parsed| self.stub(&parsed, names))
    }

    fn stub(&self, ty: &syn::Type, names: &Names) -> Ty {
        match ty {
            syn::Type::Path(path) => self.stub_path(&path.path, names),
            syn::Type::Reference(reference) => {
                self.arena.reference(self.stub(&reference.elem, names))
            }
            syn::Type::Tuple(tuple) => self.arena.ty(TypeKind::Tuple(
                tuple.elems.iter().map(|ty| self.stub(ty, names)).collect(),
            )),
            syn::Type::Slice(slice) => self
                .arena
                .ty(TypeKind::Slice(self.stub(&slice.elem, names))),
            syn::Type::Array(array) => self
                .arena
                .ty(TypeKind::Slice(self.stub(&array.elem, names))),
            syn::Type::ImplTrait(bounds) => self.arena.ty(TypeKind::Impl(
                self.stub_bounds(bounds.bounds.iter(), names),
            )),
            syn::Type::TraitObject(bounds) => self
                .arena
                .ty(TypeKind::Dyn(self.stub_bounds(bounds.bounds.iter(), names))),
            syn::Type::Paren(inner) => self.stub(&inner.elem, names),
            syn::Type::Group(inner) => self.stub(&inner.elem, names),
            syn::Type::Never(_) => Ty::NEVER,
            _ => Ty::UNKNOWN,
        }
    }

    fn stub_bounds<'b>(
        &self,
        bounds: impl Iterator<Item = &'b syn::TypeParamBound>,
        names: &Names,
    ) -> Rc<[Ty]> {
        bounds
            .filter_map(|bound| match bound {
                syn::TypeParamBound::Trait(bound) => Some(self.stub_path(&bound.path, names)),
                _ => None,
            })
            .collect()
    }

    fn stub_path(&self, path: &syn::Path, names: &Names) -> Ty {
        let texts: Vec<String> = path
            .segments
            .iter()
            .map(|segment| segment.ident.to_string())
            .collect();
        if let Some(first) = self.stub_name(&texts[0], names) {
            return texts[1..]
                .iter()
                .fold(first, |ty, part| self.stub_part(ty, part));
        }
        let joined = texts.join("::");
        let arguments: Vec<Ty> = path.segments.last().map_or_else(Vec::new, |segment| {
            self.stub_arguments(&segment.arguments, names)
        });
        if super::prelude::is_primitive(&joined) {
            return self
                .arena
                .ty(TypeKind::Primitive(self.arena.symbol(&joined)));
        }
        let full = super::prelude::path(&joined, super::names::Namespace::Type).unwrap_or(joined);
        self.external_type(&full, &arguments)
    }

    /// What a stub's own names stand for: `Self`, type parameters, `A0` for the type of argument 0, `G0` for the call's own type
    /// argument 0.
    fn stub_name(&self, name: &str, names: &Names) -> Option<Ty> {
        if name == "Self" {
            return Some(names.receiver);
        }
        if let Some(ty) = names.parameters.get(name) {
            return Some(*ty);
        }
        let (mount, call) = names.call?;
        if let Some(index) = numbered(name, 'G') {
            return Some(self.written_argument(mount, call, index));
        }
        let index = numbered(name, 'A')?;
        let argument = self.facts(mount).call_arguments(call).get(index);
        Some(argument.map_or(Ty::UNKNOWN, |argument| self.type_of(mount, argument.value)))
    }

    /// A type argument of a call as it is written: `collect::<Vec<_>>()`, `read::<u8>(..)`.
    pub(super) fn written_argument(&self, mount: MountId, call: CallId, index: usize) -> Ty {
        let facts = self.facts(mount);
        let call = facts.call(call);
        let run = match call.callee {
            Callee::Value(value) => match facts.expr(value).kind {
                ExprKind::Path(path) => facts.path_segments(path).last().map(|it| it.arguments),
                _ => None,
            },
            Callee::Method { .. } => Some(call.type_arguments),
            Callee::Macro(_) => None,
        };
        let written = run.and_then(|run| facts.type_list(run).get(index).copied());
        written.map_or(Ty::UNKNOWN, |written| self.written_type(mount, written))
    }

    /// `X::Output`: what calling or awaiting an `X` gives. `X::Item`: what iterating over it gives, or what is in an `Option`.
    fn stub_part(&self, ty: Ty, part: &str) -> Ty {
        let members = self.arena.members(ty).into_iter().map(|member| match part {
            "Output" => self.output(member),
            "Item" => match self.arena.kind(member) {
                TypeKind::External(path, arguments) if is_wrapper(&self.arena.text(path)) => {
                    arguments.first().copied().unwrap_or(Ty::UNKNOWN)
                }
                _ => self.item_type(member),
            },
            _ => self.associated_type(member, self.arena.symbol(part)),
        });
        self.arena.union(members)
    }

    /// What calling or awaiting a value of a type gives.
    fn output(&self, ty: Ty) -> Ty {
        match self.arena.kind(self.arena.referent(ty)) {
            TypeKind::Closure(mount, body) => self.called_body(mount, body).returns,
            TypeKind::FunctionItem(def) => {
                self.function(def, &Substitution::default(), Confidence::Likely)
                    .returns
            }
            TypeKind::ExternalFunction(path) => {
                self.external(path, Ty::UNKNOWN, None, Confidence::Likely)
                    .returns
            }
            TypeKind::Function(_, returns) => returns,
            TypeKind::Parameter(..) => self
                .function_bound(ty)
                .map_or(Ty::UNKNOWN, |(_, returns)| returns),
            _ => self.awaited(ty),
        }
    }

    fn stub_arguments(&self, arguments: &syn::PathArguments, names: &Names) -> Vec<Ty> {
        let syn::PathArguments::AngleBracketed(arguments) = arguments else {
            return Vec::new();
        };
        arguments
            .args
            .iter()
            .filter_map(|argument| match argument {
                syn::GenericArgument::Type(ty) => Some(self.stub(ty, names)),
                syn::GenericArgument::AssocType(associated) => {
                    let name = self.arena.symbol(&associated.ident.to_string());
                    Some(
                        self.arena
                            .ty(TypeKind::Associated(name, self.stub(&associated.ty, names))),
                    )
                }
                _ => None,
            })
            .collect()
    }

    /// Returns a type outside the program by any of its public paths, aliases followed.
    pub(crate) fn external_type(&self, path: &str, arguments: &[Ty]) -> Ty {
        let Some(entry) = self.catalog.type_entry(Language::Rust, path) else {
            return self.arena.external(path, arguments);
        };
        let own = self.arena.external(&entry.path, arguments);
        let Some(alias) = entry.alias.as_deref() else {
            return own;
        };
        let names = Names {
            receiver: Ty::UNKNOWN,
            parameters: parameters(&entry.params, arguments),
            call: None,
        };
        self.known.aliases.ask(
            &self.depth,
            DEEPEST,
            own,
            || own,
            || self.stub_type(alias, &names),
        )
    }

    /// Returns what the parameters of an external type stand for.
    pub(crate) fn names_of(&self, receiver: Ty, call: Option<(MountId, CallId)>) -> Names {
        let mut names = Names {
            receiver,
            parameters: FxHashMap::default(),
            call,
        };
        let bare = self.arena.kind(self.arena.referent(receiver));
        if let TypeKind::Slice(item) = bare {
            names.parameters.insert("T".to_owned(), item);
        }
        if let TypeKind::External(path, arguments) = bare
            && let Some(entry) = self
                .catalog
                .type_entry(Language::Rust, &self.arena.text(path))
        {
            names.parameters = parameters(&entry.params, &arguments);
        }
        names
    }

    /// Returns what a stub of a type's entry says for this type: `deref`, `item`.
    pub(crate) fn stub_of(&self, path: Symbol, arguments: &[Ty], which: Stub) -> Option<Ty> {
        let entry = self
            .catalog
            .type_entry(Language::Rust, &self.arena.text(path))?;
        let text = match which {
            Stub::Deref => entry.deref.as_deref(),
            Stub::Item => entry.item.as_deref(),
            Stub::Awaits => entry.awaits.as_deref(),
        }?;
        let receiver = self.arena.ty(TypeKind::External(path, arguments.into()));
        let names = Names {
            receiver,
            parameters: parameters(&entry.params, arguments),
            call: None,
        };
        self.known.stubs.ask(
            &self.depth,
            DEEPEST,
            (receiver, which),
            || None,
            || Some(self.stub_type(text, &names)),
        )
    }
}

/// A stub of a type's entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Stub {
    /// What it derefs to.
    Deref,
    /// What iterating over it gives.
    Item,
    /// What awaiting it gives.
    Awaits,
}

/// Reads `A0`, `G1`.
fn numbered(name: &str, letter: char) -> Option<usize> {
    name.strip_prefix(letter)?.parse().ok()
}

/// The types of the language that hold at most one value.
pub(super) fn is_wrapper(path: &str) -> bool {
    matches!(
        path,
        "std::option::Option" | "std::result::Result" | "std::task::Poll"
    )
}

fn parameters<T: AsRef<str>>(names: &[T], arguments: &[Ty]) -> FxHashMap<String, Ty> {
    let known = arguments
        .iter()
        .copied()
        .chain(std::iter::repeat(Ty::UNKNOWN));
    names
        .iter()
        .map(|name| name.as_ref().to_owned())
        .zip(known)
        .collect()
}
