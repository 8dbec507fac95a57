//! Questions that depend on themselves: answers are remembered only when they do not rest on an open question.
//!
//! `let mut dir = base; while let Some(parent) = dir.parent() { dir = parent; }`: the type of `dir` leads to that of `parent`
//! and back. The inner question is answered with "not known" for the moment; what rests on that answer is asked anew later,
//! when the outer question is settled.

use std::cell::{Cell, RefCell};
use std::hash::Hash;

use rustc_hash::FxHashMap;

/// How often an answer that rests on an open question is thrown away before it is kept after all.
const MOST_TRIES: u8 = 4;

/// One kind of question with its answers.
#[derive(Debug)]
pub struct Answers<K, V> {
    known: RefCell<FxHashMap<K, V>>,
    /// Questions that are being answered, with their depth.
    open: RefCell<FxHashMap<K, u32>>,
    tries: RefCell<FxHashMap<K, u8>>,
}

impl<K, V> Default for Answers<K, V> {
    fn default() -> Self {
        Self {
            known: RefCell::default(),
            open: RefCell::default(),
            tries: RefCell::default(),
        }
    }
}

/// How deep questions are nested, and the outermost open one that an answer rested on.
#[derive(Debug)]
pub struct Depth {
    level: Cell<u32>,
    rests_on: Cell<u32>,
    too_deep: Cell<bool>,
    answered: Cell<u64>,
    asked: Cell<u64>,
}

impl Default for Depth {
    fn default() -> Self {
        Self {
            level: Cell::new(0),
            rests_on: Cell::new(u32::MAX),
            too_deep: Cell::new(false),
            answered: Cell::new(0),
            asked: Cell::new(0),
        }
    }
}

impl Depth {
    /// Takes a step that is not a question of its own, but may lead to ever more of them.
    pub fn nested<V>(
        &self,
        deepest: u32,
        unknown: impl FnOnce() -> V,
        step: impl FnOnce() -> V,
    ) -> V {
        let level = self.level.get() + 1;
        if level > deepest {
            self.give_up();
            return unknown();
        }
        self.level.set(level);
        let found = step();
        self.level.set(level - 1);
        found
    }

    /// What rests on this is asked anew from a lesser depth.
    fn give_up(&self) {
        self.rests_on.set(0);
        self.too_deep.set(true);
    }

    /// Returns how many questions were answered, those from memory not counted: a measure of the work.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.answered.get()
    }

    /// Returns how many questions were asked, those from memory counted as well.
    #[must_use]
    pub fn asked(&self) -> u64 {
        self.asked.get()
    }

    /// Says whether anything was too deep since this was last asked.
    pub fn take_too_deep(&self) -> bool {
        self.too_deep.take()
    }
}

impl<K: Copy + Eq + Hash, V: Clone> Answers<K, V> {
    /// Answers a question, from memory where it can. A question that is open already, or too deep, gets `unknown`.
    pub fn ask(
        &self,
        depth: &Depth,
        deepest: u32,
        key: K,
        unknown: impl FnOnce() -> V,
        answer: impl FnOnce() -> V,
    ) -> V {
        depth.asked.set(depth.asked.get() + 1);
        if let Some(known) = self.known.borrow().get(&key) {
            return known.clone();
        }
        if let Some(level) = self.open.borrow().get(&key) {
            depth.rests_on.set(depth.rests_on.get().min(*level));
            return unknown();
        }
        let level = depth.level.get() + 1;
        if level > deepest {
            depth.give_up();
            return unknown();
        }
        depth.level.set(level);
        depth.answered.set(depth.answered.get() + 1);
        self.open.borrow_mut().insert(key, level);
        let around = depth.rests_on.replace(u32::MAX);
        let found = answer();
        self.open.borrow_mut().remove(&key);
        let rests_on = depth.rests_on.get();
        if rests_on >= level {
            self.known.borrow_mut().insert(key, found.clone());
            depth.rests_on.set(around);
        } else {
            if self.is_tried_enough(key) {
                self.known.borrow_mut().insert(key, found.clone());
            }
            depth.rests_on.set(around.min(rests_on));
        }
        depth.level.set(level - 1);
        found
    }

    fn is_tried_enough(&self, key: K) -> bool {
        let mut tries = self.tries.borrow_mut();
        let count = tries.entry(key).or_default();
        *count = count.saturating_add(1);
        *count >= MOST_TRIES
    }
}
