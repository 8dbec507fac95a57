//! The graph of globs: from each scope to the scopes and outside modules that its `use path::*` name.
//!
//! Globs go in circles: `use super::*` in a module whose names the outer module brings in again. What the scopes of one circle
//! reach is the same, and is kept once. Of several places that may give a name the nearest counts.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::BTreeSet;
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Circle(usize);

/// What the globs written in each scope name, in their order.
pub(crate) type Steps = FxHashMap<ScopeRef, Vec<GlobTarget>>;

/// How many times more the way back from places must cost, which is kept for all scopes, for the way there to be taken.
const MUCH: usize = 4;

/// Where globs lead.
#[derive(Debug, Default)]
pub(crate) struct GlobGraph {
    steps: Steps,
    /// From where globs lead to a target, and as which of the steps there.
    back: FxHashMap<GlobTarget, Vec<(ScopeRef, usize)>>,
    circles: FxHashMap<ScopeRef, Circle>,
    members: Vec<Vec<ScopeRef>>,
    next: Vec<Next>,
    externals: Vec<OnceCell<Rc<[Symbol]>>>,
    ahead: RefCell<FxHashMap<ScopeRef, Ahead>>,
    behind: RefCell<FxHashMap<Places, Behind>>,
    places: RefCell<FxHashMap<Rc<[GlobTarget]>, Places>>,
    walked: Cell<u64>,
}

/// The other circles that the globs of a circle lead to, and the modules outside the program.
#[derive(Debug, Default)]
struct Next {
    circles: BTreeSet<Circle>,
    externals: Vec<Symbol>,
}

/// Names a set of places that may give a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Places(usize);

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
        let mut back: FxHashMap<GlobTarget, Vec<(ScopeRef, usize)>> = FxHashMap::default();
        for scope in &scopes {
            for (position, target) in steps.get(scope).into_iter().flatten().enumerate() {
                back.entry(*target).or_default().push((*scope, position));
            }
        }
        let members: Vec<Vec<ScopeRef>> = parts
            .iter()
            .map(|part| part.iter().map(|number| scopes[*number]).collect())
            .collect();
        let circles = members.iter().enumerate();
        let circles: FxHashMap<ScopeRef, Circle> = circles
            .flat_map(|(circle, members)| members.iter().map(move |scope| (*scope, Circle(circle))))
            .collect();
        let next = members.iter().map(|members| {
            let targets = members.iter().filter_map(|scope| steps.get(scope));
            Next::new(circles[&members[0]], targets.flatten(), &circles)
        });
        Self {
            next: next.collect(),
            circles,
            externals: members.iter().map(|_| OnceCell::new()).collect(),
            steps,
            back,
            members,
            ahead: RefCell::default(),
            behind: RefCell::default(),
            places: RefCell::default(),
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

    /// Returns the scopes of a circle.
    pub(crate) fn members(&self, circle: Circle) -> &[ScopeRef] {
        &self.members[circle.0]
    }

    /// Answers a question about a circle by what the circles say that it leads to. `known` holds answers, `answer` finds one.
    pub(crate) fn gather<T>(
        &self,
        circle: Circle,
        known: impl Fn(Circle) -> Option<T>,
        mut answer: impl FnMut(Circle, Vec<T>, &[Symbol]),
    ) {
        let mut open = vec![circle];
        while let Some(circle) = open.pop() {
            if known(circle).is_some() {
                continue;
            }
            let next = &self.next[circle.0];
            let circles = next.circles.iter().copied();
            let missing = circles.clone().inspect(|_| self.walk());
            let missing: Vec<Circle> = missing.filter(|it| known(*it).is_none()).collect();
            if missing.is_empty() {
                answer(
                    circle,
                    circles.filter_map(&known).collect(),
                    &next.externals,
                );
            } else {
                open.push(circle);
                open.extend(missing);
            }
        }
    }

    /// Returns the modules outside the program that the globs of a scope lead to.
    pub(crate) fn externals(&self, scope: ScopeRef) -> Rc<[Symbol]> {
        let Some(circle) = self.circle(scope) else {
            return Rc::default();
        };
        let known = |circle: Circle| self.externals[circle.0].get().cloned();
        self.gather(circle, known, |circle, inner, externals| {
            let all = match &inner[..] {
                [only] if externals.is_empty() => Rc::clone(only),
                _ => {
                    let inner = inner.iter().flat_map(|inner| inner.iter().copied());
                    let mut all: Vec<Symbol> = externals.iter().copied().chain(inner).collect();
                    all.sort_unstable();
                    all.dedup();
                    all.into()
                }
            };
            let _ = self.externals[circle.0].set(all);
        });
        known(circle).unwrap_or_default()
    }

    /// Returns the name of a set of places; the places are sorted.
    pub(crate) fn places(&self, all: &Rc<[GlobTarget]>) -> Places {
        let mut places = self.places.borrow_mut();
        let next = Places(places.len());
        *places.entry(Rc::clone(all)).or_insert(next)
    }

    fn walk(&self) {
        self.walked.set(self.walked.get() + 1);
    }

    /// Returns the nearest of some places that a scope's globs all lead to; of equally near ones, that of the first glob.
    ///
    /// The ways are searched from both ends, layer by layer, the cheaper layer first. What was searched is kept: from a scope
    /// for all names, from the places for all scopes.
    pub(crate) fn nearest(
        &self,
        scope: ScopeRef,
        places: Places,
        all: &[GlobTarget],
    ) -> Option<GlobTarget> {
        if let [] | [_] = all {
            return all.first().copied();
        }
        let mut behind = self.behind.borrow_mut();
        let behind = behind.entry(places).or_insert_with(|| Behind::new(all));
        let mut ahead = self.ahead.borrow_mut();
        let ahead = ahead.entry(scope).or_insert_with(|| Ahead::new(scope));
        let mut layer = 0;
        loop {
            if let Some(found) = behind.meets(&ahead.layers[layer]) {
                return Some(found);
            }
            let forwards = match ahead.layers.get(layer + 1) {
                Some(_) => 0,
                None => self.cost(&ahead.layers[layer], |target| self.steps_from(target).len()),
            };
            let backwards = self.cost(&behind.layer, |target| self.back_from(target).len());
            match (ahead.layers[layer].is_empty(), behind.layer.is_empty()) {
                (true, true) => return None,
                (false, true) => self.extend_ahead(ahead, layer),
                (false, false) if forwards * MUCH < backwards => self.extend_ahead(ahead, layer),
                (_, false) => {
                    self.extend_behind(behind);
                    continue;
                }
            }
            layer += 1;
        }
    }

    fn cost(&self, layer: &[GlobTarget], edges: impl Fn(GlobTarget) -> usize) -> usize {
        layer.iter().map(|target| edges(*target)).sum()
    }

    fn steps_from(&self, target: GlobTarget) -> &[GlobTarget] {
        let steps = target.scope().and_then(|scope| self.steps.get(&scope));
        steps.map_or(&[], Vec::as_slice)
    }

    fn back_from(&self, target: GlobTarget) -> &[(ScopeRef, usize)] {
        self.back.get(&target).map_or(&[], Vec::as_slice)
    }

    /// Adds the layer after this one, if it is not there yet.
    fn extend_ahead(&self, ahead: &mut Ahead, layer: usize) {
        if ahead.layers.len() > layer + 1 {
            return;
        }
        let mut next = Vec::new();
        for from in &ahead.layers[layer] {
            for step in self.steps_from(*from) {
                self.walk();
                if ahead.seen.insert(*step) {
                    next.push(*step);
                }
            }
        }
        ahead.layers.push(next);
    }

    /// Goes one layer further back.
    fn extend_behind(&self, behind: &mut Behind) {
        let mut next: FxHashMap<GlobTarget, (usize, GlobTarget)> = FxHashMap::default();
        for target in std::mem::take(&mut behind.layer) {
            let place = behind.nearest[&target];
            for (from, position) in self.back_from(target) {
                self.walk();
                let from = GlobTarget::Scope(*from);
                if !behind.nearest.contains_key(&from) {
                    let first = next.entry(from).or_insert((*position, place));
                    *first = (*first).min((*position, place));
                }
            }
        }
        behind.layer = next.keys().copied().collect();
        let nearest = next.into_iter().map(|(from, (_, place))| (from, place));
        behind.nearest.extend(nearest);
    }
}

