//! What tests show about a variable: `isinstance(x, T)`, and what the catalogue says that a method proves.

use nostall_catalog::{Literal as Wanted, Proof, When};
use nostall_model::Language;
use nostall_model::facts::{
    Answer, ArgumentKind, CallId, Callee, ExprId, ExprKind, FileFacts, Literal, Narrowing,
};
use nostall_model::program::{Refuted, Target, TargetKind};

use super::Cx;
use super::catalogue::Arguments;
use super::classes::Ancestor;
use super::value::{BodyRef, Known, Type, Value, Values, add, instances};

impl Cx<'_> {
    /// The values of a variable where a test's answer is known.
    pub(super) fn narrowed(&self, file: usize, value: ExprId, by: Narrowing) -> Values {
        let (call, answer) = match by {
            Narrowing::Test { call, answer } => (call, answer),
            Narrowing::Pattern(pattern) => return self.evaluate(file, pattern).to_vec(),
        };
        let before = self.evaluate(file, value).to_vec();
        match answer {
            Answer::True(holds) if asks_for_type(self.facts(file), call) => {
                self.restricted(before, self.shown_by(file, call), holds)
            }
            _ => {
                let callees = self.callee(file, self.facts(file).call(call).callee);
                self.after(before, file, call, answer, &callees)
            }
        }
    }

    /// What some values are once one of these was called in a way that may prove something of them.
    pub(super) fn after(
        &self,
        before: Values,
        file: usize,
        call: CallId,
        answer: Answer,
        callees: &[Known],
    ) -> Values {
        let proofs = callees.iter().filter_map(|known| {
            let (Value::Method(_, path) | Value::Outside(path)) = &known.value else {
                return None;
            };
            self.proof(file, call, answer, path)
        });
        let (mut shown, mut holds) = (Values::new(), true);
        for (type_, proven) in proofs {
            let types = self.catalogue_type(&type_, &Arguments::default());
            add(&mut shown, instances(types));
            holds &= proven;
        }
        self.restricted(before, shown, holds)
    }

    /// Says whether making a call of one of these may prove something.
    pub(super) fn may_prove(&self, methods: &[Known]) -> bool {
        methods.iter().any(|known| match &known.value {
            Value::Method(_, path) => {
                let found = self.catalog.lookup(Language::Python, path);
                found.is_some_and(|found| self.catalog.api(found.api).proof == Proof::Call)
            }
            _ => false,
        })
    }

    /// The type that an entry says something of where a call of it is over, and whether it is that type.
    fn proof(
        &self,
        file: usize,
        call: CallId,
        answer: Answer,
        path: &str,
    ) -> Option<(String, bool)> {
        let found = self.catalog.lookup(Language::Python, path)?;
        let api = self.catalog.api(found.api);
        // A value's type would say it for longer than it holds.
        if api.passing {
            return None;
        }
        let proven = match (api.proof, answer) {
            (Proof::True, Answer::True(answer)) => answer,
            (Proof::False, Answer::True(answer)) => !answer,
            (Proof::Something, Answer::None(answer)) => !answer,
            (Proof::Something, Answer::True(true))
            | (Proof::Call, Answer::Made)
            | (Proof::Await, Answer::Awaited) => true,
            _ => return None,
        };
        let by_argument = || {
            let held = api.when.iter().find(|when| self.is_given(file, call, when));
            held.and_then(|when| when.proves.clone())
        };
        let type_ = api.proves.clone().or_else(by_argument)?;
        Some((type_, proven))
    }

    /// Says whether a call is given the literal that a condition asks for.
    fn is_given(&self, file: usize, call: CallId, when: &When) -> bool {
        let (Some(wanted), Some(value)) =
            (&when.is, self.written_argument(file, call, &when.argument))
        else {
            return false;
        };
        let ExprKind::Literal(literal) = self.facts(file).expr(value).kind else {
            return false;
        };
        match (literal, wanted) {
            (Literal::Bool(given), Wanted::Bool(wanted)) => given == *wanted,
            (Literal::Int(given), Wanted::Int(wanted)) => given as f64 == *wanted as f64,
            (Literal::Float(given), Wanted::Float(wanted)) => given == *wanted,
            _ => false,
        }
    }

    /// Those of some values that are, or are not, of what is shown; what is shown itself where none is known to be.
    pub(super) fn restricted(&self, before: Values, shown: Values, holds: bool) -> Values {
        let shown_types: Vec<Type> = shown.iter().filter_map(instance).collect();
        if shown_types.is_empty() {
            return before;
        }
        let fits = |known: &Known| match instance(known) {
            Some(type_) => shown_types
                .iter()
                .any(|shown| self.is_kind_of(&type_, shown)),
            None => false,
        };
        if !holds {
            return before.into_iter().filter(|known| !fits(known)).collect();
        }
        let kept: Values = before.into_iter().filter(fits).collect();
        if kept.is_empty() { shown } else { kept }
    }

    /// The types that a test asks for.
    fn shown_by(&self, file: usize, test: CallId) -> Values {
        let facts = self.facts(file);
        let callee = facts.call(test).callee;
        match (callee, facts.call_arguments(test)) {
            (Callee::Value(function), [_, types]) if types.kind == ArgumentKind::Positional => {
                let asks = |known: &Known| matches!(&known.value, Value::Outside(path) if **path == *"builtins.isinstance");
                if self.evaluate(file, function).iter().all(asks) {
                    self.instances_of(&self.evaluate(file, types.value))
                } else {
                    Values::new()
                }
            }
            _ => Values::new(),
        }
    }

    /// The tests for a type, in the bodies that a call reaches, that what it gives does not pass.
    pub(super) fn refuted(&self, file: usize, call: CallId, targets: &[Target]) -> Vec<Refuted> {
        let mut found = Vec::new();
        for target in targets {
            let TargetKind::Body(body) = target.kind else {
                continue;
            };
            let body = self.body_ref(body);
            for (test, parameter, asked) in self.files[body.file].kind_tests(body.body) {
                if self.fails(file, call, body, usize::from(*parameter), *asked) {
                    found.push(Refuted {
                        call: self.mounts[file].call(call),
                        file: self.mounts[body.file].file,
                        test: *test,
                    });
                }
            }
        }
        found
    }

    /// Says whether what a call gives for a parameter is certainly not of the types that a test asks for.
    fn fails(
        &self,
        file: usize,
        call: CallId,
        body: BodyRef,
        parameter: usize,
        asked: CallId,
    ) -> bool {
        let shown: Vec<Type> = self
            .shown_by(body.file, asked)
            .iter()
            .filter_map(instance)
            .collect();
        if shown.is_empty() {
            return false;
        }
        let (from, given) = match self.argument_of(file, call, body, parameter) {
            Some(given) => (file, given),
            None if self.spreads(file, call) => return false,
            None => {
                let parameters = self.facts(body.file).body_parameters(body.body);
                match parameters[parameter].default {
                    Some(default) => (body.file, default),
                    None => return false,
                }
            }
        };
        if matches!(
            self.facts(from).expr(given).kind,
            ExprKind::Literal(Literal::None)
        ) {
            return true;
        }
        let values = self.evaluate(from, given).to_vec();
        let differs = |known: &Known| {
            instance(known).is_some_and(|type_| {
                shown
                    .iter()
                    .all(|shown| !self.is_kind_of(&type_, shown) && !self.is_kind_of(shown, &type_))
            })
        };
        !values.is_empty() && values.iter().all(differs)
    }

    fn spreads(&self, file: usize, call: CallId) -> bool {
        let mut arguments = self.facts(file).call_arguments(call).iter();
        arguments.any(|argument| {
            matches!(
                argument.kind,
                ArgumentKind::Spread | ArgumentKind::SpreadKeywords
            )
        })
    }

    /// Says whether values of a type are values of another one, too.
    pub(super) fn is_kind_of(&self, type_: &Type, wanted: &Type) -> bool {
        match (type_, wanted) {
            (Type::Named(path, _), Type::Named(wanted, _)) => {
                self.lineage(path).iter().any(|path| **path == **wanted)
            }
            (Type::Tuple(_), Type::Named(wanted, _)) => **wanted == *"builtins.tuple",
            (Type::Class(class, _), Type::Named(wanted, _)) => {
                self.extends_outside(*class, &[wanted])
            }
            (Type::Class(class, _), Type::Class(wanted, _)) => self.order(*class).iter().any(
                |ancestor| matches!(ancestor, Ancestor::Inside(ancestor, _) if ancestor == wanted),
            ),
            _ => false,
        }
    }
}

/// Says whether a call has the form of `isinstance(x, T)`.
fn asks_for_type(facts: &FileFacts, call: CallId) -> bool {
    facts.call_arguments(call).len() == 2
}

fn instance(known: &Known) -> Option<Type> {
    match &known.value {
        Value::Instance(type_) => Some(type_.clone()),
        _ => None,
    }
}
