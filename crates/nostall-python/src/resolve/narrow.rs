//! What tests show about a variable: `isinstance(x, T)`, and what the catalogue says that a method proves.

use nostall_model::Language;
use nostall_model::facts::{ArgumentKind, CallId, Callee, ExprId, ExprKind, Literal, Narrowing};
use nostall_model::program::{Refuted, Target, TargetKind};

use super::Cx;
use super::catalogue::Arguments;
use super::classes::Ancestor;
use super::value::{BodyRef, Known, Type, Value, Values, add, instances};

impl Cx<'_> {
    /// The values of a variable where a test's answer is known.
    pub(super) fn narrowed(&self, file: usize, value: ExprId, by: Narrowing) -> Values {
        let (test, holds) = match by {
            Narrowing::Test { call, holds } => (call, holds),
            Narrowing::Pattern(pattern) => return self.evaluate(file, pattern).to_vec(),
        };
        let before = self.evaluate(file, value).to_vec();
        self.restricted(before, self.shown_by(file, test), holds)
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
            (Callee::Method { .. }, []) => self.proven(&self.callee(file, callee)),
            _ => Values::new(),
        }
    }

    /// What the catalogue says that calling one of these proves of their receiver.
    fn proven(&self, methods: &[Known]) -> Values {
        let mut values = Values::new();
        for known in methods {
            let Value::Method(_, path) = &known.value else {
                continue;
            };
            let found = self.catalog.lookup(Language::Python, path);
            let proves = found.and_then(|found| self.catalog.api(found.api).proves.as_deref());
            if let Some(type_) = proves {
                let types = self.catalogue_type(type_, &Arguments::default());
                add(&mut values, instances(types));
            }
        }
        values
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

fn instance(known: &Known) -> Option<Type> {
    match &known.value {
        Value::Instance(type_) => Some(type_.clone()),
        _ => None,
    }
}
