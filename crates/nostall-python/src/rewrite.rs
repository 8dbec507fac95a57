//! Calls rewritten: run off the executor, or as their async twins. What comes out is an expression to be read and pasted.

mod line;

use nostall_catalog::RuntimeEntry;
use nostall_model::Span;
use nostall_model::facts::{
    ArgumentKind, Call, CallKind, Callee, ExprKind, FileFacts, ImportKind, ParameterKind, ScopeId,
    Sink,
};
use nostall_model::finding::{Code, Offload};
use nostall_model::program::Site;

use line::one_line;

/// Longer code is not shown: nobody reads it in a message.
const LONGEST: usize = 160;

/// Rewrites a call so that it runs off the executor. `awaits` says whether the code around can await. None where no single
/// expression says it.
#[must_use]
pub fn offload(site: &Site<'_>, runtime: &RuntimeEntry, awaits: bool) -> Option<Offload> {
    let call = site.facts.call(site.call);
    let template = match (awaits, &runtime.start) {
        (true, _) => runtime.offload.clone(),
        (false, start) => start.clone()?,
    };
    let template = match &runtime.through {
        Some(name) => template.replace("{through}", &through(site, call, name)?),
        None => template,
    };
    let work = work(site, call, Keywords::of(runtime, awaits))?;
    let expression = if template.contains("{function}") {
        template
            .replace("{function}", &work.function)
            .replace("{arguments}", &work.arguments)
    } else {
        template.replace("{work}", &work.together())
    };
    let expression = in_place(site, call, expression);
    let short = expression.chars().count() <= LONGEST;
    short.then(|| Offload {
        code: code(site, runtime.import.iter().chain(&work.import), expression),
        borrowed: Vec::new(),
        unclonable: false,
        awaits,
        features: Vec::new(),
    })
}

/// Puts an async function in the place of a called one that takes the same and gives the same.
#[must_use]
pub fn twin(site: &Site<'_>, path: &str) -> Option<Code> {
    let call = site.facts.call(site.call);
    if call.kind != CallKind::Plain {
        return None;
    }
    let arguments = arguments(site, call)?;
    let expression = in_place(site, call, format!("await {path}({arguments})"));
    let short = expression.chars().count() <= LONGEST;
    let module = path
        .rsplit_once('.')
        .map(|(module, _)| format!("import {module}"));
    short.then(|| code(site, module.iter(), expression))
}

/// Rewrites a call that runs a coroutine to its end: `asyncio.run(main())` is `await main()`.
#[must_use]
pub fn awaited(site: &Site<'_>) -> Option<Code> {
    let call = site.facts.call(site.call);
    let [coroutine] = site.facts.call_arguments(site.call) else {
        return None;
    };
    let span = site.facts.expr(coroutine.value).span;
    let text = one_line(site.text.get(span.range())?)?;
    let expression = in_place(site, call, format!("await {text}"));
    (expression.chars().count() <= LONGEST).then(|| Code::of(expression, call.span))
}

/// Puts brackets around an expression where something is done with the call's value at once: `(await load()).strip()`.
fn in_place(site: &Site<'_>, call: &Call, expression: String) -> String {
    let after = site.text.get(call.span.end as usize..).unwrap_or_default();
    let goes_on = after
        .trim_start_matches([' ', '\t'])
        .starts_with(['.', '[', '('])
        || after.trim_start().starts_with('.');
    // `await await f()` is no Python.
    let goes_on = goes_on || call.sink == Sink::Awaited;
    if goes_on && !matches!(call.kind, CallKind::Iterate) {
        format!("({expression})")
    } else {
        expression
    }
}

/// Makes code that takes the call's place, and names the imports whose names are not bound there.
fn code<'i>(
    site: &Site<'_>,
    imports: impl Iterator<Item = &'i String>,
    expression: String,
) -> Code {
    let lacking = imports.filter(|import| !is_imported(site, import));
    let lacking: Vec<&str> = lacking.map(String::as_str).collect();
    Code {
        import: (!lacking.is_empty()).then(|| lacking.join("; ")),
        before: Vec::new(),
        expression,
        replaces: Some(site.facts.call(site.call).span),
    }
}

