//! What to do instead of a call that blocks, in this project: which kind of advice fits. The code in it is the language's.

mod elsewhere;
mod parts;
mod shared;

use std::borrow::Cow;

use nostall_catalog::{Api, ApiId, Catalog, Guards, RuntimeEntry, Thread, TypeEntry, TypeKind};
use nostall_model::facts::{
    BindingId, BodyId, BodyKind, CallId, CallKind, Callee, Event, ExprKind, FileFacts, Flavour,
    RegionId, Sink,
};
use nostall_model::finding::{Advice, Block, Entry, Feature, Form, Offload, Replacement, Twin};
use nostall_model::program::{
    Guard, Keeper, Obstacle, ProgramBody, ProgramCall, RuntimeId, Site, TargetKind,
};
use nostall_model::{Category, Language, Span, Waits};

use crate::languages::{FrontEnd, front_end};
use crate::rules::Writer;
use crate::sinks::awaits;
use crate::summary::Effect;

use parts::Parts;

/// Advises about a call that leads to what blocks.
pub(crate) fn of_call(
    writer: &Writer<'_>,
    body: ProgramBody,
    call: ProgramCall,
    effect: Effect,
) -> Option<Replacement> {
    let parts = Parts::of(writer, body, call);
    let cx = Cx::new(writer, body, call, effect, &parts);
    let mut choices = cx.choices();
    let moves = |choice: &Replacement| {
        matches!(
            choice,
            Replacement::Offload(_) | Replacement::OffloadBlock { .. }
        )
    };
    let needs_lock = choices.iter().any(moves) && cx.changes_shared_state();
    let advice = match choices.len() {
        0 => None,
        1 => choices.pop(),
        _ => Some(Replacement::Choice(choices)),
    };
    let given = cx
        .given_callable()
        .filter(|_| advice.as_ref().is_some_and(moves));
    let inner = advice.map(Box::new)?;
    Some(match given {
        _ if needs_lock => Replacement::Guarded(inner),
        Some(given) => Replacement::IfFree { inner, given },
        None => *inner,
    })
}

/// More libraries than these are no advice but a list.
const MOST_LIBRARIES: usize = 2;

/// How code can wait.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Waiting {
    /// It awaits.
    Awaits,
    /// An executor calls it again and again.
    Polled,
    /// It is called by async code, and cannot await itself.
    Inside,
    /// The executor calls it, and nobody waits for what it gives.
    Alone,
}

struct Cx<'a> {
    writer: &'a Writer<'a>,
    catalog: &'a Catalog,
    body: ProgramBody,
    effect: Effect,
    id: ApiId,
    api: &'a Api,
    direct: bool,
    site: Site<'a>,
    language: &'static dyn FrontEnd,
    runtime: Option<RuntimeId>,
}

impl<'a> Cx<'a> {
    fn new(
        writer: &'a Writer<'a>,
        body: ProgramBody,
        call: ProgramCall,
        effect: Effect,
        parts: &'a Parts,
    ) -> Self {
        let program = writer.program;
        let id = ApiId(writer.summaries.sink(effect.sink).api);
        let (facts, record) = program.call(call);
        let file = program.file_of_call(call);
        let api = writer.catalog.api(id);
        // An api that is handed over as a value is not what stands here.
        let calls_it =
            |target: &nostall_model::program::Target| target.kind == TargetKind::Api(id.0);
        let direct = effect.next.is_none() && program.targets(call).iter().any(calls_it);
        let is_generator = |target: &nostall_model::program::Target| matches!(target.kind, TargetKind::Body(body) if program.body(body).flavour == Flavour::Generator);
        let makes_generator = program.targets(call).iter().any(is_generator)
            && !matches!(record.kind, CallKind::Iterate);
        Self {
            writer,
            catalog: writer.catalog,
            body,
            effect,
            id,
            api,
            direct,
            site: Site {
                text: &program.sources.get(file).text,
                facts,
                call: program.file_call(call),
                captured: program.captured(call),
                lazy: direct && api.lazy || makes_generator,
                blocking: &parts.blocking,
                own_thread: &parts.own_thread,
            },
            language: front_end(facts.language),
            runtime: program.resolved(body).runtime,
        }
    }

