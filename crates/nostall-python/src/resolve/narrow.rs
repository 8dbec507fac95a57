//! What tests show about a variable: `isinstance(x, T)`, and what the catalogue says that a method proves.

use nostall_model::Language;
use nostall_model::facts::{ArgumentKind, CallId, Callee, ExprId, Narrowing};

use super::Cx;
use super::catalogue::Arguments;
use super::classes::Ancestor;
use super::value::{Known, Type, Value, Values, add, instances};

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
