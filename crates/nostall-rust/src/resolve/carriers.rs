//! Calls that block only where a type carries a trait: what is read decides what is waited for.
//!
//! `read_line` on a `BufReader<File>` waits for the disk, on a `BufReader<TcpStream>` for another host, and on a `Cursor` for
//! nothing.

use nostall_catalog::{ApiId, Carrying, Effect, Wait};
use nostall_model::Language;
use nostall_model::facts::{CallId, Callee as Written};

use super::Cx;
use super::mounts::{DefId, MountId};
use super::stubs::Names;
use super::types::{Symbol, Ty, TypeKind};

/// How a value carries a trait.
#[derive(Clone, Debug)]
pub(super) enum Carried {
    /// It does; what its calls wait for, where that is something else than the trait's methods say.
    Waits(Option<Wait>),
    /// Where this type parameter stands for a type that carries this trait.
    Depends(Ty, String),
}

/// More wrappers around each other than these say nothing.
const MOST_WRAPPERS: u32 = 6;

impl Cx<'_> {
    /// Says how a type carries a trait of the catalogue: itself, or through what it wraps.
    pub(super) fn carried(&self, ty: Ty, trait_: &str) -> Option<Carried> {
        self.carried_within(ty, trait_, MOST_WRAPPERS)
    }

    fn carried_within(&self, ty: Ty, trait_: &str, budget: u32) -> Option<Carried> {
        let budget = budget.checked_sub(1)?;
        let of_step = |step| match self.arena.kind(step) {
            TypeKind::External(path, arguments) => {
                let path = self.arena.text(path);
                match self.catalog.carries(Language::Rust, trait_, &path)? {
                    Carrying::Direct(wait) => Some(Carried::Waits(wait)),
                    Carrying::ThroughFirstParameter => {
                        self.carried_inside(&arguments, trait_, budget)
                    }
                }
            }
            TypeKind::Parameter(def, name) => self
                .bound_that_brings(def, name, trait_)
                .map(|bound| Carried::Depends(step, bound)),
            _ => None,
        };
        if self.carries_not(ty, trait_) {
            return None;
        }
        self.autoderef(ty).into_iter().find_map(of_step)
    }

    /// Says whether a type does not carry a trait because of what it is made of: a text that is an address.
    fn carries_not(&self, ty: Ty, trait_: &str) -> bool {
        let entry = self.catalog.trait_entry(Language::Rust, trait_);
        let Some(entry) = entry.filter(|entry| !entry.not_on.is_empty()) else {
            return false;
        };
        let is_meant = |step: Ty| match self.arena.kind(step) {
            TypeKind::External(_, arguments) if !arguments.is_empty() => {
                let excepted = entry.not_on.iter();
                let mut excepted = excepted.map(|text| self.stub_type(text, &Names::default()));
                excepted.any(|excepted| excepted == step)
            }
            // What one looks up of `(host, port)` is the host.
            TypeKind::Tuple(parts) => {
                let first = parts.first();
                first.is_some_and(|first| self.carries_not(*first, trait_))
            }
            _ => false,
        };
        self.autoderef(ty).into_iter().any(is_meant)
    }

    /// Says how what a wrapper wraps makes it carry a trait.
    fn carried_inside(&self, arguments: &[Ty], trait_: &str, budget: u32) -> Option<Carried> {
        let inner = *arguments.first()?;
        let traits = self.with_supertraits(trait_).into_iter();
        let mut found = traits.filter_map(|trait_| self.carried_within(inner, &trait_, budget));
        found.next()
    }

    /// Says whether a wrapper may carry a trait, by what it wraps.
    pub(super) fn wraps_a_carrier(&self, arguments: &[Ty], trait_: &str) -> bool {
        self.carried_inside(arguments, trait_, MOST_WRAPPERS)
            .is_some()
    }

    /// The bound of a type parameter by which a wrapper of it carries a trait: `BufReader<R>` is a `BufRead` by `R: Read`.
    fn bound_that_brings(&self, def: DefId, name: Symbol, trait_: &str) -> Option<String> {
        let bounds = self.catalogued_bounds(def, name);
        let brings = self.with_supertraits(trait_);
        let mut found = brings.into_iter().filter(|path| bounds.contains(path));
        found.next()
    }

    /// The traits of the catalogue that the bounds of a type parameter promise, through traits of the program too.
    pub(super) fn catalogued_bounds(&self, def: DefId, name: Symbol) -> Vec<String> {
        let mut bounds = self.bounds(def, name);
        let own = bounds
            .iter()
            .filter_map(|bound| self.trait_of_bound(*bound));
        let promised: Vec<Ty> = own
            .flat_map(|trait_| self.external_supertraits(trait_))
            .collect();
        bounds.extend(promised);
        let traits = bounds
            .into_iter()
            .filter_map(|bound| match self.arena.kind(bound) {
                TypeKind::External(path, _) => Some(self.with_supertraits(&self.arena.text(path))),
                _ => None,
            });
        traits.flatten().collect()
    }

    /// The entry that a call reaches, by what its value waits for; none where it does not wait at all: `io::copy` from memory.
    pub(super) fn entry_at(
        &self,
        mount: MountId,
        call: Option<CallId>,
        api: ApiId,
    ) -> Option<ApiId> {
        let entry = self.catalog.api(api);
        if call.is_some_and(|call| self.is_in_memory(mount, call, &entry.path)) {
            return Some(self.catalog.in_memory(api));
        }
        let Some((ty, trait_)) = call.and_then(|call| self.decided_by(mount, call, api)) else {
            let needs = entry.carrier.is_some() && entry.effect == Effect::Blocks;
            return (call.is_none() || !needs).then_some(api);
        };
        if self.carries_not(ty, trait_) {
            return None;
        }
        match self.carried(ty, trait_) {
            Some(Carried::Waits(wait)) => Some(self.catalog.on(api, wait)),
            Some(Carried::Depends(..)) => Some(api),
            None if entry.carrier.is_none() || entry.effect != Effect::Blocks => Some(api),
            None => {
                let assumed = self.is_blank(&self.autoderef(ty)) && self.is_assumed(trait_);
                assumed.then_some(api)
            }
        }
    }

    /// What the value that a call reads or writes is, where that is a type parameter: the parameter, and the trait that counts.
    pub(super) fn dependent_carrier(
        &self,
        mount: MountId,
        call: CallId,
        api: ApiId,
    ) -> Option<(Ty, String)> {
        let by_path = matches!(self.facts(mount).call(call).callee, Written::Value(_));
        if by_path && self.catalog.api(api).carrier.is_none() {
            return None;
        }
        let (ty, trait_) = self.decided_by(mount, call, api)?;
        match self.carried(ty, trait_)? {
            Carried::Depends(parameter, bound) => Some((parameter, bound)),
            Carried::Waits(_) => None,
        }
    }

    /// The type, and the trait, that decide whether a call blocks.
    fn decided_by(&self, mount: MountId, call: CallId, api: ApiId) -> Option<(Ty, &str)> {
        let trait_ = self.catalog.trait_that_decides(api)?;
        let facts = self.facts(mount);
        let arguments = facts.call_arguments(call);
        let at = |position: usize| arguments.get(position).map(|argument| argument.value);
        let value = match (&self.catalog.api(api).carrier, facts.call(call).callee) {
            (Some(carrier), _) => at(carrier.argument.index.map_or(0, usize::from))?,
            (None, Written::Method { receiver, .. }) => receiver,
            (None, Written::Value(_)) => at(0)?,
            (None, Written::Macro(_)) => return None,
        };
        Some((self.type_of(mount, value), &trait_.path))
    }

    /// Says whether a trait may be assumed of what nothing is known of.
    fn is_assumed(&self, trait_: &str) -> bool {
        let entry = self.catalog.trait_entry(Language::Rust, trait_);
        entry.is_some_and(|entry| entry.assume)
    }
}