    /// All that helps, the best first.
    fn choices(&self) -> Vec<Replacement> {
        let language = self.site.facts.language;
        let waiting = self.waiting();
        let short_lock =
            self.api.category == Some(Category::Lock) && self.api.waits == Some(Waits::Brief);
        if short_lock {
            return vec![Replacement::Words(Advice::ShortLock(language))];
        }
        if self.api.asks {
            return vec![Replacement::Words(Advice::AwaitSignal(language))];
        }
        if self.api.category == Some(Category::Runtime) {
            return self.instead_of_runtime(waiting);
        }
        match waiting {
            Waiting::Polled => return self.polled(),
            Waiting::Inside => return vec![self.around_the_closure()],
            Waiting::Alone if self.is_off_loop() => {
                return vec![Replacement::Words(Advice::Note)];
            }
            Waiting::Alone => return vec![self.away(false)],
            Waiting::Awaits => {}
        }
        if let (Some(name), Some(runtime)) = (self.guard(), self.runtime) {
            return vec![self.moved(&self.runtime_entry(runtime), Block::Locked(name))];
        }
        let mut choices = Vec::new();
        choices.extend(self.sync_endpoint());
        choices.extend(self.adjacent_calls());
        if let Some(twin) = self.twin() {
            // The calls beside this one are on the same handle: one of another library would be one for all of them.
            let of_handle = matches!(&twin, Replacement::Twin(twin) if twin.of_handle);
            if !of_handle || choices.is_empty() {
                choices.push(twin);
            }
            return choices;
        }
        choices.push(self.away(true));
        if !matches!(choices.as_slice(), [Replacement::SyncEndpoint { .. }, ..]) {
            choices.extend(self.other_libraries());
        }
        choices
    }

    /// A future is awaited where it is at hand; behind helpers, the helper has to become async.
    fn instead_of_runtime(&self, waiting: Waiting) -> Vec<Replacement> {
        if let Some(twin) = self.twin() {
            return vec![twin];
        }
        let code = (self.direct && waiting == Waiting::Awaits)
            .then(|| self.language.awaited(&self.site))
            .flatten();
        vec![match code {
            Some(code) => Replacement::Twin(Twin {
                path: "await".to_owned(),
                of_handle: false,
                library: None,
                code: Some(code),
                features: Vec::new(),
            }),
            None => match self.cannot_be_async(waiting) {
                Some((function, form)) => Replacement::AwaitElsewhere { function, form },
                None => Replacement::Words(Advice::AwaitFuture(self.site.facts.language)),
            },
        }]
    }

    /// A `poll` function polls the twin.
    fn polled(&self) -> Vec<Replacement> {
        let poll = self.api.instead.get("poll").filter(|_| self.direct);
        match poll {
            Some(path) => vec![Replacement::Twin(Twin {
                path: path.clone(),
                of_handle: false,
                library: None,
                code: None,
                features: self.lacking_features(path),
            })],
            None => vec![Replacement::Words(Advice::PollTwin)],
        }
    }

    /// A closure goes to another thread with the call that runs it.
    fn around_the_closure(&self) -> Replacement {
        let words = Replacement::Words(Advice::OutsideClosure);
        let program = self.writer.program;
        let (Some(parent), Some(runtime)) = (program.parent(self.body), self.runtime) else {
            return words;
        };
        let gives = |call: &&ProgramCall| {
            let mut passed = program.passed(**call).iter();
            passed.any(|it| matches!(it.target.kind, TargetKind::Body(body) if body == self.body))
        };
        let Some(around) = program.calls_of(parent).iter().find(gives) else {
            return words;
        };
        let (facts, record) = program.call(*around);
        let name = match record.callee {
            Callee::Method { name, .. } => facts.text(name).to_owned(),
            _ => self
                .site
                .text
                .get(record.name_span.range())
                .unwrap_or_default()
                .to_owned(),
        };
        self.moved(&self.runtime_entry(runtime), Block::Around(name))
    }

