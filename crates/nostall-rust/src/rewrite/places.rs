//! What a call uses of the code around it, made ready for another thread.

use nostall_model::Span;
use nostall_model::facts::{
    BindingId, Call, CallKind, ExprId, ExprKind, FileFacts, ParameterKind, RegionKind,
};
use nostall_model::program::{Captured, Obstacle, Ownership, Site};

use super::compact::compact;

/// A call's text with what it uses renamed to values of its own.
pub(super) struct Handed {
    pub(super) text: String,
    /// The statements that make those values.
    pub(super) before: Vec<String>,
    /// What cannot be made a value here, as written.
    pub(super) borrowed: Vec<String>,
    /// Whether some of that is known to have no `clone`.
    pub(super) unclonable: bool,
}

/// Methods of the standard library that make a value of its own of a reference, as they are called.
const MAKE_OWN: [&str; 6] = [
    ".clone()",
    ".to_owned()",
    ".to_string()",
    ".to_vec()",
    ".to_path_buf()",
    ".to_os_string()",
];

/// How a call uses a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Used {
    /// A method is called on it, or a part of it is taken.
    Object,
    /// `&value`.
    Referred,
    /// `&mut value`, or a method is called on it that may change it.
    Changed,
    /// It is given away.
    Given,
}

/// Makes all that a call uses ready.
pub(super) fn handed(site: &Site<'_>, call: &Call) -> Result<Handed, Obstacle> {
    let span = text_span(call);
    let mut whole = Handed {
        text: String::new(),
        before: Vec::new(),
        borrowed: Vec::new(),
        unclonable: false,
    };
    let mut end = span.start;
    for captured in site.captured.iter().filter(|own| own.value != call.expr) {
        let place = site.facts.expr(captured.value).span;
        if place.start < end || place.end > span.end {
            continue;
        }
        let cx = Place::new(site, call, captured.value)?;
        let own = cx.made_own(span.end);
        let own = own.filter(|_| captured.ownership != Ownership::Bound);
        let name = match own {
            Some(makes) => cx.bind(makes, &mut whole),
            None => cx.hand_over(captured, &mut whole)?,
        };
        whole.text.push_str(slice(site, end, place.start)?);
        whole.text.push_str(&name);
        end = place.end + own.map_or(0, |makes| makes.len() as u32);
    }
    whole.text.push_str(slice(site, end, span.end)?);
    Ok(whole)
}

/// What is taken over of the source: of a drop the variable, of anything else all of it.
fn text_span(call: &Call) -> Span {
    match call.kind {
        CallKind::Drop => call.name_span,
        _ => call.span,
    }
}

fn slice<'a>(site: &Site<'a>, start: u32, end: u32) -> Result<&'a str, Obstacle> {
    site.text
        .get(start as usize..end as usize)
        .ok_or(Obstacle::Form)
}

/// A variable, or a field of one, that a call uses.
struct Place<'a> {
    site: &'a Site<'a>,
    call: &'a Call,
    span: Span,
    text: &'a str,
    root: BindingId,
    is_field: bool,
}

impl<'a> Place<'a> {
    fn new(site: &'a Site<'a>, call: &'a Call, value: ExprId) -> Result<Self, Obstacle> {
        let span = site.facts.expr(value).span;
        Ok(Self {
            site,
            call,
            span,
            text: slice(site, span.start, span.end)?,
            root: root(site.facts, value).ok_or(Obstacle::Form)?,
            is_field: matches!(site.facts.expr(value).kind, ExprKind::Attribute { .. }),
        })
    }

    /// Adds the statement that makes a value of its own, and returns what stands for it in the call.
    fn hand_over(&self, captured: &Captured, whole: &mut Handed) -> Result<String, Obstacle> {
        let ownership = captured.ownership;
        let used = self.used(captured.changed);
        let is_reference = matches!(ownership, Ownership::Borrowed { .. });
        let ownership = match ownership {
            // What the call is given of somebody else's field copies itself, or it could not be given.
            Ownership::Unknown if self.is_field && used == Used::Given && self.is_copied() => {
                Ownership::Copied
            }
            // A field, and what a method of a reference to it is called on, are lent, whatever they are.
            Ownership::Owned { clones } if self.is_lent() => Ownership::Borrowed { clones },
            other => other,
        };
        match ownership {
            Ownership::Bound => Err(self.stays()),
            Ownership::Tied => Err(Obstacle::Form),
            Ownership::Copied if self.is_field => Ok(self.bind("", whole)),
            Ownership::Copied => Ok(self.text.to_owned()),
            // What the call changes is wanted back.
            _ if used == Used::Changed && self.is_lent() => {
                Err(Obstacle::Shared(self.text.to_owned()))
            }
            _ if used == Used::Changed && self.is_used_later() => {
                Err(Obstacle::Changes(self.text.to_owned()))
            }
            Ownership::Borrowed { .. } if used == Used::Changed => {
                Err(Obstacle::Changes(self.text.to_owned()))
            }
            Ownership::Owned { .. } if !self.is_used_later() => Ok(self.text.to_owned()),
            Ownership::Owned { clones: true } if used == Used::Given => Ok(self.text.to_owned()),
            Ownership::Owned { clones: true } => Ok(self.bind(".clone()", whole)),
            Ownership::Owned { clones: false } => Err(Obstacle::Changes(self.text.to_owned())),
            Ownership::Borrowed { clones: true } => {
                let by_reference = is_reference || self.is_self();
                let makes = if is_reference && !self.is_self() {
                    ".to_owned()"
                } else {
                    ".clone()"
                };
                let name = self.bind(makes, whole);
                Ok(if used == Used::Given && by_reference {
                    format!("&{name}")
                } else {
                    name
                })
            }
            // Nobody can own what only has a reference to itself.
            Ownership::Borrowed { clones: false } if self.is_self() => Err(Obstacle::Itself),
            Ownership::Borrowed { clones: false } | Ownership::Unknown => {
                if ownership == Ownership::Unknown
                    && !self.is_field
                    && !self.is_self()
                    && !self.is_used_later()
                {
                    return Ok(self.text.to_owned());
                }
                whole.unclonable |= ownership != Ownership::Unknown;
                let text = self.text.to_owned();
                if !whole.borrowed.contains(&text) {
                    whole.borrowed.push(text.clone());
                }
                // What takes a reference still does once the value is owned.
                Ok(if is_reference && used == Used::Given && !self.is_field {
                    format!("&{text}")
                } else {
                    text
                })
            }
        }
    }

