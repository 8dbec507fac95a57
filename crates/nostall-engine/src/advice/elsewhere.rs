//! Where code cannot become async, and what others hand in to be called.

use nostall_model::Language;
use nostall_model::facts::{
    BindingId, BodyKind, CallKind, Callee, DefinitionKind, ExprId, ExprKind, FileFacts, ItemId,
    ItemKind, ParameterKind, ScopeKind, TypeExprKind,
};
use nostall_model::finding::SyncForm;
use nostall_model::program::{ProgramBody, ProgramCall};

use super::{Cx, Waiting};

impl Cx<'_> {
    /// The first function on the way to what blocks that cannot be async, by its path.
    pub(super) fn cannot_be_async(&self, waiting: Waiting) -> Option<(String, SyncForm)> {
        let path = |body: ProgramBody| self.writer.program.resolved(body).path.clone();
        if waiting == Waiting::Alone {
            let language = self.site.facts.language;
            return Some((path(self.body), SyncForm::Callback(language)));
        }
        let mut steps = self.writer.steps(self.body, self.effect).into_iter();
        steps.find_map(|(_, step)| {
            let body = step.next?;
            Some((path(body), self.form(step.call, body)?))
        })
    }

    /// Why a body that a call runs cannot be async, if so.
    fn form(&self, call: ProgramCall, body: ProgramBody) -> Option<SyncForm> {
        let (facts, record) = self.writer.program.call(call);
        let is_rust = facts.language == Language::Rust;
        match record.kind {
            CallKind::Drop => Some(SyncForm::Drop),
            CallKind::Enter | CallKind::Exit | CallKind::Iterate if is_rust => {
                Some(SyncForm::Operator)
            }
            CallKind::Attribute | CallKind::Accessor => Some(SyncForm::Property),
            CallKind::Enter | CallKind::Exit => Some(SyncForm::With),
            CallKind::Iterate => Some(SyncForm::Iteration),
            CallKind::Operator
            | CallKind::Index
            | CallKind::Format
            | CallKind::Truth
            | CallKind::Convert => Some(SyncForm::Operator),
            CallKind::Plain | CallKind::Macro => self.form_of_body(body),
        }
    }

    fn form_of_body(&self, body: ProgramBody) -> Option<SyncForm> {
        let program = self.writer.program;
        let facts = program.facts(body);
        let own = facts.body(program.file_body(body));
        if matches!(own.kind, BodyKind::Module | BodyKind::Class) {
            return Some(SyncForm::Definition);
        }
        let item = own.item?;
        match facts.language {
            Language::Python => special_method(facts.text(facts.item(item).name?)),
            Language::Rust => self
                .is_of_foreign_trait(facts, item)
                .then_some(SyncForm::Trait),
        }
    }

    /// Says whether a function belongs to an `impl` of a trait that the program does not declare.
    fn is_of_foreign_trait(&self, facts: &FileFacts, item: ItemId) -> bool {
        let scope = facts.scopes[facts.item(item).scope.index()];
        let ScopeKind::Item(owner) = scope.kind else {
            return false;
        };
        let ItemKind::Impl {
            trait_: Some(trait_),
            ..
        } = facts.item(owner).kind
        else {
            return false;
        };
        let TypeExprKind::Path(path) = facts.type_expr(trait_).kind else {
            return false;
        };
        let path = facts.path_text(path, "::");
        let name = path.rsplit("::").next().unwrap_or(&path);
        !self.writer.program.declares_trait(name)
    }

    /// A callable as written that whoever uses this code hands in, where the program knows some of them: a parameter of a public
    /// function, or an attribute that holds one.
    pub(super) fn given_callable(&self) -> Option<String> {
        let facts = self.site.facts;
        let call = facts.call(self.site.call);
        if facts.language != Language::Python || self.direct || call.kind != CallKind::Plain {
            return None;
        }
        let is_given = match call.callee {
            Callee::Value(value) => is_parameter(facts, value) && self.is_public(),
            Callee::Method { receiver, name } => {
                is_own_object(facts, receiver)
                    && is_named_as_a_parameter(facts, facts.text(name))
                    && self.is_public()
                    && !self.writer.program.declares_function(facts.text(name))
            }
            Callee::Macro(_) => false,
        };
        let text = self
            .site
            .text
            .get(call.span.start as usize..call.name_span.end as usize)?;
        is_given.then(|| text.to_owned())
    }

    /// Says whether others may call the function that the call stands in.
    fn is_public(&self) -> bool {
        let path = &self.writer.program.resolved(self.body).path;
        !path.split('.').any(|name| name.starts_with('_'))
    }
}

fn special_method(name: &str) -> Option<SyncForm> {
    match name {
        "__init__" | "__new__" | "__post_init__" => Some(SyncForm::Constructor),
        "__enter__" | "__exit__" => Some(SyncForm::With),
        "__iter__" | "__next__" => Some(SyncForm::Iteration),
        "__call__" | "__aenter__" | "__aexit__" | "__anext__" => None,
        "__del__" => Some(SyncForm::Drop),
        _ => (name.starts_with("__") && name.ends_with("__")).then_some(SyncForm::Operator),
    }
}

fn is_parameter(facts: &FileFacts, value: ExprId) -> bool {
    let ExprKind::Use { reaching, .. } = facts.expr(value).kind else {
        return false;
    };
    let mut definitions = facts.definition_lists[reaching.range()].iter();
    definitions.any(|id| {
        let definition = &facts.definitions[id.index()];
        matches!(definition.kind, DefinitionKind::Parameter(_))
            && !is_receiver(facts, definition.binding)
    })
}

/// Says whether a value is a method's own object.
fn is_own_object(facts: &FileFacts, value: ExprId) -> bool {
    let ExprKind::Use { binding, .. } = facts.expr(value).kind else {
        return false;
    };
    is_receiver(facts, binding)
}

fn is_receiver(facts: &FileFacts, binding: BindingId) -> bool {
    let mut parameters = facts.parameters.iter();
    parameters.any(|own| own.kind == ParameterKind::Receiver && own.binding == binding)
}

/// Says whether a function of the file takes what an attribute is named after: `self.listener` and `self._listener` hold what
/// was given as `listener`.
fn is_named_as_a_parameter(facts: &FileFacts, attribute: &str) -> bool {
    let name = attribute.trim_start_matches('_');
    let mut parameters = facts.parameters.iter();
    parameters.any(|own| facts.text(facts.bindings[own.binding.index()].name) == name)
}
