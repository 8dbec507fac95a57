//! Iterators that are made here and iterated on another thread: `let lines = paths.map(read); spawn_blocking(move || lines.count())`.
//!
//! What a lazy iterator does it does where it is iterated; the same holds of Python's `map(read, paths)`.

use nostall_catalog::{Api, ApiId, Effect};
use nostall_model::facts::{
    BindingId, Call, CallId, CallKind, Callee, ExprId, ExprKind, FileFacts, Sink,
};
use nostall_model::program::{ProgramBody, ProgramCall, TargetKind};

use crate::summary::Cx;

/// The trait whose values do their work while they are iterated.
const ITERATOR: &str = "std::iter::Iterator";

/// As many steps of a chain of iterators are looked at.
const LONGEST_CHAIN: usize = 16;

impl Cx<'_> {
    /// Says whether a call of an api makes an iterator that only code on another thread uses.
    pub(crate) fn is_iterated_elsewhere(&self, call: ProgramCall, api: &Api) -> bool {
        let (facts, record) = self.program.call(call);
        let body = self.program.body_of_call(call);
        if !self.is_lazy(facts, api) {
            return false;
        }
        let mut last = *record;
        for _ in 0..LONGEST_CHAIN {
            match last.sink {
                Sink::Bound(definition) => {
                    let binding = facts.definitions[definition.index()].binding;
                    return self.is_used_elsewhere(body, facts, binding);
                }
                Sink::Receiver => match next_in_chain(facts, last.expr) {
                    Some(next) if self.makes_iterator(body, facts, next) => {
                        last = *facts.call(next);
                    }
                    _ => return false,
                },
                _ => return false,
            }
        }
        false
    }

    /// Says whether what a call gives, or the variable that keeps it, is only handed to something that takes it off the executor.
    pub(crate) fn is_handed_elsewhere(&self, body: ProgramBody, call: ProgramCall) -> bool {
        let (facts, record) = self.program.call(call);
        let kept = match record.sink {
            Sink::Argument { call, .. } => return self.offloads(self.program.call_in(body, call)),
            Sink::Bound(kept) => kept,
            _ => return false,
        };
        let is_use = |id: &ExprId| match facts.expr(*id).kind {
            ExprKind::Use { reaching, .. } => {
                facts.definition_lists[reaching.range()].contains(&kept)
            }
            _ => false,
        };
        let is_handed_over = |value: ExprId| {
            self.program.calls_of(body).iter().any(|taker| {
                let record = self.program.call(*taker).1;
                let arguments = &facts.arguments[record.arguments.range()];
                arguments.iter().any(|argument| argument.value == value) && self.offloads(*taker)
            })
        };
        let mut uses = (0..facts.exprs.len())
            .map(ExprId::new)
            .filter(is_use)
            .peekable();
        uses.peek().is_some() && uses.all(is_handed_over)
    }

    fn offloads(&self, call: ProgramCall) -> bool {
        let targets = self.program.targets(call);
        targets.iter().any(|target| match target.kind {
            TargetKind::Api(api) => self.catalog.api(ApiId(api)).effect == Effect::Offloads,
            _ => false,
        })
    }

    /// Says whether an api gives an iterator: a type that carries the trait, or the receiver of one of the trait's methods.
    fn is_lazy(&self, facts: &FileFacts, api: &Api) -> bool {
        match api.returns.as_deref().and_then(|it| it.split('<').next()) {
            Some("Self") => api.path.starts_with(ITERATOR),
            Some(type_) => {
                let carries = self.catalog.carries(facts.language, ITERATOR, type_);
                carries.is_some()
            }
            None => false,
        }
    }

    fn makes_iterator(&self, body: ProgramBody, facts: &FileFacts, call: CallId) -> bool {
        let targets = self.program.targets(self.program.call_in(body, call));
        !targets.is_empty()
            && targets.iter().all(|target| match target.kind {
                TargetKind::Api(api) => self.is_lazy(facts, self.catalog.api(ApiId(api))),
                _ => false,
            })
    }

    /// Says whether one closure that goes to another thread has all uses of a variable.
    fn is_used_elsewhere(&self, body: ProgramBody, facts: &FileFacts, binding: BindingId) -> bool {
        let is_use =
            |kind: ExprKind| matches!(kind, ExprKind::Use { binding: of, .. } if of == binding);
        let uses = facts.exprs.iter().filter(|expr| is_use(expr.kind));
        let mut uses = uses.map(|expr| expr.span).peekable();
        if uses.peek().is_none() {
            return false;
        }
        let closure = self.program.calls_of(body).iter().find_map(|call| {
            let offloads = self.program.targets(*call).iter().any(|target| {
                matches!(target.kind, TargetKind::Api(api) if self.catalog.api(ApiId(api)).effect == Effect::Offloads)
            });
            let passed = self.program.passed(*call).iter().filter(|_| offloads);
            let mut closures = passed.filter_map(|passed| match passed.target.kind {
                TargetKind::Body(closure) => Some(self.program.body(closure).span),
                _ => None,
            });
            let first = uses.peek().copied()?;
            closures.find(|span| span.contains(first))
        });
        closure.is_some_and(|span| uses.all(|use_| span.contains(use_)))
    }
}

/// The method call on the value of another call.
fn next_in_chain(facts: &FileFacts, value: ExprId) -> Option<CallId> {
    let is_next = |call: &Call| {
        call.kind == CallKind::Plain
            && matches!(call.callee, Callee::Method { receiver, .. } if receiver == value)
    };
    facts.calls.iter().position(is_next).map(CallId::new)
}
