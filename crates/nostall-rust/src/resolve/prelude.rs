//! The names that every Rust file knows: the standard prelude, built-in macros, primitive types.

use super::names::Namespace;

/// Returns the path of a name of the prelude.
pub(crate) fn path(name: &str, namespace: Namespace) -> Option<String> {
    let list: &[(&str, &str)] = match namespace {
        Namespace::Type => TYPES,
        Namespace::Value => VALUES,
        Namespace::Macro => return MACROS.contains(&name).then(|| format!("std::{name}")),
    };
    list.iter()
        .find(|(known, _)| *known == name)
        .map(|(_, path)| format!("std::{path}"))
}

/// Says whether a name is a primitive type.
pub(crate) fn is_primitive(name: &str) -> bool {
    PRIMITIVES.contains(&name)
}

const TYPES: &[(&str, &str)] = &[
    ("Option", "option::Option"),
    ("Result", "result::Result"),
    ("Box", "boxed::Box"),
    ("Vec", "vec::Vec"),
    ("String", "string::String"),
    ("ToString", "string::ToString"),
    ("ToOwned", "borrow::ToOwned"),
    ("Iterator", "iter::Iterator"),
    ("IntoIterator", "iter::IntoIterator"),
    ("DoubleEndedIterator", "iter::DoubleEndedIterator"),
    ("ExactSizeIterator", "iter::ExactSizeIterator"),
    ("Extend", "iter::Extend"),
    ("FromIterator", "iter::FromIterator"),
    ("Into", "convert::Into"),
    ("From", "convert::From"),
    ("TryInto", "convert::TryInto"),
    ("TryFrom", "convert::TryFrom"),
    ("AsRef", "convert::AsRef"),
    ("AsMut", "convert::AsMut"),
    ("Default", "default::Default"),
    ("Clone", "clone::Clone"),
    ("Copy", "marker::Copy"),
    ("Send", "marker::Send"),
    ("Sync", "marker::Sync"),
    ("Sized", "marker::Sized"),
    ("Unpin", "marker::Unpin"),
    ("Drop", "ops::Drop"),
    ("Fn", "ops::Fn"),
    ("FnMut", "ops::FnMut"),
    ("FnOnce", "ops::FnOnce"),
    ("AsyncFn", "ops::AsyncFn"),
    ("AsyncFnMut", "ops::AsyncFnMut"),
    ("AsyncFnOnce", "ops::AsyncFnOnce"),
    ("Eq", "cmp::Eq"),
    ("PartialEq", "cmp::PartialEq"),
    ("Ord", "cmp::Ord"),
    ("PartialOrd", "cmp::PartialOrd"),
    ("Debug", "fmt::Debug"),
    ("Hash", "hash::Hash"),
    ("Future", "future::Future"),
    ("IntoFuture", "future::IntoFuture"),
];

const VALUES: &[(&str, &str)] = &[
    ("Some", "option::Option::Some"),
    ("None", "option::Option::None"),
    ("Ok", "result::Result::Ok"),
    ("Err", "result::Result::Err"),
    ("drop", "mem::drop"),
    ("size_of", "mem::size_of"),
    ("size_of_val", "mem::size_of_val"),
    ("align_of", "mem::align_of"),
    ("align_of_val", "mem::align_of_val"),
];

const MACROS: &[&str] = &[
    "assert",
    "assert_eq",
    "assert_ne",
    "cfg",
    "column",
    "compile_error",
    "concat",
    "concat_idents",
    "const_format_args",
    "dbg",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "env",
    "eprint",
    "eprintln",
    "file",
    "format",
    "format_args",
    "global_asm",
    "include",
    "include_bytes",
    "include_str",
    "is_x86_feature_detected",
    "line",
    "matches",
    "module_path",
    "option_env",
    "panic",
    "print",
    "println",
    "stringify",
    "thread_local",
    "todo",
    "try",
    "unimplemented",
    "unreachable",
    "vec",
    "write",
    "writeln",
];

const PRIMITIVES: &[&str] = &[
    "bool", "char", "str", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64",
    "i128", "isize", "f16", "f32", "f64", "f128",
];
