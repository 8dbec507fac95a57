//! Control flow: which definitions reach where it parts, joins and loops.

use super::*;

impl Builder {
    /// Control flow parts: one of the arms that follow runs.
    pub fn fork(&mut self) {
        self.push_fork(false);
    }

    /// A `try` body follows, as the first arm; each further arm begins with anything that the body may have done.
    pub fn attempt(&mut self) {
        self.push_fork(true);
    }

    fn push_fork(&mut self, attempt: bool) {
        let open = self.current_mut();
        let fork = Fork {
            journal: open.journal.len(),
            entered_unreachable: open.unreachable,
            arms: Vec::new(),
            attempt,
        };
        open.frames.push(Frame::Fork(fork));
    }

    /// An arm begins.
    pub fn open_arm(&mut self, kind: RegionKind, span: Span) {
        self.open_region(kind, span);
    }

    /// The arm ends; what it did is kept for the join, and taken back for the next arm. Says whether its end is reached.
    ///
    /// # Panics
    /// When no fork is open.
    pub fn close_arm(&mut self) -> bool {
        self.close_region();
        let open = self.open.last_mut().expect("a body is open");
        let Some(Frame::Fork(fork)) = open.frames.last_mut() else {
            panic!("a fork is open")
        };
        let changes = take_back(&mut open.journal, fork.journal, &mut self.reaching);
        let goes_on = !open.unreachable;
        fork.arms.push(Arm {
            changes,
            unreachable: open.unreachable,
        });
        open.unreachable = fork.entered_unreachable;
        if fork.attempt && fork.arms.len() == 1 {
            self.spread_attempt();
        }
        goes_on
    }

    /// The body of a `try` has ended: all that follows may find what it did, or not.
    fn spread_attempt(&mut self) {
        let Some(Frame::Fork(fork)) = self.current_mut().frames.last_mut() else {
            return;
        };
        let made = sorted(fork.arms[0].changes.clone());
        for (binding, made) in made {
            let mut reaching = self.reaching[binding.index()].clone();
            add_all(&mut reaching, &made);
            self.set_reaching(binding, reaching);
        }
        let open = self.current_mut();
        let journal = open.journal.len();
        if let Some(Frame::Fork(fork)) = open.frames.last_mut() {
            fork.journal = journal;
        }
    }

    /// Control flow joins. `exhaustive`: one of the arms ran for certain.
    ///
    /// # Panics
    /// When no fork is open.
    pub fn join(&mut self, exhaustive: bool) {
        let Some(Frame::Fork(fork)) = self.current_mut().frames.pop() else {
            panic!("a fork is open")
        };
        let live: Vec<&Arm> = fork.arms.iter().filter(|arm| !arm.unreachable).collect();
        if live.is_empty() && exhaustive && !fork.arms.is_empty() {
            self.current_mut().unreachable = true;
            return;
        }
        self.merge(&live, exhaustive);
    }

    /// Control flow joins in code that runs however the arms end, as `finally` does: all that they did may hold.
    ///
    /// # Panics
    /// When no fork is open.
    pub fn join_always(&mut self) {
        let Some(Frame::Fork(fork)) = self.current_mut().frames.pop() else {
            panic!("a fork is open")
        };
        let arms: Vec<&Arm> = fork.arms.iter().collect();
        self.merge(&arms, false);
        if !arms.is_empty() && arms.iter().all(|arm| arm.unreachable) {
            self.current_mut().unreachable = true;
        }
    }

    /// Adds up what the arms did. What an arm did not touch keeps the value from before in it.
    fn merge(&mut self, arms: &[&Arm], exhaustive: bool) {
        let mut changes: Vec<(BindingId, usize)> = Vec::new();
        for (index, arm) in arms.iter().enumerate() {
            changes.extend(arm.changes.keys().map(|binding| (*binding, index)));
        }
        changes.sort_unstable();
        for group in changes.chunk_by(|one, other| one.0 == other.0) {
            let binding = group[0].0;
            let untouched = !exhaustive || group.len() < arms.len();
            let mut after = if untouched {
                self.reaching[binding.index()].clone()
            } else {
                Vec::new()
            };
            for (_, index) in group {
                add_all(&mut after, &arms[*index].changes[&binding]);
            }
            self.set_reaching(binding, after);
        }
    }

