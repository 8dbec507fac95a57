//! Resolved types: an arena in which equal types are the same number.

use std::cell::RefCell;
use std::rc::Rc;

use nostall_model::facts::BodyId;
use rustc_hash::FxHashMap;

use super::mounts::{DefId, MountId};

/// An interned text: a path outside the program, or a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Symbol(u32);

/// A resolved type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Ty(u32);

impl Ty {
    /// The type that nothing is known of.
    pub(crate) const UNKNOWN: Self = Self(0);
    /// The type of what never has a value.
    pub(crate) const NEVER: Self = Self(1);

    /// Returns the type's number, the same for equal types of one resolution.
    pub(crate) fn number(self) -> u32 {
        self.0
    }
}

/// A list of types.
pub(crate) type Tys = Rc<[Ty]>;

/// What a type is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TypeKind {
    /// Not known.
    Unknown,
    /// Has no value.
    Never,
    /// A struct, enum or union of the program, or one of its traits as a bound.
    Named(DefId, Tys),
    /// A type or trait outside the program, by its path.
    External(Symbol, Tys),
    /// `str`, `u8`, `bool`, ….
    Primitive(Symbol),
    /// `&T`.
    Reference(Ty),
    /// `(A, B)`.
    Tuple(Tys),
    /// `[T]`.
    Slice(Ty),
    /// `fn(A) -> B`, `impl Fn(A) -> B`.
    Function(Tys, Ty),
    /// The value of a closure.
    Closure(MountId, BodyId),
    /// A function of the program as a value.
    FunctionItem(DefId),
    /// A function outside the program as a value.
    ExternalFunction(Symbol),
    /// What an async call gives.
    Future(Ty),
    /// A generic parameter of an item.
    Parameter(DefId, Symbol),
    /// `impl A + B`.
    Impl(Tys),
    /// `dyn A + B`.
    Dyn(Tys),
    /// `Item = T` among type arguments.
    Associated(Symbol, Ty),
    /// One of these.
    Union(Tys),
}

/// The types and texts of one resolution.
#[derive(Debug)]
pub(crate) struct Arena {
    kinds: RefCell<Vec<TypeKind>>,
    index: RefCell<FxHashMap<TypeKind, Ty>>,
    texts: RefCell<Vec<Rc<str>>>,
    symbols: RefCell<FxHashMap<Rc<str>, Symbol>>,
}

impl Arena {
    /// Makes an arena that holds the two fixed types.
    pub(crate) fn new() -> Self {
        let arena = Self {
            kinds: RefCell::default(),
            index: RefCell::default(),
            texts: RefCell::default(),
            symbols: RefCell::default(),
        };
        arena.ty(TypeKind::Unknown);
        arena.ty(TypeKind::Never);
        arena
    }

    /// Returns the number of a type.
    pub(crate) fn ty(&self, kind: TypeKind) -> Ty {
        if let Some(ty) = self.index.borrow().get(&kind) {
            return *ty;
        }
        let ty = Ty(self.kinds.borrow().len() as u32);
        self.kinds.borrow_mut().push(kind.clone());
        self.index.borrow_mut().insert(kind, ty);
        ty
    }

    /// Returns what a type is.
    pub(crate) fn kind(&self, ty: Ty) -> TypeKind {
        self.kinds.borrow()[ty.0 as usize].clone()
    }

    /// Returns the number of a text.
    pub(crate) fn symbol(&self, text: &str) -> Symbol {
        if let Some(symbol) = self.symbols.borrow().get(text) {
            return *symbol;
        }
        let text: Rc<str> = text.into();
        let symbol = Symbol(self.texts.borrow().len() as u32);
        self.texts.borrow_mut().push(Rc::clone(&text));
        self.symbols.borrow_mut().insert(text, symbol);
        symbol
    }

    /// Returns a text.
    pub(crate) fn text(&self, symbol: Symbol) -> Rc<str> {
        Rc::clone(&self.texts.borrow()[symbol.0 as usize])
    }

    /// Returns a type outside the program.
    pub(crate) fn external(&self, path: &str, arguments: &[Ty]) -> Ty {
        let path = self.symbol(path);
        self.ty(TypeKind::External(path, arguments.into()))
    }

    /// Returns a reference to a type.
    pub(crate) fn reference(&self, ty: Ty) -> Ty {
        if ty == Ty::UNKNOWN {
            ty
        } else {
            self.ty(TypeKind::Reference(ty))
        }
    }

    /// Returns the type of a value that has one of these types. What is not known does not count.
    pub(crate) fn union(&self, types: impl IntoIterator<Item = Ty>) -> Ty {
        let mut members: Vec<Ty> = Vec::new();
        for ty in types {
            match self.kind(ty) {
                TypeKind::Unknown | TypeKind::Never => {}
                TypeKind::Union(inner) => members.extend(inner.iter()),
                _ => members.push(ty),
            }
        }
        members.sort_unstable();
        members.dedup();
        match members.as_slice() {
            [] => Ty::UNKNOWN,
            [only] => *only,
            _ => self.ty(TypeKind::Union(members.into())),
        }
    }

    /// Returns the members of a union, or the type itself.
    pub(crate) fn members(&self, ty: Ty) -> Vec<Ty> {
        match self.kind(ty) {
            TypeKind::Union(members) => members.to_vec(),
            _ => vec![ty],
        }
    }

    /// Takes all references off a type.
    pub(crate) fn referent(&self, ty: Ty) -> Ty {
        let mut current = ty;
        while let TypeKind::Reference(inner) = self.kind(current) {
            current = inner;
        }
        current
    }

    /// Replaces types within a type.
    pub(crate) fn map(&self, ty: Ty, replace: &dyn Fn(&TypeKind) -> Option<Ty>) -> Ty {
        let kind = self.kind(ty);
        if let Some(ty) = replace(&kind) {
            return ty;
        }
        let list = |types: &Tys| -> Tys { types.iter().map(|ty| self.map(*ty, replace)).collect() };
        let mapped = match kind {
            TypeKind::Named(def, arguments) => TypeKind::Named(def, list(&arguments)),
            TypeKind::External(path, arguments) => TypeKind::External(path, list(&arguments)),
            TypeKind::Reference(inner) => return self.reference(self.map(inner, replace)),
            TypeKind::Tuple(members) => TypeKind::Tuple(list(&members)),
            TypeKind::Slice(inner) => TypeKind::Slice(self.map(inner, replace)),
            TypeKind::Function(parameters, returns) => {
                TypeKind::Function(list(&parameters), self.map(returns, replace))
            }
            TypeKind::Future(inner) => TypeKind::Future(self.map(inner, replace)),
            TypeKind::Impl(bounds) => TypeKind::Impl(list(&bounds)),
            TypeKind::Dyn(bounds) => TypeKind::Dyn(list(&bounds)),
            TypeKind::Associated(name, inner) => {
                TypeKind::Associated(name, self.map(inner, replace))
            }
            TypeKind::Union(members) => {
                return self.union(members.iter().map(|ty| self.map(*ty, replace)));
            }
            other => other,
        };
        self.ty(mapped)
    }
}
