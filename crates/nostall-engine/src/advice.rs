//! What to do instead of a call that blocks, in this project.

use nostall_catalog::Api;
use nostall_model::finding::{Advice, Code, Offload, Replacement, Twin};
use nostall_model::program::{ProgramBody, ProgramCall, Runtime};

use crate::rules::Writer;

/// The entry's own twin for this runtime where the api is called here, else one of a library that the file imports, else the
/// runtime's way to move the work away.
pub(crate) fn of_call(
    writer: &Writer<'_>,
    body: ProgramBody,
    call: ProgramCall,
    api: &Api,
    hops: usize,
) -> Option<Replacement> {
    let runtime = writer.program.resolved(body).runtime;
    let name = writer.callee_text(call);
    let away = offload(runtime, api.panics, &name);
    if hops > 1 {
        return Some(away);
    }
    if let Some(twin) = api.instead.get(runtime.key()) {
        return Some(Replacement::Twin(Twin {
            path: twin.clone(),
            library: None,
            code: None,
        }));
    }
    let names = &writer.program.facts(body).names;
    let libraries: Vec<_> = api
        .instead
        .iter()
        .filter(|(key, _)| !is_runtime(key))
        .collect();
    let known = libraries.iter().find(|(key, _)| names.find(key).is_some());
    match (known, libraries.as_slice()) {
        (Some((_, twin)), _) => Some(Replacement::Twin(Twin {
            path: (*twin).clone(),
            library: None,
            code: None,
        })),
        (None, []) => Some(away),
        (None, several) => {
            let mut choices: Vec<Replacement> = several
                .iter()
                .map(|(key, twin)| {
                    Replacement::Twin(Twin {
                        path: (*twin).clone(),
                        library: Some((*key).clone()),
                        code: None,
                    })
                })
                .collect();
            choices.push(away);
            Some(Replacement::Choice(choices))
        }
    }
}

fn is_runtime(key: &str) -> bool {
    const ALL: [Runtime; 6] = [
        Runtime::Tokio,
        Runtime::AsyncStd,
        Runtime::Smol,
        Runtime::Asyncio,
        Runtime::Trio,
        Runtime::Anyio,
    ];
    ALL.iter().any(|runtime| runtime.key() == key)
}

/// The runtime's own way to move work off the executor.
fn offload(runtime: Runtime, panics: bool, callee: &str) -> Replacement {
    if panics {
        return Replacement::Words(Advice::AwaitFuture);
    }
    let expression = match runtime {
        Runtime::Tokio => format!("tokio::task::spawn_blocking(move || {callee}(..)).await"),
        Runtime::AsyncStd => {
            format!("async_std::task::spawn_blocking(move || {callee}(..)).await")
        }
        Runtime::Smol => format!("smol::unblock(move || {callee}(..)).await"),
        Runtime::Asyncio => format!("await asyncio.to_thread({callee}, ..)"),
        Runtime::Trio => format!("await trio.to_thread.run_sync({callee}, ..)"),
        Runtime::Anyio => format!("await anyio.to_thread.run_sync({callee}, ..)"),
    };
    Replacement::Offload(Offload {
        code: Code::of(expression),
        borrowed: Vec::new(),
        awaits: true,
    })
}
