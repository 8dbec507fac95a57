//! What `with` holds: locks.

use nostall_model::Language;
use nostall_model::facts::{CallId, CallKind, Callee};
use nostall_model::program::{Guard, Keeper, Resolution};

use super::Cx;
use super::classes::Ancestor;
use super::value::{Type, Value};

/// Adds what the `with` statements of all bodies hold.
pub(super) fn add_guards(cx: &Cx<'_>, resolution: &mut Resolution) {
    for file in 0..cx.files.len() {
        let facts = cx.facts(file);
        for id in (0..facts.calls.len()).map(CallId::new) {
            let call = facts.call(id);
            let (CallKind::Enter, Callee::Method { receiver, .. }) = (call.kind, call.callee)
            else {
                continue;
            };
            let held = cx.evaluate(file, receiver);
            let found = held.iter().find_map(|known| match &known.value {
                Value::Instance(type_) => Some((cx.guard_path(type_)?, known.confidence)),
                _ => None,
            });
            if let Some((path, confidence)) = found {
                resolution.guards.push(Guard {
                    body: cx.mounts[file].body(call.body),
                    keeper: Keeper::Entered(id),
                    type_: path.into(),
                    confidence,
                    taken_by: Vec::new(),
                });
            }
        }
    }
}

impl Cx<'_> {
    /// The type of the catalogue that says that `with` holds something: this one, or one that it extends.
    fn guard_path(&self, type_: &Type) -> Option<String> {
        let paths = match type_ {
            Type::Named(path, _) => self.lineage(path),
            Type::Class(class, _) => {
                let order = self.order(*class);
                let outside = order.iter().filter_map(|ancestor| match ancestor {
                    Ancestor::Outside(Type::Named(path, _)) => Some(self.lineage(path)),
                    _ => None,
                });
                outside.flatten().collect()
            }
            _ => return None,
        };
        paths.into_iter().find(|path| {
            self.catalog
                .type_entry(Language::Python, path)
                .is_some_and(|entry| entry.guards.is_some())
        })
    }
}
