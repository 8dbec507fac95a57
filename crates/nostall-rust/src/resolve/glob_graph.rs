//! The graph of globs: from each scope to the scopes and outside modules that its `use path::*` name.
//!
//! Globs go in circles: `use super::*` in a module whose names the outer module brings in again. What the scopes of one circle
//! reach is the same, and is kept once. Of several places that may give a name the nearest counts; how far they are is found
//! for all scopes in one walk, backwards from these places.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use nostall_model::components::components;
use rustc_hash::{FxHashMap, FxHashSet};

use super::mounts::ScopeRef;
use super::types::Symbol;

/// What a glob import brings in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum GlobTarget {
    /// The names of a module or enum of the program.
    Scope(ScopeRef),
    /// The names of a module outside the program.
    External(Symbol),
}

/// Names scopes whose globs lead to one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Circle(usize);

/// What the globs written in each scope name, in their order.
pub(crate) type Steps = FxHashMap<ScopeRef, Vec<GlobTarget>>;

/// Per scope, the nearest of some places.
type Nearest = FxHashMap<GlobTarget, GlobTarget>;

/// Where globs lead.
#[derive(Debug, Default)]
pub(crate) struct GlobGraph {
    steps: Steps,
    /// From where globs lead to a target.
    back: FxHashMap<GlobTarget, Vec<ScopeRef>>,
    circles: FxHashMap<ScopeRef, Circle>,
    members: Vec<Vec<ScopeRef>>,
    reach: Vec<OnceCell<Reach>>,
    nearest: RefCell<FxHashMap<Vec<GlobTarget>, Rc<Nearest>>>,
    walked: Cell<u64>,
}

/// What a circle leads to, itself included.
#[derive(Debug, Default)]
struct Reach {
    circles: FxHashSet<Circle>,
    externals: Vec<Symbol>,
}

impl GlobGraph {
    /// Makes the graph of these steps.
    pub(crate) fn new(steps: Steps) -> Self {
        let mut scopes: Vec<ScopeRef> = steps.keys().copied().collect();
        scopes.extend(steps.values().flatten().filter_map(|target| target.scope()));
        scopes.sort_unstable();
        scopes.dedup();
        let numbers: FxHashMap<ScopeRef, usize> = scopes.iter().copied().zip(0..).collect();
        let parts = components(scopes.len(), |number| {
            let targets = steps.get(&scopes[number]).into_iter().flatten();
            let inner = targets.filter_map(|target| target.scope());
            inner.map(|scope| numbers[&scope]).collect()
        });
        let mut back: FxHashMap<GlobTarget, Vec<ScopeRef>> = FxHashMap::default();
        for scope in &scopes {
            for target in steps.get(scope).into_iter().flatten() {
                back.entry(*target).or_default().push(*scope);
            }
        }
        let members: Vec<Vec<ScopeRef>> = parts
            .iter()
            .map(|part| part.iter().map(|number| scopes[*number]).collect())
            .collect();
        let circles = members.iter().enumerate();
        let circles = circles.flat_map(|(circle, members)| {
            members.iter().map(move |scope| (*scope, Circle(circle)))
        });
        Self {
            circles: circles.collect(),
            reach: members.iter().map(|_| OnceCell::new()).collect(),
            steps,
            back,
            members,
            nearest: RefCell::default(),
            walked: Cell::new(0),
        }
    }

    /// Says whether the graph has these steps.
    pub(crate) fn has(&self, steps: &Steps) -> bool {
        self.steps == *steps
    }

    /// Returns how many edges were walked: a measure of the work.
    #[cfg(test)]
    pub(crate) fn walked(&self) -> u64 {
        self.walked.get()
    }

    /// Returns the circle of a scope that has globs, or that globs lead to.
    pub(crate) fn circle(&self, scope: ScopeRef) -> Option<Circle> {
        self.circles.get(&scope).copied()
    }

