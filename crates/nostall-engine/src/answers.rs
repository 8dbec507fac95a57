//! The one answer that a value is made for: `struct Reply(SyncSender<u8>)`, whose `send(self, ..)` takes it away, where each `Reply` is
//! made with a channel of its own that has room for it.

use nostall_model::facts::{
    Argument, Call, CallKind, Callee, ExprId, ExprKind, FileFacts, ItemKind, ParameterKind, PathId,
    RegionKind, ScopeKind,
};
use nostall_model::program::ProgramCall;
use nostall_model::{Language, Name};

use crate::over::{made_by, receiver};
use crate::sinks::uses;
use crate::summary::Cx;

impl Cx<'_> {
    /// Says whether a call sends through a field of an object that it takes away, and each such object has room for that.
    pub(crate) fn is_only_answer(&self, call: ProgramCall, api: u32) -> bool {
        let (facts, record) = self.program.call(call);
        let Some(field) = receiver(record).and_then(|sender| field_of_taken(facts, record, sender))
        else {
            return false;
        };
        let Some(owner) = type_of_methods(facts, record) else {
            return false;
        };
        let sends = facts.calls.iter().filter(|other| {
            let field_there = receiver(other).map(|sender| facts.expr(sender).kind);
            matches!(field_there, Some(ExprKind::Attribute { name, .. }) if name == field)
                && other.kind == CallKind::Plain
                && type_of_methods(facts, other) == Some(owner)
        });
        let mut sends = sends.peekable();
        sends.peek().is_some()
            && sends.all(|send| is_alone(facts, send, field))
            && !is_cloned(facts, owner)
            && self.are_made_with_room(call, api, owner, field)
    }

    /// Says whether all values of a type are made in one file, each with a channel that has room.
    fn are_made_with_room(&self, call: ProgramCall, api: u32, owner: &str, field: Name) -> bool {
        let (facts, _) = self.program.call(call);
        let field = facts.text(field);
        let others = self.program.all_facts().iter();
        let mut others =
            others.filter(|other| other.language == Language::Rust && !std::ptr::eq(*other, facts));
        let is_made_elsewhere = others.any(|other| !makers(other, owner, field, false).is_empty());
        let made = makers(facts, owner, field, true);
        !is_made_elsewhere
            && !made.is_empty()
            && made
                .iter()
                .all(|sender| sender.is_some_and(|sender| self.has_own_channel(call, api, sender)))
    }

    /// Says whether a value is a variable that has an end of a channel with room, and is used for nothing else.
    fn has_own_channel(&self, call: ProgramCall, api: u32, sender: ExprId) -> bool {
        let (facts, _) = self.program.call(call);
        let ExprKind::Use { binding, .. } = facts.expr(sender).kind else {
            return false;
        };
        let made = made_by(facts, binding).filter(|made| self.ends(call, *made, api));
        uses(facts, binding).take(2).count() == 1
            && made.is_some_and(|made| self.room_of(call, made).is_some_and(|room| room >= 1.0))
    }
}

/// The field of `self` that a value is, in a method that takes `self` away.
fn field_of_taken(facts: &FileFacts, call: &Call, sender: ExprId) -> Option<Name> {
    let ExprKind::Attribute { base, name } = facts.expr(sender).kind else {
        return None;
    };
    let ExprKind::Use { binding, .. } = facts.expr(base).kind else {
        return None;
    };
    let parameters = &facts.parameters[facts.body(call.body).parameters.range()];
    let own = parameters.first().filter(|own| {
        own.kind == ParameterKind::Receiver && own.type_.is_none() && own.binding == binding
    });
    own.map(|_| name)
}

/// Says whether a call through a field of `self` is the only one of its body, which takes `self` away, and is made once.
fn is_alone(facts: &FileFacts, send: &Call, field: Name) -> bool {
    let through = |call: &&Call| {
        call.body == send.body
            && receiver(call)
                .is_some_and(|sender| field_of_taken(facts, call, sender) == Some(field))
    };
    let in_loop = facts.regions.iter().any(|region| {
        region.kind == RegionKind::Loop
            && region.body == send.body
            && region.span.contains(send.span)
    });
    !in_loop && facts.calls.iter().filter(through).count() == 1
}

/// The name of the type whose method a call stands in.
fn type_of_methods<'a>(facts: &'a FileFacts, call: &Call) -> Option<&'a str> {
    let item = facts.body(call.body).item?;
    let ScopeKind::Item(owner) = facts.scopes[facts.item(item).scope.index()].kind else {
        return None;
    };
    match facts.item(owner).kind {
        ItemKind::Impl { self_type, .. } => facts.named_type(self_type),
        _ => None,
    }
}

/// Says whether a type of the file can be copied.
fn is_cloned(facts: &FileFacts, owner: &str) -> bool {
    let is_clone = |path: PathId| {
        let last = facts.path_segments(path).last();
        last.is_some_and(|last| facts.text(last.name) == "Clone")
    };
    facts.items.iter().any(|item| match item.kind {
        ItemKind::Struct { .. } if item.name.map(|name| facts.text(name)) == Some(owner) => {
            let mut attributes = facts.expr_list(item.attributes).iter();
            attributes.any(|attribute| match facts.expr(*attribute).kind {
                ExprKind::Struct { fields, .. } => {
                    let mut derived = facts.arguments[fields.range()].iter();
                    derived.any(|argument| match facts.expr(argument.value).kind {
                        ExprKind::Path(path) => is_clone(path),
                        _ => false,
                    })
                }
                _ => false,
            })
        }
        ItemKind::Impl {
            self_type,
            trait_: Some(trait_),
            ..
        } => {
            facts.named_type(self_type) == Some(owner) && facts.named_type(trait_) == Some("Clone")
        }
        _ => false,
    })
}

/// What a field is given wherever the file makes values of a type; none where it does not say. In another file `Self` is another type.
fn makers(facts: &FileFacts, owner: &str, field: &str, is_own_file: bool) -> Vec<Option<ExprId>> {
    let is_owner = |path: PathId| {
        let last = facts.path_segments(path).last();
        last.is_some_and(|last| {
            let name = facts.text(last.name);
            name == owner || name == "Self" && is_own_file
        })
    };
    let given = |arguments: &[Argument]| {
        let by_name = arguments
            .iter()
            .find(|argument| argument.name.is_some_and(|name| facts.text(name) == field));
        let by_place = || arguments.get(field.parse::<usize>().ok()?);
        by_name.or_else(by_place).map(|argument| argument.value)
    };
    let literals = facts.exprs.iter().filter_map(|expr| match expr.kind {
        ExprKind::Struct { path, fields } if is_owner(path) => {
            Some(given(&facts.arguments[fields.range()]))
        }
        _ => None,
    });
    let called = |call: &Call| match call.callee {
        Callee::Value(callee) => Some(callee),
        _ => None,
    };
    let constructor =
        |value: ExprId| matches!(facts.expr(value).kind, ExprKind::Path(path) if is_owner(path));
    let calls = facts.calls.iter().filter_map(|call| {
        called(call).filter(|callee| constructor(*callee))?;
        Some(given(&facts.arguments[call.arguments.range()]))
    });
    let calls: Vec<Option<ExprId>> = calls.collect();
    // `map(Reply)`: it is called who knows with what.
    let named = (0..facts.exprs.len()).map(ExprId::new);
    let handed_on = named.filter(|value| constructor(*value)).count() > calls.len();
    let unknown = handed_on.then_some(None);
    literals.chain(calls).chain(unknown).collect()
}