    /// Says whether what calls this code need not have a running loop on its thread.
    fn is_off_loop(&self) -> bool {
        let Some(Entry::Callback { api, .. }) = &self.writer.runs[self.body.index()].why else {
            return false;
        };
        let found = self.catalog.lookup(self.site.facts.language, api);
        found.is_some_and(|found| self.catalog.api(found.api).off_loop)
    }

    // ---- twins

    /// The api's own twin on this runtime, or in a library that the project has.
    fn twin(&self) -> Option<Replacement> {
        if !self.direct || self.is_handed_on() {
            return None;
        }
        let runtime = self.runtime?;
        let keys = self.catalog.runtime_keys(runtime);
        let mut at_hand = keys.iter().filter(|key| self.is_runtime_at_hand(key));
        let of_runtime = at_hand.find_map(|key| self.api.instead.get(*key));
        let path = of_runtime.or_else(|| {
            let mut libraries = self.libraries();
            libraries
                .find(|(key, _)| self.takes_its_place(key))
                .map(|(_, path)| path)
        })?;
        let same = self.gives_the_same(path);
        Some(Replacement::Twin(Twin {
            path: path.clone(),
            of_handle: self.is_method(path) && owner(path) != owner(&self.api.path),
            library: None,
            code: same.then(|| self.language.twin(&self.site, path)).flatten(),
            features: self.lacking_features(path),
        }))
    }

    /// Twins in libraries that this file does not have: never the first advice. Where the project uses some of them, those alone.
    fn other_libraries(&self) -> Vec<Replacement> {
        if !self.direct || self.is_handed_on() {
            return Vec::new();
        }
        let of_project: Vec<_> = self
            .libraries()
            .filter(|(key, _)| self.is_in_use(key))
            .collect();
        let kept_up = self
            .libraries()
            .filter(|(key, _)| !self.catalog.has_successor(key));
        let choices = match of_project.as_slice() {
            [] => kept_up.collect(),
            _ => of_project,
        };
        choices
            .into_iter()
            .take(MOST_LIBRARIES)
            .map(|(key, path)| {
                Replacement::Twin(Twin {
                    path: path.clone(),
                    of_handle: false,
                    library: Some(key.clone()),
                    code: None,
                    features: Vec::new(),
                })
            })
            .collect()
    }

    /// Says whether other code of the project uses a library.
    fn is_in_use(&self, key: &str) -> bool {
        let language = self.site.facts.language;
        let program = self.writer.program;
        program.uses_somewhere(language, &key.replace('-', "_"))
    }

    /// Says whether a library's twin is what to write here. A wildcard's is another way to do the same work, not the same call.
    /// Where a thread is no way out, another class of the call's own library is.
    fn takes_its_place(&self, key: &str) -> bool {
        if key == self.api.library {
            let same_thread = self.catalog.thread(self.id) == Some(Thread::Same);
            return same_thread || self.is_at_hand(key);
        }
        self.is_at_hand(key) && !self.api.path.ends_with('*')
    }

    /// Says whether the call gives a handle to other code at once, which could not use one of another kind:
    /// `json.load(open(path))`.
    fn is_handed_on(&self) -> bool {
        let record = self.site.facts.call(self.site.call);
        matches!(record.sink, Sink::Argument { .. }) && self.gives_handle()
    }

    fn libraries(&self) -> impl Iterator<Item = (&'a String, &'a String)> {
        let language = self.site.facts.language;
        let catalog = self.catalog;
        let is_runtime = move |key: &str| {
            key == "poll"
                || catalog
                    .runtimes(language)
                    .any(|(_, entry)| entry.key == key)
        };
        let all = self.api.instead.iter();
        all.filter(move |(key, _)| !is_runtime(key))
    }