    /// Says whether the globs of a circle lead to a scope.
    pub(crate) fn leads_to(&self, circle: Circle, scope: ScopeRef) -> bool {
        self.circle(scope)
            .is_some_and(|other| self.reach(circle).circles.contains(&other))
    }

    /// Returns the modules outside the program that the globs of a scope lead to.
    pub(crate) fn externals(&self, scope: ScopeRef) -> &[Symbol] {
        self.circle(scope)
            .map_or(&[], |circle| self.externals_of(circle))
    }

    /// Returns the modules outside the program that the globs of a circle lead to.
    pub(crate) fn externals_of(&self, circle: Circle) -> &[Symbol] {
        &self.reach(circle).externals
    }

    fn reach(&self, circle: Circle) -> &Reach {
        self.reach[circle.0].get_or_init(|| self.find_reach(circle))
    }

    fn find_reach(&self, circle: Circle) -> Reach {
        let mut circles = FxHashSet::from_iter([circle]);
        let mut externals = FxHashSet::default();
        let mut open = vec![circle];
        while let Some(next) = open.pop() {
            for target in self.steps_of(next) {
                match target {
                    GlobTarget::External(path) => {
                        externals.insert(path);
                    }
                    GlobTarget::Scope(scope) => {
                        let inner = self.circles[&scope];
                        if circles.insert(inner) {
                            open.push(inner);
                        }
                    }
                }
            }
        }
        let mut externals: Vec<Symbol> = externals.into_iter().collect();
        externals.sort_unstable();
        Reach { circles, externals }
    }

    fn steps_of(&self, circle: Circle) -> impl Iterator<Item = GlobTarget> {
        let members = self.members[circle.0].iter();
        let steps = members.filter_map(|scope| self.steps.get(scope)).flatten();
        steps.copied().inspect(|_| self.walk())
    }

    fn walk(&self) {
        self.walked.set(self.walked.get() + 1);
    }

    /// Returns the nearest of some places that a scope's globs all lead to; of equally near ones, that of the first glob.
    pub(crate) fn nearest(&self, scope: ScopeRef, places: &[GlobTarget]) -> Option<GlobTarget> {
        if let [] | [_] = places {
            return places.first().copied();
        }
        if let Some(found) = self.nearest.borrow().get(places) {
            return found.get(&GlobTarget::Scope(scope)).copied();
        }
        let found = Rc::new(self.find_nearest(places));
        self.nearest
            .borrow_mut()
            .insert(places.to_vec(), Rc::clone(&found));
        found.get(&GlobTarget::Scope(scope)).copied()
    }

    /// Walks backwards from all places at once.
    fn find_nearest(&self, places: &[GlobTarget]) -> Nearest {
        let mut distances: FxHashMap<GlobTarget, u32> =
            places.iter().map(|place| (*place, 0)).collect();
        let mut nearest: Nearest = places.iter().map(|place| (*place, *place)).collect();
        let mut open: VecDeque<GlobTarget> = places.iter().copied().collect();
        while let Some(next) = open.pop_front() {
            let distance = distances[&next];
            if let (Some(scope), true) = (next.scope(), distance > 0) {
                let steps = self.steps.get(&scope).into_iter().flatten();
                let mut closer = steps.filter(|step| {
                    self.walk();
                    distances.get(step) == Some(&(distance - 1))
                });
                let first = closer.next().and_then(|step| nearest.get(step)).copied();
                nearest.extend(first.map(|first| (next, first)));
            }
            for from in self.back.get(&next).into_iter().flatten() {
                self.walk();
                let from = GlobTarget::Scope(*from);
                distances.entry(from).or_insert_with(|| {
                    open.push_back(from);
                    distance + 1
                });
            }
        }
        nearest
    }
}

impl GlobTarget {
    fn scope(self) -> Option<ScopeRef> {
        match self {
            Self::Scope(scope) => Some(scope),
            Self::External(_) => None,
        }
    }
}