    /// A loop begins: its region may run any number of times.
    pub fn open_loop(&mut self, span: Span) -> RegionId {
        let region = self.open_region(RegionKind::Loop, span);
        let first_use = self.uses.len();
        let open = self.current_mut();
        let frame = Loop {
            journal: open.journal.len(),
            first_use,
            entered_unreachable: open.unreachable,
            jumped: FxHashMap::default(),
        };
        open.frames.push(Frame::Loop(frame));
        region
    }

    /// The loop ends: what it defined reaches its own beginning and what follows.
    ///
    /// # Panics
    /// When no loop is open.
    pub fn close_loop(&mut self) {
        self.close_region();
        let open = self.open.last_mut().expect("a body is open");
        let Some(Frame::Loop(frame)) = open.frames.pop() else {
            panic!("a loop is open")
        };
        let ended = open.unreachable;
        open.unreachable = frame.entered_unreachable;
        let mut made = take_back(&mut open.journal, frame.journal, &mut self.reaching);
        if ended {
            made.clear();
        }
        for (binding, reaching) in frame.jumped {
            add_all(made.entry(binding).or_default(), &reaching);
        }
        self.flow_back(&made, frame.first_use);
        for (binding, made) in sorted(made) {
            let mut reaching = self.reaching[binding.index()].clone();
            add_all(&mut reaching, &made);
            self.set_reaching(binding, reaching);
        }
    }

    /// Adds the definitions of a loop's end to the uses that its beginning reaches.
    fn flow_back(&mut self, made: &FxHashMap<BindingId, Vec<DefinitionId>>, first_use: usize) {
        if made.is_empty() {
            return;
        }
        for pending in &mut self.uses[first_use..] {
            let Some(made) = made.get(&pending.binding) else {
                continue;
            };
            let before = &self.reaching[pending.binding.index()];
            let from_outside = pending.reaching.iter().any(|id| before.contains(id));
            if from_outside || pending.reaching.is_empty() {
                add_all(&mut pending.reaching, made);
            }
        }
    }

    /// `break` or `continue`: what holds here also holds at the loop's ends.
    pub fn jump(&mut self) {
        self.event(Event::Jump);
        let open = self.open.last_mut().expect("a body is open");
        let frame = open.frames.iter_mut().rev().find_map(|frame| match frame {
            Frame::Loop(frame) => Some(frame),
            Frame::Fork(_) => None,
        });
        if let Some(frame) = frame {
            for (binding, _) in &open.journal[frame.journal.min(open.journal.len())..] {
                add_all(
                    frame.jumped.entry(*binding).or_default(),
                    &self.reaching[binding.index()],
                );
            }
        }
        open.unreachable = true;
    }

    /// What follows in this arm is not reached: after `return`, `raise`, `panic!`.
    pub fn diverge(&mut self) {
        self.current_mut().unreachable = true;
    }
}

/// Undoes the journal down to `start`; answers what had been reached by the changed variables.
fn take_back(
    journal: &mut Vec<(BindingId, Vec<DefinitionId>)>,
    start: usize,
    reaching: &mut [Vec<DefinitionId>],
) -> FxHashMap<BindingId, Vec<DefinitionId>> {
    let mut changes: FxHashMap<BindingId, Vec<DefinitionId>> = FxHashMap::default();
    for (binding, old) in journal.drain(start..).rev() {
        let now = std::mem::replace(&mut reaching[binding.index()], old);
        changes.entry(binding).or_insert(now);
    }
    changes
}

fn sorted<V>(map: FxHashMap<BindingId, V>) -> Vec<(BindingId, V)> {
    let mut entries: Vec<(BindingId, V)> = map.into_iter().collect();
    entries.sort_unstable_by_key(|(binding, _)| *binding);
    entries
}

fn add_all(to: &mut Vec<DefinitionId>, from: &[DefinitionId]) {
    for id in from {
        if to.len() < MAX_REACHING && !to.contains(id) {
            to.push(*id);
        }
    }
}