/// What the globs of a scope lead to, by how many steps it takes, in the order of the globs.
#[derive(Debug)]
struct Ahead {
    layers: Vec<Vec<GlobTarget>>,
    seen: FxHashSet<GlobTarget>,
}

impl Ahead {
    fn new(scope: ScopeRef) -> Self {
        let own = GlobTarget::Scope(scope);
        Self {
            layers: vec![vec![own]],
            seen: FxHashSet::from_iter([own]),
        }
    }
}

/// From where some places are reached, and which of them is the nearest there.
#[derive(Debug)]
struct Behind {
    nearest: FxHashMap<GlobTarget, GlobTarget>,
    /// Those that are the most steps away.
    layer: Vec<GlobTarget>,
}

impl Behind {
    fn new(places: &[GlobTarget]) -> Self {
        Self {
            nearest: places.iter().map(|place| (*place, *place)).collect(),
            layer: places.to_vec(),
        }
    }

    /// The place that is the nearest from the first of a layer that leads to one.
    fn meets(&self, layer: &[GlobTarget]) -> Option<GlobTarget> {
        layer
            .iter()
            .find_map(|target| self.nearest.get(target))
            .copied()
    }
}

impl Next {
    fn new<'a>(
        own: Circle,
        targets: impl Iterator<Item = &'a GlobTarget>,
        circles: &FxHashMap<ScopeRef, Circle>,
    ) -> Self {
        let mut next = Self::default();
        for target in targets {
            match target {
                GlobTarget::External(path) => next.externals.push(*path),
                GlobTarget::Scope(scope) => {
                    next.circles.insert(circles[scope]);
                }
            }
        }
        next.circles.remove(&own);
        next.externals.sort_unstable();
        next.externals.dedup();
        next
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
