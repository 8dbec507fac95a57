//! Calls rewritten: run off the executor, or as their async twins. What comes out is code to be read and pasted: it parses, and
//! where nothing is said to be borrowed it takes the call's place.

mod compact;
mod places;

use nostall_catalog::RuntimeEntry;
use nostall_model::facts::{Call, CallKind, Callee};
use nostall_model::finding::{Code, Offload};
use nostall_model::program::{Obstacle, Ownership, Site};

use compact::compact;
use places::{Handed, handed};

/// Longer code is not shown: nobody reads it in a message.
const LONGEST: usize = 160;

/// Rewrites a call so that it runs off the executor. `awaits` says whether the code around can await.
///
/// # Errors
/// What stands in the way of one expression.
pub fn offload(site: &Site<'_>, runtime: &RuntimeEntry, awaits: bool) -> Result<Offload, Obstacle> {
    let call = site.facts.call(site.call);
    let gives_back = site.captured.iter().find(|own| own.value == call.expr);
    if gives_back.is_some_and(|own| {
        matches!(
            own.ownership,
            Ownership::Borrowed { .. } | Ownership::Tied | Ownership::Bound
        )
    }) {
        let receiver = bound_receiver(site, call).filter(|text| is_place(text));
        return Err(receiver.map_or(Obstacle::Form, Obstacle::Stays));
    }
    let template = match (awaits, &runtime.start) {
        (true, _) => &runtime.offload,
        (false, Some(start)) => start,
        (false, None) => return Err(Obstacle::Form),
    };
    let Handed {
        text,
        before,
        borrowed,
        unclonable,
    } = handed(site, call)?;
    let work = compact(&work(call, &text, site.lazy)).ok_or(Obstacle::Form)?;
    // A list takes an iterator's place once it is iterated over.
    let iterates = match call.kind {
        CallKind::Drop | CallKind::Iterate => "",
        _ if site.lazy && awaits => ".into_iter()",
        _ => "",
    };
    let code = Code {
        import: None,
        before,
        expression: template.replace("{work}", &format!("move || {work}")) + iterates,
        replaces: (call.kind != CallKind::Drop).then_some(call.span),
    };
    if code.text().chars().count() > LONGEST {
        return Err(Obstacle::Form);
    }
    Ok(Offload {
        code,
        borrowed,
        unclonable,
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
    let arguments = site
        .text
        .get(call.name_span.end as usize..call.span.end as usize)?;
    // `read::<T>(..)`: the type arguments may be none of the twin's.
    let arguments = compact(arguments).filter(|text| text.starts_with('('))?;
    let code = format!("{path}{arguments}.await");
    (code.chars().count() <= LONGEST).then(|| Code::of(code, call.span))
}

/// Rewrites a call that runs a future to its end: `block_on(future)` is `future.await`.
#[must_use]
pub fn awaited(site: &Site<'_>) -> Option<Code> {
    let call = site.facts.call(site.call);
    let arguments = site.facts.call_arguments(site.call);
    let [future] = arguments else { return None };
    let span = site.facts.expr(future.value).span;
    let text = compact(site.text.get(span.range())?)?;
    let code = format!("{text}.await");
    (code.chars().count() <= LONGEST).then(|| Code::of(code, call.span))
}

/// The expression that the other thread evaluates.
fn work(call: &Call, text: &str, lazy: bool) -> String {
    match call.kind {
        CallKind::Drop => format!("drop({text})"),
        CallKind::Iterate => format!("{text}.into_iter().collect::<Vec<_>>()"),
        _ if lazy => format!("{text}.collect::<Vec<_>>()"),
        _ => text.to_owned(),
    }
}

/// Says whether a text is a variable or a field of one.
fn is_place(text: &str) -> bool {
    let is_name = |name: &str| name.chars().all(|c| c.is_alphanumeric() || c == '_');
    text.starts_with(|c: char| c.is_lowercase() || c == '_') && text.split('.').all(is_name)
}

/// The text of what a method is called on, where that stays on its thread.
fn bound_receiver(site: &Site<'_>, call: &Call) -> Option<String> {
    let Callee::Method { receiver, .. } = call.callee else {
        return None;
    };
    let mut captured = site.captured.iter();
    captured.find(|own| own.value == receiver && own.ownership == Ownership::Bound)?;
    let span = site.facts.expr(receiver).span;
    compact(site.text.get(span.range())?)
}
