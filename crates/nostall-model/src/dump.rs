//! Facts as text, for fact snapshots and for debugging. The form may change at any time.
//!
//! One line an event, indented by region; expressions are written inline. `x#3` is binding 3, `{d4,d7}` are the
//! definitions that may reach a use.

use std::fmt::Write as _;

use crate::facts::{
    Answer, Argument, ArgumentKind, BodyId, Call, CallId, CallKind, Callee, CollectionKind,
    Condition, ConditionId, DefinitionId, DefinitionKind, Event, ExprId, ExprKind, FileFacts,
    Import, ImportKind, Item, ItemId, ItemKind, Literal, Narrowing, Parameter, ParameterKind, Part,
    PathId, RegionId, Run, ScopeId, Sink, TypeExprId, TypeExprKind,
};
use crate::{Language, Name};

/// Writes all facts of a file.
#[must_use]
pub fn dump(facts: &FileFacts) -> String {
    let mut dump = Dump {
        facts,
        out: String::new(),
    };
    for import in &facts.imports {
        dump.import(import);
    }
    for (index, item) in facts.items.iter().enumerate() {
        dump.item(ItemId::new(index), item);
    }
    for index in 0..facts.bodies.len() {
        dump.body(BodyId::new(index));
    }
    for problem in &facts.problems {
        let _ = writeln!(
            dump.out,
            "problem {:?} {:?}: {}",
            problem.code,
            problem.span.range(),
            problem.message
        );
    }
    dump.out
}

struct Dump<'a> {
    facts: &'a FileFacts,
    out: String,
}

