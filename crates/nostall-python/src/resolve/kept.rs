//! What the program keeps in objects of a library: `app.state.db = ..`, `app["db"] = ..`, read elsewhere under the same name.
//!
//! Of which types that is so is the catalogue's to say (`keeps`). What is stored is found by its name, and counts where it is
//! stored in an object of the same type.

use std::rc::Rc;

use nostall_catalog::Keeps;
use nostall_model::facts::{
    CallKind, Callee, Event, ExprId, ExprKind, FileFacts, Literal, ParameterKind,
};
use nostall_model::{Confidence, Language};
use rustc_hash::FxHashMap;

use super::Cx;
use super::classes::Ancestor;
use super::value::{Known, Type, Value, Values, add, alternatives, at_most};

/// A name under which more values than these are stored tells nothing.
const MAX_STORES: usize = 24;

/// What the program stores in objects, by the name or the key.
#[derive(Default)]
pub(super) struct Stores {
    attributes: FxHashMap<String, Vec<Store>>,
    items: FxHashMap<String, Vec<Store>>,
}

/// A value that is stored in an object.
#[derive(Clone, Copy)]
struct Store {
    file: usize,
    object: ExprId,
    value: ExprId,
}

impl Cx<'_> {
    /// What the program stores in an attribute of objects of a library's type.
    pub(super) fn kept_attribute(&self, type_: &Type, name: &str) -> Values {
        match self.keeper(type_, Keeps::Attributes) {
            Some(keeper) => self.kept(&keeper, Keeps::Attributes, name),
            None => Values::new(),
        }
    }

    /// What the program stores in objects of a library's type under a key.
    pub(super) fn kept_item(&self, file: usize, type_: &Type, key: ExprId) -> Values {
        let keeper = self.keeper(type_, Keeps::Items);
        match keeper.zip(key_text(self.facts(file), key)) {
            Some((keeper, key)) => self.kept(&keeper, Keeps::Items, &key),
            None => Values::new(),
        }
    }

    /// The type among a value's own and those that it extends whose objects keep things.
    fn keeper(&self, type_: &Type, keeps: Keeps) -> Option<Type> {
        match type_ {
            Type::Named(path, arguments) => self.lineage(path).into_iter().find_map(|path| {
                let entry = self.catalog.type_entry(Language::Python, &path)?;
                (entry.keeps == Some(keeps)).then(|| Type::Named(path.into(), Rc::clone(arguments)))
            }),
            Type::Class(class, _) => {
                self.order(*class)
                    .iter()
                    .find_map(|ancestor| match ancestor {
                        Ancestor::Outside(type_) => self.keeper(type_, keeps),
                        Ancestor::Inside(..) => None,
                    })
            }
            _ => None,
        }
    }

    fn kept(&self, keeper: &Type, keeps: Keeps, name: &str) -> Values {
        let all = self.stores.get_or_init(|| self.find_stores());
        let by_name = match keeps {
            Keeps::Attributes => &all.attributes,
            Keeps::Items => &all.items,
        };
        let stores = by_name.get(name).map_or(&[][..], Vec::as_slice);
        if stores.len() > MAX_STORES {
            return Values::new();
        }
        let (mut sure, mut possible) = (Values::new(), Values::new());
        for store in stores {
            let objects = self.with_given(self.evaluate(store.file, store.object).to_vec());
            let values = match objects.iter().any(|it| self.is_kept_by(it, keeper, keeps)) {
                true => &mut sure,
                false if objects.is_empty() => &mut possible,
                false => continue,
            };
            let stored = self.evaluate(store.file, store.value).to_vec();
            add(values, self.with_given(stored));
        }
        // Of an object that nothing is known of, it is only possible that it is the one.
        if sure.is_empty() {
            at_most(possible, Confidence::Possible)
        } else {
            at_most(alternatives(sure), Confidence::Likely)
        }
    }

    fn is_kept_by(&self, object: &Known, keeper: &Type, keeps: Keeps) -> bool {
        match &object.value {
            Value::Instance(type_) => self.keeper(type_, keeps).as_ref() == Some(keeper),
            _ => false,
        }
    }

    fn find_stores(&self) -> Stores {
        let mut stores = Stores::default();
        for file in 0..self.files.len() {
            let facts = self.facts(file);
            for event in &facts.events {
                stores.add_attribute(file, facts, event);
            }
            for call in facts.calls.iter().filter(|it| it.kind == CallKind::Index) {
                if let (Callee::Method { receiver, .. }, [key, stored]) =
                    (call.callee, &facts.arguments[call.arguments.range()])
                    && let Some(key) = key_text(facts, key.value)
                {
                    let store = Store {
                        file,
                        object: receiver,
                        value: stored.value,
                    };
                    stores.items.entry(key).or_default().push(store);
                }
            }
        }
        stores
    }
}

impl Stores {
    fn add_attribute(&mut self, file: usize, facts: &FileFacts, event: &Event) {
        let Event::Store { target, value } = *event else {
            return;
        };
        let ExprKind::Attribute { base, name } = facts.expr(target).kind else {
            return;
        };
        if is_receiver(facts, base) {
            return;
        }
        let store = Store {
            file,
            object: base,
            value,
        };
        let name = facts.text(name).to_owned();
        self.attributes.entry(name).or_default().push(store);
    }
}

/// Says whether this is `self`: what a class stores in its own objects is looked up there.
fn is_receiver(facts: &FileFacts, object: ExprId) -> bool {
    let ExprKind::Use { binding, .. } = facts.expr(object).kind else {
        return false;
    };
    let body = facts.bindings[binding.index()].body;
    let first = facts.body_parameters(body).first();
    first.is_some_and(|first| first.kind == ParameterKind::Receiver && first.binding == binding)
}

/// What tells keys apart: a text, or the name of what holds the key.
fn key_text(facts: &FileFacts, key: ExprId) -> Option<String> {
    match facts.expr(key).kind {
        ExprKind::Literal(Literal::Str(text)) => Some(format!("\"{}", facts.text(text))),
        ExprKind::Use { binding, .. } => {
            Some(facts.text(facts.bindings[binding.index()].name).to_owned())
        }
        ExprKind::Attribute { name, .. } => Some(facts.text(name).to_owned()),
        ExprKind::Path(path) => {
            let last = facts.path_segments(path).last()?;
            Some(facts.text(last.name).to_owned())
        }
        _ => None,
    }
}