/// Says whether an import, or one that binds the same, is seen from the call: `import a.b` or `from a import b`.
fn is_imported(site: &Site<'_>, import: &str) -> bool {
    let facts = site.facts;
    let own = facts.body(facts.call(site.call).body).scope;
    let around = |scope: ScopeId| facts.scopes[scope.index()].parent;
    let scopes: Vec<ScopeId> = std::iter::successors(Some(own), |scope| around(*scope)).collect();
    let mut seen = facts
        .imports
        .iter()
        .filter(|own| own.level == 0 && scopes.contains(&own.scope));
    if let Some(module) = import.strip_prefix("import ") {
        return seen.any(|own| {
            let path = facts.path_text(own.path, ".");
            let below = path.strip_prefix(module);
            let is_it = below.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
            match own.kind {
                ImportKind::Root(_) => is_it,
                ImportKind::Named(name) => path == module && facts.text(name) == module,
                ImportKind::Glob | ImportKind::Anonymous => false,
            }
        });
    }
    let words = import.strip_prefix("from ");
    words
        .and_then(|words| words.split_once(" import "))
        .is_some_and(|(module, name)| {
            seen.any(|own| {
                matches!(own.kind, ImportKind::Named(bound) if facts.text(bound) == name)
                    && facts.path_text(own.path, ".") == format!("{module}.{name}")
            })
        })
}

/// What another thread runs: a function, and what it is given.
struct Work {
    function: String,
    arguments: String,
    /// What its own names need.
    import: Option<String>,
}

/// What becomes of keyword arguments.
#[derive(Clone, Copy)]
enum Keywords<'a> {
    /// They reach the function.
    HandedOn,
    /// This binds them to the function.
    BoundBy(&'a str),
    /// Neither.
    Lost,
}

impl<'a> Keywords<'a> {
    fn of(runtime: &'a RuntimeEntry, awaits: bool) -> Self {
        match &runtime.partial {
            _ if !awaits => Self::Lost,
            _ if runtime.keywords => Self::HandedOn,
            Some(partial) => Self::BoundBy(partial),
            None => Self::Lost,
        }
    }
}

impl Work {
    fn together(&self) -> String {
        if self.arguments.is_empty() {
            return self.function.clone();
        }
        format!("{}, {}", self.function, self.arguments)
    }

    /// A function without arguments.
    fn bound_by(self, partial: &str) -> Self {
        let module = partial.rsplit_once('.').map(|(module, _)| module);
        Self {
            function: format!("{partial}({})", self.together()),
            arguments: String::new(),
            import: module.map(|module| format!("import {module}")),
        }
    }

    /// A function that evaluates an expression. What awaits, gives a value to a variable, or asks the function that it stands in
    /// for its class, means something else in there.
    fn evaluating(asked: Asked) -> Option<Self> {
        let words = ["await", "yield"];
        let expression = asked.expression;
        let named = expression.contains(":=") || expression.contains("super()");
        let awaits = expression
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .any(|word| words.contains(&word));
        let parameter = if asked.answer.is_some() {
            " answer"
        } else {
            ""
        };
        (!named && !awaits).then(|| Self {
            function: format!("lambda{parameter}: {expression}"),
            arguments: asked.answer.unwrap_or_default(),
            import: None,
        })
    }
}

/// A call as an expression, with what its own thread alone can answer apart: that is asked before, and handed over as `answer`.
struct Asked {
    expression: String,
    answer: Option<String>,
}

impl Asked {
    /// None where the call asks several things, or calls something `answer` itself.
    fn of(site: &Site<'_>, call: &Call) -> Option<Self> {
        let text = |start: u32, end: u32| site.text.get(start as usize..end as usize);
        let Some(first) = site.own_thread.first() else {
            return Some(Self {
                expression: one_line(text(call.span.start, call.span.end)?)?,
                answer: None,
            });
        };
        let spans = site.own_thread.iter().map(|id| site.facts.call(*id).span);
        let around = spans.fold(site.facts.call(*first).span, Span::to);
        let is_one = site
            .own_thread
            .iter()
            .any(|id| site.facts.call(*id).span == around);
        let before = text(call.span.start, around.start)?;
        let after = text(around.end, call.span.end)?;
        let taken = before.contains("answer") || after.contains("answer");
        if !is_one || taken {
            return None;
        }
        Some(Self {
            expression: one_line(&format!("{before}answer{after}"))?,
            answer: Some(one_line(text(around.start, around.end)?)?),
        })
    }

    /// What a function of the language makes of it: all that an iteration over it gives, whether it counts as true.
    fn through(self, function: &str) -> Self {
        Self {
            expression: format!("{function}({})", self.expression),
            ..self
        }
    }
}