    /// Says whether code can use a runtime: its own, the language's usual one, or one that the project has.
    fn is_runtime_at_hand(&self, key: &str) -> bool {
        let language = self.site.facts.language;
        let usual = self.catalog.usual_runtime(language);
        let mut all = self.catalog.runtimes(language);
        all.find(|(_, entry)| entry.key == key)
            .is_some_and(|(id, entry)| {
                let mut names = entry.shown_by.iter();
                Some(id) == self.runtime
                    || language == Language::Python && Some(id) == usual
                    || names.any(|name| self.has_library(name))
            })
    }

    /// Says whether code can use a library: the project depends on it, or imports it somewhere.
    fn is_at_hand(&self, key: &str) -> bool {
        self.has_library(&key.replace('-', "_"))
    }

    fn has_library(&self, name: &str) -> bool {
        let program = self.writer.program;
        program.uses_library(program.file(self.body), name)
    }

    /// Says whether a twin can stand where the api stands: a function of the same name that gives no handle, whose methods
    /// would differ.
    fn gives_the_same(&self, twin: &str) -> bool {
        let separator = |c: char| c == ':' || c == '.';
        let last = |path: &'a str| path.rsplit(separator).next();
        let same_name = last(&self.api.path).is_some_and(|name| twin.ends_with(name));
        same_name
            && !self.is_method(&self.api.path)
            && !self.is_method(twin)
            && !self.gives_handle()
    }

    fn gives_handle(&self) -> bool {
        let language = self.site.facts.language;
        let returns = self.api.returns.as_ref();
        returns.is_some_and(|returns| self.catalog.types_in(language, returns).any(is_handle))
    }

    /// Says whether a path names a method: what stands before its last name is a type.
    fn is_method(&self, path: &str) -> bool {
        let (_, record) = (self.site.facts, self.site.facts.call(self.site.call));
        let called_on = matches!(record.callee, Callee::Method { .. });
        let name = owner(path).rsplit([':', '.']).next().unwrap_or_default();
        name.starts_with(char::is_uppercase) && called_on
    }

    // ---- off the executor

    /// The runtime's own way to move the work away.
    fn away(&self, awaits: bool) -> Replacement {
        let Some(runtime) = self.runtime else {
            return Replacement::Words(Advice::OwnThread);
        };
        if self.calls_async_code() {
            return Replacement::Words(Advice::GivenBlocks);
        }
        let entry = self.runtime_entry(runtime);
        if let Some(part) = self.part(&entry) {
            return part;
        }
        let block = match self.bound_to_a_thread() {
            Some(block) => block,
            None => match self.offloaded(runtime, awaits) {
                Ok(offload) => return Replacement::Offload(offload),
                Err(obstacle) => self.block_around(obstacle),
            },
        };
        if awaits {
            self.moved(&entry, block)
        } else {
            started(&entry, block)
        }
    }

    /// Says whether the call makes a future: on another thread it would be made, and run here as before.
    fn calls_async_code(&self) -> bool {
        let program = self.writer.program;
        let call = program.call_in(self.body, self.site.call);
        let is_async = |target: &nostall_model::program::Target| matches!(target.kind, TargetKind::Body(body) if program.body(body).flavour == Flavour::Async);
        let mut targets = program.targets(call).iter();
        !self.direct
            && self.site.facts.call(self.site.call).sink == Sink::Awaited
            && targets.any(is_async)
    }

    /// What has to move together for the sake of the thread that the call runs on, or that its value has to stay on.
    fn bound_to_a_thread(&self) -> Option<Block> {
        match self.catalog.thread(self.id) {
            Some(Thread::Same) => return Some(self.bound_block()),
            Some(Thread::Own) if self.direct => return Some(Block::OwnThread),
            _ => {}
        }
        // What comes in a `Result` is no iterator yet.
        let in_result = |returns: &String| returns.contains("Result<");
        if self.site.lazy && self.api.returns.as_ref().is_some_and(in_result) {
            return Some(Block::Work);
        }
        self.makes_bound_handle().then_some(Block::Opened)
    }