    /// `let store = self.store.clone();`, once for each name.
    fn bind(&self, makes: &str, whole: &mut Handed) -> String {
        let last = self.text.rsplit('.').next().unwrap_or(self.text).trim();
        let name = match last {
            "self" => "this",
            number if number.starts_with(|c: char| c.is_ascii_digit()) => "value",
            name => name,
        };
        // `file.file` may not hide `file`: other parts of it may be needed.
        let root = &self.site.facts.bindings[self.root.index()];
        let hides = self.is_field && self.site.facts.text(root.name) == name;
        let own = format!("own_{name}");
        let name = if hides { own.as_str() } else { name };
        let taken = |statement: &String| statement.starts_with(&format!("let {name} = "));
        let place = compact(self.text).unwrap_or_else(|| self.text.to_owned());
        let statement = format!("let {name} = {place}{makes};");
        match whole.before.iter().find(|known| taken(known)) {
            Some(known) if *known != statement => {
                let name = format!("own_{name}");
                whole.before.push(format!("let {name} = {place}{makes};"));
                return name;
            }
            Some(_) => {}
            None => whole.before.push(statement),
        }
        name.to_owned()
    }

    /// The call of a method that makes a value of its own, where one follows: `name.clone()`.
    fn made_own(&self, end: u32) -> Option<&'static str> {
        let after = self.site.text.get(self.span.end as usize..end as usize)?;
        MAKE_OWN.into_iter().find(|makes| after.starts_with(makes))
    }

    fn stays(&self) -> Obstacle {
        Obstacle::Stays(self.text.to_owned())
    }

    fn used(&self, changed: bool) -> Used {
        let before = self.site.text.get(..self.span.start as usize);
        let before = before.unwrap_or_default().trim_end();
        let after = self.site.text.get(self.span.end as usize..);
        let after = after.unwrap_or_default().trim_start();
        let is_object = after.starts_with(['.', '[', '?']);
        // What may be changed and is used later would be changed in a copy.
        let may_change = is_object && !self.is_field && !self.is_self() && self.is_mutable();
        if before.ends_with("&mut") || changed || may_change {
            Used::Changed
        } else if before.ends_with('&') && !before.ends_with("&&") {
            Used::Referred
        } else if is_object {
            Used::Object
        } else {
            Used::Given
        }
    }

    fn is_mutable(&self) -> bool {
        self.site.facts.bindings[self.root.index()].mutable
    }

    fn is_self(&self) -> bool {
        self.text == "self"
    }

    /// Whether it belongs to somebody else: a field, or `self` behind a reference.
    fn is_lent(&self) -> bool {
        self.is_field || self.is_self() && self.is_self_by_reference()
    }

    /// Whether a part that is given away must be a copy: its owner is used later, or is somebody else's.
    fn is_copied(&self) -> bool {
        let binding = self.site.facts.bindings[self.root.index()];
        let is_self = self.site.facts.text(binding.name) == "self";
        is_self && self.is_self_by_reference() || self.is_used_later()
    }

    fn is_self_by_reference(&self) -> bool {
        let binding = self.site.facts.bindings[self.root.index()];
        let parameters = self.site.facts.body_parameters(binding.body);
        let receiver = parameters.first();
        let is_receiver = receiver.is_some_and(|it| it.kind == ParameterKind::Receiver);
        let before = self.site.text.get(..binding.span.start as usize);
        let before = before.unwrap_or_default().trim_end();
        let before = before.strip_suffix("mut").unwrap_or(before).trim_end();
        // `&'a self`: the lifetime is the last word.
        let before = before
            .rsplit_once('\'')
            .filter(|(_, name)| name.chars().all(|c| c.is_alphanumeric() || c == '_'))
            .map_or(before, |(rest, _)| rest.trim_end());
        is_receiver && before.ends_with('&')
    }

    /// Whether the variable is used after the call, or in its next round.
    fn is_used_later(&self) -> bool {
        let facts = self.site.facts;
        let after = self.call.span.end;
        let uses = facts.exprs.iter().any(|expr| {
            matches!(expr.kind, ExprKind::Use { binding, .. } if binding == self.root)
                && expr.span.start >= after
        });
        let declared = facts.bindings[self.root.index()].span;
        let in_round = facts.regions_outwards(self.call.region).any(|region| {
            let region = &facts.regions[region.index()];
            let outside = declared.start < region.span.start || region.span.end < declared.end;
            region.kind == RegionKind::Loop && outside
        });
        uses || in_round
    }
}

/// The variable that a place begins with.
fn root(facts: &FileFacts, value: ExprId) -> Option<BindingId> {
    match facts.expr(value).kind {
        ExprKind::Use { binding, .. } => Some(binding),
        ExprKind::Attribute { base, .. } => root(facts, base),
        _ => None,
    }
}