fn work(site: &Site<'_>, call: &Call, keywords: Keywords<'_>) -> Option<Work> {
    // What a decorator does belongs to the function below it.
    if site.text.get(call.span.start as usize..)?.starts_with('@') {
        return None;
    }
    let evaluated = || Work::evaluating(Asked::of(site, call)?);
    match call.kind {
        // Handing over a generator would still run its code on the loop.
        CallKind::Iterate => Work::evaluating(Asked::of(site, call)?.through("list")),
        CallKind::Truth => Work::evaluating(Asked::of(site, call)?.through("bool")),
        _ if site.lazy => Work::evaluating(Asked::of(site, call)?.through("list")),
        // What blocks in the call's parts moves with it where it can.
        CallKind::Plain if !site.blocking.is_empty() => {
            evaluated().or_else(|| function_and_arguments(site, call, keywords))
        }
        CallKind::Plain => function_and_arguments(site, call, keywords).or_else(evaluated),
        CallKind::Attribute | CallKind::Index | CallKind::Operator | CallKind::Format => {
            evaluated()
        }
        CallKind::Accessor
        | CallKind::Enter
        | CallKind::Exit
        | CallKind::Convert
        | CallKind::Drop
        | CallKind::Macro => None,
    }
}

/// `load, path, mode="r"` of `load(path, mode="r")`. The callee is made where the call stands.
fn function_and_arguments(site: &Site<'_>, call: &Call, keywords: Keywords<'_>) -> Option<Work> {
    let own = &site.facts.arguments[call.arguments.range()];
    let named = |kind| matches!(kind, ArgumentKind::Keyword | ArgumentKind::SpreadKeywords);
    let has_named = own.iter().any(|argument| named(argument.kind));
    let callee = site
        .text
        .get(call.span.start as usize..call.name_span.end as usize)?;
    let work = Work {
        function: one_line(callee)?,
        arguments: arguments(site, call)?,
        import: None,
    };
    match keywords {
        Keywords::Lost if has_named => None,
        Keywords::BoundBy(partial) if has_named => Some(work.bound_by(partial)),
        _ => Some(work),
    }
}

/// The text between the brackets of a call. A generator without brackets of its own could not stand beside another argument.
fn arguments(site: &Site<'_>, call: &Call) -> Option<String> {
    let text = site
        .text
        .get(call.name_span.end as usize..call.span.end as usize)?;
    let text = one_line(text)?;
    let inner = text.trim().strip_prefix('(')?.strip_suffix(')')?;
    let own = &site.facts.arguments[call.arguments.range()];
    let bare_generator = own.iter().any(|argument| {
        let span = site.facts.expr(argument.value).span;
        let first = site.text.as_bytes().get(span.start as usize);
        let is_generator = matches!(site.facts.expr(argument.value).kind, ExprKind::Callable(_));
        is_generator
            && inner.contains(" for ")
            && first != Some(&b'(')
            && first != Some(&b'[')
            && first != Some(&b'{')
    });
    (!bare_generator).then(|| inner.trim().to_owned())
}

/// A name that a runtime's expressions need: a variable of the code around, else an attribute of its `self`.
fn through(site: &Site<'_>, call: &Call, name: &str) -> Option<String> {
    let facts = site.facts;
    let mut around = Some(call.body);
    while let Some(id) = around {
        let has = |wanted: &str| {
            facts
                .bindings
                .iter()
                .any(|binding| binding.body == id && facts.text(binding.name) == wanted)
        };
        if has(name) {
            return Some(name.to_owned());
        }
        let receiver = facts
            .body_parameters(id)
            .first()
            .filter(|first| first.kind == ParameterKind::Receiver);
        if let Some(receiver) = receiver {
            let own = facts.text(facts.bindings[receiver.binding.index()].name);
            let attribute = format!("{own}.{name}");
            return has_attribute(facts, name).then_some(attribute);
        }
        around = facts.body(id).parent;
    }
    None
}

/// Says whether a file speaks of an attribute of this name.
fn has_attribute(facts: &FileFacts, name: &str) -> bool {
    let own = facts.exprs.iter().any(|expr| matches!(expr.kind, ExprKind::Attribute { name: own, .. } if facts.text(own) == name));
    own || facts.calls.iter().any(|call| matches!(call.callee, Callee::Method { receiver, .. } if matches!(facts.expr(receiver).kind, ExprKind::Attribute { name: own, .. } if facts.text(own) == name)))
}