    fn block_around(&self, obstacle: Obstacle) -> Block {
        match obstacle {
            Obstacle::Stays(handle) => Block::Handle(handle),
            Obstacle::Itself => Block::Itself,
            Obstacle::Shared(name) => Block::Shared(name),
            Obstacle::Changes(name) => Block::Back(name),
            Obstacle::Form => self.block(),
        }
    }

    /// The runtime's own ways, in the version of the language that the project is sure to have.
    fn runtime_entry(&self, id: RuntimeId) -> Cow<'a, RuntimeEntry> {
        let program = self.writer.program;
        let version = program.version_of(program.file(self.body));
        self.catalog.runtime(id).on_version(version)
    }

    /// The connection of a thread-bound library is opened, used and closed on one thread, and so is what it gives.
    fn bound_block(&self) -> Block {
        let handle = self.handle();
        match self.catalog.opener(self.id).filter(|_| self.direct) {
            Some(opener) => Block::HandleOf {
                handle,
                opened: opener.path.clone(),
            },
            // What an object keeps cannot be opened anew for each call.
            None => match handle {
                Some(handle) if self.is_kept(&handle) => Block::Kept(handle),
                handle => handle.map_or(Block::Work, Block::Handle),
            },
        }
    }

    /// Says whether a handle as written is an attribute of an object.
    fn is_kept(&self, handle: &str) -> bool {
        self.site.facts.language == Language::Python && handle.contains('.')
    }

    /// Says whether the api gives what has to stay on the thread that made it.
    fn makes_bound_handle(&self) -> bool {
        let language = self.site.facts.language;
        let returns = self.api.returns.iter().filter(|_| self.direct);
        returns
            .flat_map(|text| self.catalog.types_in(language, text))
            .any(|entry| entry.thread == Some(Thread::Same))
    }

    /// Asks the runtime, then those that it runs on: a framework's own way may need a name that is not in scope.
    fn offloaded(&self, first: RuntimeId, awaits: bool) -> Result<Offload, Obstacle> {
        let mut answer = Err(Obstacle::Form);
        let below = |id: &RuntimeId| self.catalog.runtime_below(*id);
        for runtime in std::iter::successors(Some(first), below).take(3) {
            let entry = self.runtime_entry(runtime);
            answer = self.language.offload(&self.site, &entry, awaits);
            if let Ok(offload) = &mut answer {
                offload.features = self.lacking_features(&entry.offloader);
                break;
            }
            if entry.through.is_none() {
                break;
            }
        }
        answer
    }

    /// A variable of the call that holds a lock of threads: neither goes to another thread, nor may it be held over an await.
    fn guard(&self) -> Option<String> {
        let facts = self.site.facts;
        let holds = |guard: &&Guard| {
            let entry = self.catalog.type_entry(facts.language, &guard.type_);
            entry.is_some_and(|entry| entry.guards == Some(Guards::Lock))
        };
        let guards = self
            .writer
            .program
            .guards_of(self.body)
            .iter()
            .filter(holds);
        let kept = guards.filter_map(|guard| match guard.keeper {
            Keeper::Variable(id) => Some(facts.definitions[id.index()].binding),
            Keeper::Temporary(_) | Keeper::Entered(_) => None,
        });
        let kept: Vec<BindingId> = kept.collect();
        let mut used = self.site.captured.iter().filter_map(|own| {
            let ExprKind::Use { binding, .. } = facts.expr(own.value).kind else {
                return None;
            };
            kept.contains(&binding).then_some(binding)
        });
        let binding = used.next()?;
        Some(facts.text(facts.bindings[binding.index()].name).to_owned())
    }

    fn moved(&self, entry: &RuntimeEntry, block: Block) -> Replacement {
        Replacement::OffloadBlock {
            offloader: entry.offloader.clone(),
            block,
            awaits: true,
            features: self.lacking_features(&entry.offloader),
        }
    }

    /// The features that a path needs, where the manifest is known not to ask for them.
    fn lacking_features(&self, path: &str) -> Vec<Feature> {
        let program = self.writer.program;
        let file = program.file(self.body);
        let needed = self
            .catalog
            .features_of(self.site.facts.language, path, self.api.category);
        let lacking = needed.filter(|needed| {
            let key = (needed.library.clone(), needed.name.clone());
            if self.writer.features.contains(&key) {
                return false;
            }
            let name = needed.library.replace('-', "_");
            program.features_of(file, &name).is_some_and(|asked| {
                let brings = std::iter::once(&needed.name).chain(&needed.implied_by);
                brings.into_iter().all(|feature| !asked.contains(feature))
            })
        });
        lacking
            .map(|needed| Feature {
                library: needed.library.clone(),
                name: needed.name.clone(),
            })
            .collect()
    }

    /// What a method is called on, if it has a short name.
    fn handle(&self) -> Option<String> {
        let facts = self.site.facts;
        let Callee::Method { receiver, .. } = facts.call(self.site.call).callee else {
            return None;
        };
        let text = self.site.text.get(facts.expr(receiver).span.range())?;
        let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '.';
        (self.direct && text.chars().all(is_name)).then(|| text.to_owned())
    }

    /// What a call that cannot move alone belongs to.
    fn block(&self) -> Block {
        match self.site.facts.call(self.site.call).kind {
            CallKind::Enter | CallKind::Exit => Block::With,
            _ => Block::Work,
        }
    }

    /// Calls to the file system one after the other go to another thread together: one by one each pays the way there.
    fn adjacent_calls(&self) -> Option<Replacement> {
        let is_fs = |api: &Api| api.category == Some(Category::Fs);
        // An iterator does its work later.
        if !self.direct || !is_fs(self.api) || self.api.lazy {
            return None;
        }
        let facts = self.site.facts;
        let events = facts.region_events(facts.call(self.site.call).region);
        let mut stretches = events.split(|event| match event {
            Event::Await(_) => true,
            Event::Region(inner) => awaits(facts, *inner) || self.has_bound_call(*inner),
            Event::Call(call) => self.is_bound(*call),
            _ => false,
        });
        let own = stretches.find(|stretch| stretch.contains(&Event::Call(self.site.call)))?;
        let program = self.writer.program;
        let mut spans: Vec<Span> = own
            .iter()
            .filter_map(|event| match event {
                Event::Call(call) => Some(*call),
                _ => None,
            })
            .filter(|call| {
                let effects = self
                    .writer
                    .summaries
                    .of_call(program.call_in(self.body, *call));
                effects.iter().any(|effect| {
                    let sink = self.writer.summaries.sink(effect.sink);
                    let api = self.catalog.api(ApiId(sink.api));
                    effect.hops == 0 && is_fs(api) && !api.lazy
                })
            })
            .map(|call| facts.call(call).name_span)
            .collect();
        spans.sort_unstable();
        spans.dedup();
        let (first, last) = (spans.first()?, spans.last()?);
        let file = program.file(self.body);
        let line = |span: &Span| program.sources.place(file, span.start).line;
        let (first, last) = (line(first), line(last));
        let entry = self.runtime_entry(self.runtime?);
        let moves = spans.len() > 1 && !self.has_bound_call_in(first..=last);
        moves.then(|| {
            self.moved(
                &entry,
                Block::Calls {
                    count: spans.len(),
                    first,
                    last,
                },
            )
        })
    }

    // ---- what stands around

    /// How the code that makes the call can wait.
    fn waiting(&self) -> Waiting {
        let runs = &self.writer.runs[self.body.index()];
        if matches!(runs.why, Some(Entry::Form(Form::Poll))) {
            return Waiting::Polled;
        }
        let program = self.writer.program;
        let mut body = self.body;
        // A comprehension awaits where the function around it does; a generator that awaits is another kind of iterator.
        while program.body(body).kind == BodyKind::Comprehension
            && program.body(body).flavour != Flavour::Generator
            && let Some(parent) = program.parent(body)
        {
            body = parent;
        }
        match program.body(body).flavour {
            Flavour::Async | Flavour::AsyncGenerator => Waiting::Awaits,
            _ if runs.entry == body => Waiting::Alone,
            _ => Waiting::Inside,
        }
    }

    /// An endpoint that awaits nothing and leaves the loop alone need not be async: frameworks run a plain one on threads.
    fn sync_endpoint(&self) -> Option<Replacement> {
        let runs = &self.writer.runs[self.body.index()];
        let framework = self.catalog.runtime(self.runtime?);
        let is_route = matches!(runs.why, Some(Entry::Route { .. }));
        if !is_route || !framework.sync_endpoints {
            return None;
        }
        let program = self.writer.program;
        let facts = program.facts(runs.entry);
        let body = program.file_body(runs.entry);
        let name = facts.item(facts.body(body).item?).name?;
        let thread_bound = self.catalog.thread(self.id) == Some(Thread::Same);
        let free =
            awaits_nothing(facts, body) && !thread_bound && !self.touches_the_loop(runs.entry);
        free.then(|| Replacement::SyncEndpoint {
            function: facts.text(name).to_owned(),
        })
    }

    /// Says whether a function asks for the running loop, or changes what other requests see without a lock.
    fn touches_the_loop(&self, entry: ProgramBody) -> bool {
        let program = self.writer.program;
        let facts = program.facts(entry);
        let own = program.file_body(entry);
        let module_state = facts.events.iter().any(|event| match event {
            Event::Assign(id) => {
                let binding = facts.definitions[id.index()].binding;
                let declared = facts.bindings[binding.index()].body;
                let span = facts.definitions[id.index()].span;
                let inside = facts.body(own).span;
                declared != own
                    && facts.body(declared).kind == BodyKind::Module
                    && inside.start <= span.start
                    && span.end <= inside.end
            }
            _ => false,
        });
        module_state || self.writer.summaries.of(entry).bond().is_some()
    }
}

