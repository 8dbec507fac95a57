//! The variables that are in sight: lexical scopes, what they may own, what was moved away.

use nostall_model::facts::BindingId;
use nostall_model::{Name, Span};
use rustc_hash::{FxHashMap, FxHashSet};

/// One variable in sight.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Variable {
    pub(crate) name: Name,
    pub(crate) binding: BindingId,
    /// It may own something that is dropped with it.
    pub(crate) owns: bool,
    /// It is declared under a `#[cfg(..)]` of its own; a twin under another one is the same variable.
    pub(crate) conditional: bool,
    /// The statement that declares it.
    pub(crate) statement: Span,
}

/// All variables in sight, innermost last.
#[derive(Debug, Default)]
pub(crate) struct Variables {
    list: Vec<Variable>,
    /// Where the scopes begin in `list`.
    scopes: Vec<usize>,
    by_name: FxHashMap<Name, Vec<usize>>,
    /// Where the innermost function's variables begin: those before are not in sight.
    barrier: usize,
    owning: FxHashSet<BindingId>,
    moved: FxHashSet<BindingId>,
    /// Per branch that is open, what was moved in it: after it that is not certain.
    branches: Vec<Vec<BindingId>>,
}

impl Variables {
    /// Opens a scope.
    pub(crate) fn open(&mut self) {
        self.scopes.push(self.list.len());
    }

    /// Closes the innermost scope and returns its variables, the last declared first.
    pub(crate) fn close(&mut self) -> Vec<Variable> {
        let start = self.scopes.pop().unwrap_or(0);
        let mut ended = self.list.split_off(start);
        ended.reverse();
        for variable in &ended {
            if let Some(indices) = self.by_name.get_mut(&variable.name) {
                indices.pop();
            }
        }
        ended
    }

    /// Adds a variable to the innermost scope.
    pub(crate) fn declare(&mut self, variable: Variable) {
        self.by_name
            .entry(variable.name)
            .or_default()
            .push(self.list.len());
        self.list.push(variable);
        if variable.owns {
            self.owning.insert(variable.binding);
        }
    }

    /// Returns the variable that a name means here.
    pub(crate) fn find(&self, name: Name) -> Option<BindingId> {
        let index = *self.by_name.get(&name)?.last()?;
        (index >= self.barrier).then(|| self.list[index].binding)
    }

    /// Returns the conditional variable of the innermost scope with a name.
    pub(crate) fn twin(&self, name: Name) -> Option<BindingId> {
        let index = *self.by_name.get(&name)?.last()?;
        let variable = self.list[index];
        let here = index >= self.scopes.last().copied().unwrap_or(0);
        (here && variable.conditional).then_some(variable.binding)
    }

    /// Hides all variables: those of a function are not in sight within a nested one.
    pub(crate) fn hide(&mut self) -> usize {
        std::mem::replace(&mut self.barrier, self.list.len())
    }

    /// Takes the hiding back.
    pub(crate) fn unhide(&mut self, barrier: usize) {
        self.barrier = barrier;
    }

    /// Says whether a variable may own something.
    pub(crate) fn owns(&self, binding: BindingId) -> bool {
        self.owning.contains(&binding)
    }

    /// Records that a variable's value is gone.
    pub(crate) fn moved(&mut self, binding: BindingId) {
        if self.moved.insert(binding)
            && let Some(branch) = self.branches.last_mut()
        {
            branch.push(binding);
        }
    }

    /// Records that a variable has a value again.
    pub(crate) fn restored(&mut self, binding: BindingId) {
        self.moved.remove(&binding);
    }

    /// Says whether a variable's value is gone whichever way led here.
    pub(crate) fn is_moved(&self, binding: BindingId) -> bool {
        self.moved.contains(&binding)
    }

    /// Enters code that may not run.
    pub(crate) fn enter_branch(&mut self) {
        self.branches.push(Vec::new());
    }

    /// Leaves it: what it moved may still be there.
    pub(crate) fn leave_branch(&mut self) {
        for binding in self.branches.pop().unwrap_or_default() {
            self.moved.remove(&binding);
        }
    }
}