impl Dump<'_> {
    fn line(&mut self, depth: usize, text: &str) {
        let _ = writeln!(self.out, "{:width$}{text}", "", width = depth * 2);
    }

    fn import(&mut self, import: &Import) {
        let dots = ".".repeat(import.level.into());
        let path = self.path(import.path);
        let alias = match import.kind {
            ImportKind::Named(name) => format!("as {}", self.name(name)),
            ImportKind::Root(name) => format!("root {}", self.name(name)),
            ImportKind::Glob => "all".to_owned(),
            ImportKind::Anonymous => "as _".to_owned(),
        };
        let public = if import.public { "public " } else { "" };
        let condition = self.condition_suffix(import.condition);
        let scope = scope(import.scope);
        self.line(
            0,
            &format!("{public}import {dots}{path} {alias} in {scope}{condition}"),
        );
    }

    fn item(&mut self, id: ItemId, item: &Item) {
        let name = item
            .name
            .map_or_else(|| "_".to_owned(), |name| self.name(name));
        let public = if item.public { "public " } else { "" };
        let kind = self.item_kind(&item.kind);
        let inner = item
            .inner
            .map_or_else(String::new, |inner| format!(" opens {}", scope(inner)));
        let body = item
            .body
            .map_or_else(String::new, |body| format!(" body {}", body.0));
        let generics = self.generics(item.generics);
        let condition = self.condition_suffix(item.condition);
        let attributes = self.expr_list(item.attributes);
        let attributes = if attributes.is_empty() {
            attributes
        } else {
            format!(" with [{attributes}]")
        };
        let scope = scope(item.scope);
        let text = format!(
            "{public}item {} {name}{generics}: {kind} in {scope}{inner}{body}{condition}{attributes}",
            id.0
        );
        self.line(0, &text);
    }

    fn item_kind(&self, kind: &ItemKind) -> String {
        match *kind {
            ItemKind::Module => "module".to_owned(),
            ItemKind::ModuleFile { path: None } => "module in file".to_owned(),
            ItemKind::ModuleFile { path: Some(path) } => {
                format!("module in file {:?}", self.name(path))
            }
            ItemKind::Include { path } => format!("include {:?}", self.name(path)),
            ItemKind::Function => "function".to_owned(),
            ItemKind::Struct { fields } => format!("struct {{{}}}", self.fields(fields)),
            ItemKind::Enum => "enum".to_owned(),
            ItemKind::Variant { fields } => format!("variant {{{}}}", self.fields(fields)),
            ItemKind::Class { bases, metaclass } => {
                let metaclass = metaclass.map(|it| format!("; metaclass {}", self.expr(it)));
                format!(
                    "class({}{})",
                    self.expr_list(bases),
                    metaclass.unwrap_or_default()
                )
            }
            ItemKind::Trait { supertraits } => {
                format!("trait: {}", self.type_list(supertraits, " + "))
            }
            ItemKind::Impl { trait_, self_type } => match trait_ {
                Some(trait_) => {
                    format!("impl {} for {}", self.type_(trait_), self.type_(self_type))
                }
                None => format!("impl {}", self.type_(self_type)),
            },
            ItemKind::TypeAlias { target } => format!("type = {}", self.optional_type(target)),
            ItemKind::Constant { type_ } => format!("constant: {}", self.optional_type(type_)),
            ItemKind::Macro { exported } => {
                if exported { "exported macro" } else { "macro" }.to_owned()
            }
            ItemKind::ExternCrate { target } => format!("extern crate {}", self.name(target)),
        }
    }

    fn generics(&self, run: Run) -> String {
        let generics = &self.facts.generics[run.range()];
        if generics.is_empty() {
            return String::new();
        }
        let list: Vec<String> = generics
            .iter()
            .map(|generic| {
                let bounds = self.type_list(generic.bounds, " + ");
                let separator = if bounds.is_empty() { "" } else { ": " };
                format!("{}{separator}{bounds}", self.name(generic.name))
            })
            .collect();
        format!("<{}>", list.join(", "))
    }

    fn fields(&self, run: Run) -> String {
        let fields = &self.facts.fields[run.range()];
        let list: Vec<String> = fields
            .iter()
            .map(|field| format!("{}: {}", self.name(field.name), self.type_(field.type_)))
            .collect();
        list.join(", ")
    }

    fn condition_suffix(&self, id: Option<ConditionId>) -> String {
        id.map_or_else(String::new, |id| format!(" if {}", self.condition(id)))
    }

    fn condition(&self, id: ConditionId) -> String {
        let list = |run: Run| {
            let conditions = &self.facts.condition_lists[run.range()];
            conditions
                .iter()
                .map(|id| self.condition(*id))
                .collect::<Vec<_>>()
                .join(", ")
        };
        match self.facts.conditions[id.index()] {
            Condition::Flag(name) => self.name(name),
            Condition::Value(name, value) => {
                format!("{} = {:?}", self.name(name), self.name(value))
            }
            Condition::All(run) => format!("all({})", list(run)),
            Condition::Any(run) => format!("any({})", list(run)),
            Condition::Not(id) => format!("not({})", self.condition(id)),
            Condition::Test => "test".to_owned(),
            Condition::TypeChecking => "TYPE_CHECKING".to_owned(),
            Condition::ImportTried => "import tried".to_owned(),
            Condition::ImportFailed => "import failed".to_owned(),
            Condition::Unknown => "unknown".to_owned(),
        }
    }

    fn body(&mut self, id: BodyId) {
        let facts = self.facts;
        let body = facts.body(id);
        let kind = format!("{:?} {:?}", body.flavour, body.kind).to_lowercase();
        let item = body
            .item
            .map_or_else(String::new, |item| format!(" of item {}", item.0));
        let parent = body
            .parent
            .map_or_else(String::new, |parent| format!(" in body {}", parent.0));
        let moves = if body.moves { " moves" } else { "" };
        self.line(
            0,
            &format!(
                "body {}: {kind}{item}{parent}{moves} at {}",
                id.0,
                scope(body.scope)
            ),
        );
        for parameter in facts.body_parameters(id) {
            let text = self.parameter(parameter);
            self.line(1, &text);
        }
        if let Some(returns) = body.returns {
            let text = format!("returns {}", self.type_(returns));
            self.line(1, &text);
        }
        let captures: Vec<String> = facts.binding_lists[body.captures.range()]
            .iter()
            .map(|id| self.binding(*id))
            .collect();
        if !captures.is_empty() {
            self.line(1, &format!("captures {}", captures.join(", ")));
        }
        self.events(body.region, 1);
        if let Some(value) = body.value {
            let text = format!("value {}", self.expr(value));
            self.line(1, &text);
        }
    }

    fn parameter(&self, parameter: &Parameter) -> String {
        let kind = match parameter.kind {
            ParameterKind::Receiver => "receiver",
            ParameterKind::Positional => "positional",
            ParameterKind::Normal => "parameter",
            ParameterKind::Keyword => "keyword",
            ParameterKind::Rest => "rest",
            ParameterKind::RestKeywords => "rest keywords",
        };
        let mut text = format!("{kind} {}", self.binding(parameter.binding));
        if let Some(type_) = parameter.type_ {
            let _ = write!(text, ": {}", self.type_(type_));
        }
        if let Some(annotation) = parameter.annotation {
            let _ = write!(text, " annotated {}", self.expr(annotation));
        }
        if let Some(default) = parameter.default {
            let _ = write!(text, " = {}", self.expr(default));
        }
        text
    }

    fn events(&mut self, region: RegionId, depth: usize) {
        let facts = self.facts;
        for event in facts.region_events(region) {
            if let Event::Region(inner) = *event {
                let region = facts.regions[inner.index()];
                let kind = format!("{:?}", region.kind).to_lowercase();
                let condition = self.condition_suffix(region.condition);
                self.line(depth, &format!("{kind}{condition}"));
                self.events(inner, depth + 1);
                continue;
            }
            let text = self.event(event);
            self.line(depth, &text);
        }
    }

    fn event(&self, event: &Event) -> String {
        match *event {
            Event::Region(_) => String::new(),
            Event::Call(call) => self.call_event(call),
            Event::Await(expr) => format!("await {}", self.expr(expr)),
            Event::Bind(definition) => format!("bind {}", self.definition(definition)),
            Event::Assign(definition) => format!("assign {}", self.definition(definition)),
            Event::Store { target, value } => {
                format!("store {} = {}", self.expr(target), self.expr(value))
            }
            Event::Move(binding) => format!("move {}", self.binding(binding)),
            Event::ScopeEnd(binding) => format!("end {}", self.binding(binding)),
            Event::TemporariesEnd(_) => "temporaries end".to_owned(),
            Event::Return(value) => format!("return{}", self.optional_expr(value)),
            Event::Yield(value) => format!("yield{}", self.optional_expr(value)),
            Event::Jump => "jump".to_owned(),
            Event::Raise => "raise".to_owned(),
        }
    }

    fn call_event(&self, id: CallId) -> String {
        let call = self.facts.call(id);
        let kind = match call.kind {
            CallKind::Plain => "call".to_owned(),
            kind => format!("{kind:?}").to_lowercase(),
        };
        format!(
            "{kind} c{} {} -> {}",
            id.0,
            self.call(call),
            self.sink(call.sink)
        )
    }

    fn call(&self, call: &Call) -> String {
        let callee = match call.callee {
            Callee::Value(value) => self.expr(value),
            Callee::Method { receiver, name } => {
                format!("{}.{}", self.expr(receiver), self.name(name))
            }
            Callee::Macro(path) => format!("{}!", self.path(path)),
        };
        let types = self.type_list(call.type_arguments, ", ");
        let types = if types.is_empty() {
            types
        } else {
            format!("::<{types}>")
        };
        format!("{callee}{types}({})", self.arguments(call.arguments))
    }

    fn arguments(&self, run: Run) -> String {
        let arguments = &self.facts.arguments[run.range()];
        arguments
            .iter()
            .map(|argument| self.argument(argument))
            .collect::<Vec<_>>()
            .join(", ")
    }

    fn argument(&self, argument: &Argument) -> String {
        let value = self.expr(argument.value);
        match (argument.kind, argument.name) {
            (ArgumentKind::Spread, _) => format!("*{value}"),
            (ArgumentKind::SpreadKeywords, _) => format!("**{value}"),
            (_, Some(name)) => format!("{}={value}", self.name(name)),
            _ => value,
        }
    }

    fn sink(&self, sink: Sink) -> String {
        match sink {
            Sink::Bound(definition) => format!("bound d{}", definition.0),
            Sink::Argument { call, index } => format!("argument {index} of c{}", call.0),
            sink => format!("{sink:?}").to_lowercase(),
        }
    }

    fn definition(&self, id: DefinitionId) -> String {
        let definition = &self.facts.definitions[id.index()];
        let binding = self.binding(definition.binding);
        let kind = match definition.kind {
            DefinitionKind::Parameter(index) => format!("parameter {index}"),
            DefinitionKind::Value(value) => self.expr(value),
            DefinitionKind::Augmented(value) => format!("augmented {}", self.expr(value)),
            DefinitionKind::Import(import) => format!(
                "import {}",
                self.path(self.facts.imports[import.index()].path)
            ),
            DefinitionKind::Item(item) => format!("item {}", item.0),
            DefinitionKind::Caught(types) => format!("caught{}", self.optional_expr(types)),
            DefinitionKind::Narrowed { value, by } => {
                let by = match by {
                    Narrowing::Test { call, answer } => match answer {
                        Answer::True(true) => format!("c{}", call.0),
                        Answer::True(false) => format!("not c{}", call.0),
                        Answer::None(true) => format!("c{} is none", call.0),
                        Answer::None(false) => format!("c{} is not none", call.0),
                        Answer::Made => format!("c{} made", call.0),
                        Answer::Awaited => format!("c{} awaited", call.0),
                    },
                    Narrowing::Pattern(pattern) => self.expr(pattern),
                };
                format!("{} where {by}", self.expr(value))
            }
            DefinitionKind::Declared => "declared".to_owned(),
            DefinitionKind::Deleted => "deleted".to_owned(),
        };
        let type_ = definition
            .type_
            .map_or_else(String::new, |type_| format!(": {}", self.type_(type_)));
        let condition = self.condition_suffix(definition.condition);
        format!("d{} {binding}{type_} = {kind}{condition}", id.0)
    }

    fn binding(&self, id: crate::facts::BindingId) -> String {
        format!(
            "{}#{}",
            self.name(self.facts.bindings[id.index()].name),
            id.0
        )
    }

    fn optional_expr(&self, value: Option<ExprId>) -> String {
        value.map_or_else(String::new, |value| format!(" {}", self.expr(value)))
    }

    fn expr_list(&self, run: Run) -> String {
        self.facts
            .expr_list(run)
            .iter()
            .map(|id| self.expr(*id))
            .collect::<Vec<_>>()
            .join(", ")
    }

    fn expr(&self, id: ExprId) -> String {
        match self.facts.expr(id).kind {
            ExprKind::Unknown => "?".to_owned(),
            ExprKind::Literal(literal) => self.literal(literal),
            ExprKind::Path(path) => self.path(path),
            ExprKind::Use { binding, reaching } => {
                format!("{}{}", self.binding(binding), self.reaching(reaching))
            }
            ExprKind::Attribute { base, name } => {
                format!("{}.{}", self.expr(base), self.name(name))
            }
            ExprKind::Call(call) => format!("c{}", call.0),
            ExprKind::Await(value) => format!("await({})", self.expr(value)),
            ExprKind::Try(value) => format!("try({})", self.expr(value)),
            ExprKind::Callable(body) => format!("body {}", body.0),
            ExprKind::Reference(value) => format!("&{}", self.expr(value)),
            ExprKind::Dereference(value) => format!("*{}", self.expr(value)),
            ExprKind::Unary(value) => format!("unary({})", self.expr(value)),
            ExprKind::Cast { value, type_ } => {
                format!("{} as {}", self.expr(value), self.type_(type_))
            }
            ExprKind::Struct { path, fields } => {
                format!("{} {{{}}}", self.path(path), self.arguments(fields))
            }
            ExprKind::Collection { kind, elements } => self.collection(kind, elements),
            ExprKind::Select(values) => format!("one of ({})", self.expr_list(values)),
            ExprKind::Project { base, part } => format!("{}@{}", self.expr(base), self.part(part)),
            ExprKind::Text => "text".to_owned(),
            ExprKind::Never => "never".to_owned(),
            ExprKind::Unit => "()".to_owned(),
        }
    }

    fn collection(&self, kind: CollectionKind, elements: Run) -> String {
        let elements = self.expr_list(elements);
        match kind {
            CollectionKind::Tuple => format!("({elements})"),
            CollectionKind::List => format!("[{elements}]"),
            CollectionKind::Set => format!("set{{{elements}}}"),
            CollectionKind::Mapping => format!("map{{{elements}}}"),
            CollectionKind::Slice => format!("slice({elements})"),
        }
    }

    fn part(&self, part: Part) -> String {
        match part {
            Part::Element(index) => format!("{index}"),
            Part::Variant { path, index } => format!("{}.{index}", self.path(path)),
            Part::Field { path, name } => format!("{}.{}", self.path(path), self.name(name)),
            Part::Class(path) => format!("class {}", self.path(path)),
            part => format!("{part:?}").to_lowercase(),
        }
    }

    fn reaching(&self, run: Run) -> String {
        let ids: Vec<String> = self.facts.definition_lists[run.range()]
            .iter()
            .map(|id| format!("d{}", id.0))
            .collect();
        if ids.is_empty() {
            String::new()
        } else {
            format!("{{{}}}", ids.join(","))
        }
    }

    fn literal(&self, literal: Literal) -> String {
        match literal {
            Literal::Bool(value) => value.to_string(),
            Literal::Int(value) => value.to_string(),
            Literal::Float(value) => format!("{value:?}"),
            Literal::Str(text) => format!("{:?}", self.name(text)),
            Literal::Bytes => "bytes".to_owned(),
            Literal::Char => "char".to_owned(),
            Literal::None => "None".to_owned(),
            Literal::Other => "literal".to_owned(),
        }
    }

    fn path(&self, id: PathId) -> String {
        let path = self.facts.path(id);
        let separator = if self.facts.language == Language::Rust {
            "::"
        } else {
            "."
        };
        let segments: Vec<String> = self
            .facts
            .path_segments(id)
            .iter()
            .map(|segment| {
                let arguments = self.type_list(segment.arguments, ", ");
                let name = self.name(segment.name);
                if arguments.is_empty() {
                    name
                } else {
                    format!("{name}<{arguments}>")
                }
            })
            .collect();
        let global = if path.global { "::" } else { "" };
        let qualified = path.qualified_self.map_or_else(String::new, |type_| {
            format!(
                "<{} as {} segments>",
                self.type_(type_),
                path.trait_segments
            )
        });
        format!("{qualified}{global}{}", segments.join(separator))
    }

    fn optional_type(&self, type_: Option<TypeExprId>) -> String {
        type_.map_or_else(|| "_".to_owned(), |type_| self.type_(type_))
    }

    fn type_list(&self, run: Run, separator: &str) -> String {
        self.facts
            .type_list(run)
            .iter()
            .map(|id| self.type_(*id))
            .collect::<Vec<_>>()
            .join(separator)
    }

    fn type_(&self, id: TypeExprId) -> String {
        match self.facts.type_expr(id).kind {
            TypeExprKind::Path(path) => self.path(path),
            TypeExprKind::Subscript { base, arguments } => {
                format!("{}[{}]", self.type_(base), self.type_list(arguments, ", "))
            }
            TypeExprKind::Reference(type_) => format!("&{}", self.type_(type_)),
            TypeExprKind::Tuple(run) => format!("({})", self.type_list(run, ", ")),
            TypeExprKind::Slice(type_) => format!("[{}]", self.type_(type_)),
            TypeExprKind::Function {
                parameters,
                returns,
            } => {
                format!(
                    "fn({}) -> {}",
                    self.type_list(parameters, ", "),
                    self.optional_type(returns)
                )
            }
            TypeExprKind::Impl(run) => format!("impl {}", self.type_list(run, " + ")),
            TypeExprKind::Dyn(run) => format!("dyn {}", self.type_list(run, " + ")),
            TypeExprKind::Union(run) => format!("({})", self.type_list(run, " | ")),
            TypeExprKind::Associated { name, type_ } => {
                format!("{} = {}", self.name(name), self.type_(type_))
            }
            TypeExprKind::Literal(literal) => self.literal(literal),
            TypeExprKind::Unknown => "_".to_owned(),
            TypeExprKind::Never => "!".to_owned(),
        }
    }

    fn name(&self, name: Name) -> String {
        self.facts.text(name).to_owned()
    }
}

fn scope(id: ScopeId) -> String {
    format!("s{}", id.0)
}