/// Work that is begun where nothing can await.
fn started(entry: &RuntimeEntry, block: Block) -> Replacement {
    let starter = entry.start.as_deref().and_then(|start| {
        let (before, _) = start.split_once("{work}")?;
        before.rsplit_once('(').map(|(starter, _)| starter)
    });
    match starter.filter(|starter| !starter.contains('{')) {
        Some(starter) => Replacement::OffloadBlock {
            offloader: starter.to_owned(),
            block,
            awaits: false,
            features: Vec::new(),
        },
        None => Replacement::Words(Advice::OwnThread),
    }
}

/// Says whether a function awaits nothing, neither itself nor in what is written inside of it.
fn awaits_nothing(facts: &FileFacts, body: BodyId) -> bool {
    let is_inside = |region: RegionId| {
        let own = facts.regions[region.index()].body;
        let mut around = std::iter::successors(Some(own), |id| facts.body(*id).parent);
        around.any(|id| id == body)
    };
    let regions = (0..facts.regions.len()).map(RegionId::new);
    let mut events = regions
        .filter(|region| is_inside(*region))
        .flat_map(|region| facts.region_events(region));
    let calls = (0..facts.calls.len()).map(|index| facts.call(CallId::new(index)));
    !events.any(|event| matches!(event, Event::Await(_)))
        && !calls
            .filter(|call| call.sink == Sink::AsyncUsed)
            .any(|call| is_inside(call.region))
}

/// What stands before the last name of a path.
fn owner(path: &str) -> &str {
    let end = path.rfind([':', '.']).unwrap_or_default();
    path[..end].trim_end_matches(':')
}

/// A value with a life of its own, or one that is worked on step by step: its twin has other methods.
fn is_handle(entry: &TypeEntry) -> bool {
    entry.kind != TypeKind::Plain || entry.item.is_some() && entry.clones.is_none()
}
