//! What is refused, and in which words.

use nostall_model::Language::Rust;
use nostall_model::Waits;

use crate::check::{check_own, complete};
use crate::entries::UserEntries;
use crate::entry::question::Test;
use crate::entry::{Argument, DurationUnit, Effect, Literal, When};
use crate::form::{Tables, parse};
use crate::{Api, CatalogError};

/// Asserts that a file of Rust has exactly these faults.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let errors = match parse::<Tables>(text) {
        Ok(mut tables) => {
            let mut errors = complete(&mut tables, Rust);
            errors.extend(check_own(&tables));
            errors
        }
        Err(error) => vec![error.to_string()],
    };
    assert_eq!(errors, expected);
}

/// Asserts that one blocking entry with these lines has exactly these faults.
#[track_caller]
fn check_entry(lines: &str, expected: &[&str]) {
    let file = "library = \"a\"\ncategory = \"fs\"\nwaits = \"disk\"\nsource = \"s\"\n";
    check(
        &format!("{file}[[api]]\npath = \"a::b\"\nwhy = \"w\"\n{lines}"),
        expected,
    );
}

fn user(text: &str) -> Result<Vec<Api>, CatalogError> {
    UserEntries::new(parse(text).expect("the sample has the form"), &[])
        .map(|entries| entries.0.apis)
}

fn only(text: &str) -> Api {
    let mut apis = user(text).expect("the sample is valid");
    assert_eq!(apis.len(), 1);
    apis.remove(0)
}

#[test]
fn names_what_a_blocking_entry_lacks() {
    check(
        "library = \"a\"\n[[api]]\npath = \"a::b\"",
        &[
            "`a::b`: a blocking call needs `category`",
            "`a::b`: a blocking call needs `waits`",
            "`a::b`: a blocking call needs `why`",
            "`a::b`: a blocking call needs a `source`, its own or the file's",
        ],
    );
    check_entry("", &[]);
}

#[test]
fn asks_the_same_of_a_call_that_blocks_with_some_arguments() {
    let text = "library = \"a\"\nsource = \"s\"\ncategory = \"fs\"\n[[api]]\npath = \"a::b\"\neffect = \"none\"\n\
                when = [{ argument = 0, is = 0, effect = \"blocks\" }]";
    check(
        text,
        &[
            "`a::b`: a blocking call needs `waits`",
            "`a::b`: a blocking call needs `why`",
        ],
    );
}

#[test]
fn says_where_a_star_may_stand() {
    let no_path = "is not a path of names with `::` between them";
    let end = "a `*` may stand only at its end, after at least one name";
    for path in ["a::*::b", "*", "a::*::*"] {
        let text = format!("library = \"a\"\n[[api]]\npath = \"{path}\"\neffect = \"none\"");
        let mut tables: Tables = parse(&text).expect("the sample has the form");
        assert!(
            complete(&mut tables, Rust).contains(&format!("`{path}`: `{path}` {no_path}: {end}")),
            "{path}"
        );
    }
    check(
        "library = \"a\"\n[[type]]\npath = \"a::*\"",
        &[
            "`a::*`: `a::*` is not a path of names with `::` between them: a `*` may stand only in the path of a callable",
        ],
    );
}

#[test]
fn refuses_what_is_no_path() {
    let api =
        |path: &str| format!("library = \"a\"\n[[api]]\npath = \"{path}\"\neffect = \"none\"");
    check(
        &api("a::b c"),
        &["`a::b c`: `a::b c` is not a path of names with `::` between them"],
    );
    check(
        &api("a::"),
        &["`a::`: `a::` is not a path of names with `::` between them"],
    );
    check(&api(""), &["[[api]] number 1: a path is empty"]);
    let bare = "`b`: needs its whole path, from the crate or module on (Python builtins are `builtins.open`)";
    check(&api("b"), &[bare]);
}

#[test]
fn lists_the_words_of_a_key() {
    check_entry(
        "unit = \"h\"\nduration = 0",
        &["8: in `a::b`: `unit` is `h`, which is none of duration, min, s, ms, us, ns"],
    );
    check(
        "library = \"a\"\nwaits = \"long\"",
        &[
            "2: `waits` is `long`, which is none of unbounded, timer, network, cpu, data, disk, change, metadata, brief",
        ],
    );
    check(
        "library = \"a\"\n[[type]]\npath = \"a::T\"\nkind = \"file\"",
        &[
            "4: in `a::T`: `kind` is `file`, which is none of handle, client, guard, executor, future, plain",
        ],
    );
}

#[test]
fn refuses_keys_without_those_that_they_are_about() {
    check_entry(
        "except = [\"new\"]",
        &["`a::b`: `except` is for a wildcard, a path that ends in `::*`"],
    );
    check_entry(
        "also = [\"a::c::*\"]\nexcept = [\"*\"]",
        &[
            "`a::b`: `*` is not a path of names with `::` between them: a `*` may stand only in the path of a callable",
        ],
    );
    check_entry(
        "unit = \"ms\"",
        &["`a::b`: `unit` needs a `duration`: which argument holds the length"],
    );
    check_entry(
        "gives = [\"T\"]",
        &["`a::b`: `gives` needs a `callable`, or `registers`"],
    );
    check_entry(
        "effect = \"runs\"",
        &["`a::b`: `effect = \"runs\"` needs `callable`: which argument is run"],
    );
    check_entry(
        "effect = \"none\"\npanics = true",
        &["`a::b`: `panics` is for a blocking call"],
    );
    check_entry(
        "effect = \"none\"\nlazy = true",
        &["`a::b`: `lazy` is for a blocking call, or one that runs a callable"],
    );
    check_entry(
        "callable = {}",
        &["`a::b`: `callable` needs an `index`, a `keyword` or both"],
    );
    check_entry(
        "language = \"rust\"",
        &["`a::b`: `language` is for entries of a config: here the folder gives it"],
    );
}

#[test]
fn a_timer_of_unknown_length_is_valid() {
    check_entry("waits = \"timer\"", &[]);
}

#[test]
fn refuses_conditions_that_ask_or_change_nothing() {
    let when = |rest: &str| format!("when = [{{ argument = 0, {rest} }}]");
    check_entry(
        &when("effect = \"none\""),
        &[
            "`a::b`: `when` needs one of `is`, `none`, `given`, `type`, `numeric`, `below` and `begins`",
        ],
    );
    check_entry(
        &when("is = 0, given = true, effect = \"none\""),
        &[
            "`a::b`: `when` needs one of `is`, `none`, `given`, `type`, `numeric`, `below` and `begins`",
        ],
    );
    check_entry(
        &when("none = false, effect = \"none\""),
        &["`a::b`: `when.none` can only be `true`"],
    );
    check_entry(
        &when("is = [0], effect = \"none\""),
        &["8: in `a::b`: `when.is` must be a truth value, a number or a text"],
    );
    check_entry(
        &when("given = false"),
        &[
            "`a::b`: `when` changes nothing: it needs `effect`, `waits`, `reason`, `proves` or `workers`",
        ],
    );
    check_entry(
        &when("given = false, waits = \"unbounded\", raise = true"),
        &["`a::b`: `when.raise` needs a `reason`: what the report says"],
    );
}

#[test]
fn refuses_brackets_that_do_not_pair_up() {
    check_entry(
        "returns = \"A<B<C>\"",
        &["`a::b`: `returns`: the brackets of `A<B<C>` do not pair up"],
    );
    check_entry(
        "returns = \"A<(B, [C; 2]>\"",
        &["`a::b`: `returns`: the brackets of `A<(B, [C; 2]>` do not pair up"],
    );
    check_entry("returns = \"fn(A) -> B<C>\"", &[]);
}

#[test]
fn refuses_a_path_that_is_there_twice() {
    let api = |path: &str, also: &str| {
        format!("[[api]]\npath = \"{path}\"\nalso = [{also}]\neffect = \"none\"\n")
    };
    let file = |entries: &[String]| format!("library = \"a\"\n{}", entries.concat());
    check(
        &file(&[api("a::b", ""), api("a::c", "\"a::b\"")]),
        &["`a::c`: `a::b` is already a path of the [[api]] `a::b`"],
    );
    check(
        &file(&[api("a::b", "\"a::b\"")]),
        &["`a::b`: `a::b` is there twice"],
    );
}

#[test]
fn an_error_of_form_names_line_and_entry() {
    check(
        "library = \"a\"\n\n[[api]]\npath = \"a::b\"\nwait = \"disk\"\n\n[[api]]\npath = \"a::c\"",
        &["5: in `a::b`: unknown key `wait`, did you mean `waits`?"],
    );
    check(
        "[[api]]\nwhy = 1\npath = \"a::b\"",
        &["2: in `a::b`: `why` must be a text, not integer `1`"],
    );
    check(
        "[[api]]\npath = \"a::b\"\ncallable = { idx = 1 }",
        &["3: in `a::b`: an argument is its position, `0`, or `{ index = 0, keyword = \"name\" }`"],
    );
    check(
        "[[trait]]\npath = 'a::T'\nxyz = 1",
        &[
            "3: in `a::T`: unknown key `xyz`, the keys are path, also, on, not_on, category, waits, through, assume, on_loop, command_line, off_loop_with, supertraits, source",
        ],
    );
    check("a = [", &["1: unclosed array, expected `]`"]);
}

#[test]
fn a_word_is_looked_for_in_the_place_where_it_is_written() {
    let words = "which is none of blocks, offloads, schedules, runs, constructs, none";
    check(
        "[[api]]\npath = \"a::b\"\nwhen = [{ argument = 0, is = 1, effect = \"x\" }]",
        &[&format!("3: in `a::b`: `effect` is `x`, {words}")],
    );
    check(
        "[[api]]\npath = \"a::b\"\neffect = 1",
        &["3: in `a::b`: `effect` must be a text"],
    );
}

#[test]
fn a_value_of_another_kind_is_told_what_it_must_be() {
    check_entry(
        "panics = \"yes\"",
        &["8: in `a::b`: `panics` must be `true` or `false`, not string \"yes\""],
    );
    check_entry(
        "also = \"a::c\"",
        &["8: in `a::b`: `also` must be a list, not string \"a::c\""],
    );
    check_entry(
        "also = [\"a::c\", 1]",
        &["8: in `a::b`: `also` must be a text, not integer `1`"],
    );
    check_entry(
        "instead = 1",
        &["8: in `a::b`: `instead` must be a table, not integer `1`"],
    );
    check_entry(
        "route = 1",
        &["8: in `a::b`: `route` must be a table, not integer `1`"],
    );
}

#[test]
fn a_table_that_is_no_entry_is_not_named() {
    check(
        "[[bin]]\npath = \"src/main.rs\"\n",
        &[
            "1: unknown key `bin`, the keys are library, successor, version, category, waits, source, api, type, trait, runtime, feature",
        ],
    );
    check(
        "[[api]]\npath = \"a::b\"\n[x]\ny = 1",
        &[
            "3: unknown key `x`, the keys are library, successor, version, category, waits, source, api, type, trait, runtime, feature",
        ],
    );
}

#[test]
fn a_users_language_is_seen_from_the_path_or_said() {
    let entry = |lines: &str| format!("[[api]]\neffect = \"none\"\n{lines}");
    assert_eq!(only(&entry("path = \"a::b\"")).language().name(), "rust");
    assert_eq!(only(&entry("path = \"a.b\"")).language().name(), "python");
    assert_eq!(
        only(&entry("path = \"a.b\"\nlanguage = \"python\""))
            .language()
            .name(),
        "python"
    );
    let error = |lines: &str| {
        user(&entry(lines))
            .expect_err("the sample is not valid")
            .to_string()
    };
    assert_eq!(
        error("path = \"a.b\"\nlanguage = \"rust\""),
        "catalogue entry `a.b`: `a.b` is not a path of names with `::` between them"
    );
    check(
        &entry("path = \"a::b\"\nlanguage = \"go\""),
        &["4: in `a::b`: `language` is `go`, which is none of rust, python"],
    );
}

#[test]
fn an_offloader_runs_its_first_argument() {
    let offloaders = ["my::pool::run".to_owned(), "my.pool.run".to_owned()];
    let entries = UserEntries::new(parse("").expect("nothing is valid"), &offloaders)
        .expect("they are paths");
    let languages: Vec<_> = entries
        .0
        .apis
        .iter()
        .map(|api| api.language().name())
        .collect();
    assert_eq!(languages, ["rust", "python"]);
    for api in &entries.0.apis {
        assert_eq!(api.effect, Effect::Offloads);
        assert_eq!(
            api.callable,
            Some(Argument {
                index: Some(0),
                keyword: None
            })
        );
    }
    let error = UserEntries::new(parse("").expect("nothing is valid"), &["run".to_owned()])
        .expect_err("a bare name");
    assert!(
        error
            .to_string()
            .starts_with("catalogue entry `run`: needs its whole path"),
        "{error}"
    );
}

#[test]
fn reads_conditions_and_arguments() {
    let api = only(
        "[[api]]\npath = \"a.b\"\ncategory = \"wait\"\nwaits = \"timer\"\nwhy = \"w\"\n\
         duration = { index = 1, keyword = \"timeout\" }\nunit = \"ms\"\n\
         when = [{ argument = { keyword = \"block\" }, is = false, effect = \"none\" },\n\
         { argument = 1, none = true, waits = \"unbounded\" },\n\
         { argument = 1, given = false, reason = \"no timeout\", raise = true }]",
    );
    assert_eq!(
        api.duration,
        Some(Argument {
            index: Some(1),
            keyword: Some("timeout".into())
        })
    );
    assert_eq!(api.duration_unit(), DurationUnit::Milliseconds);
    let tests: Vec<_> = api.when.iter().map(When::test).collect();
    assert_eq!(
        tests,
        [
            Test::Is(&Literal::Bool(false)),
            Test::Is(&Literal::None),
            Test::Given(false)
        ]
    );
    assert_eq!(api.when[0].effect, Some(Effect::None));
    assert_eq!(api.when[1].waits, Some(Waits::Unbounded));
    assert!(api.when[2].raise);
}

#[test]
fn the_unit_of_a_length_depends_on_the_language() {
    let unit = |path: &str, unit: &str| {
        let text =
            format!("[[api]]\npath = \"{path}\"\neffect = \"constructs\"\nduration = 0\n{unit}");
        only(&text).duration_unit()
    };
    assert_eq!(unit("a.b", ""), DurationUnit::Seconds);
    assert_eq!(unit("a::b", ""), DurationUnit::Duration);
    let units: Vec<_> = ["duration", "s", "ms", "us", "ns", "min"]
        .iter()
        .map(|word| unit("a::b", &format!("unit = \"{word}\"")))
        .collect();
    let milliseconds: Vec<_> = units.into_iter().map(DurationUnit::milliseconds).collect();
    assert_eq!(
        milliseconds,
        [
            None,
            Some(1000.0),
            Some(1.0),
            Some(1e-3),
            Some(1e-6),
            Some(60_000.0)
        ]
    );
}

#[test]
fn refuses_entries_that_lead_back_to_themselves() {
    let type_ = |path: &str, line: &str| format!("[[type]]\npath = \"{path}\"\n{line}\n");
    let refused = |text: &str, expected: &str| {
        let error = user(text).expect_err(text).to_string();
        assert_eq!(error, format!("catalogue entry {expected}"));
    };
    refused(
        &type_("a::X", "alias = \"a::X\""),
        "`a::X`: `alias` leads back to itself: `a::X` to `a::X`",
    );
    refused(
        &type_(
            "a::X",
            "also = [\"a::b::X\"]\nparams = [\"T\"]\nalias = \"std::vec::Vec<a::b::X<T>>\"",
        ),
        "`a::X`: `alias` leads back to itself: `a::X` to `a::X`",
    );
    refused(
        &[
            type_("a.X", "extends = [\"a.Z\", \"a.Y\"]"),
            type_("a.Y", "extends = [\"a.X\"]"),
            type_("a.Z", ""),
        ]
        .concat(),
        "`a.X`: `extends` leads back to itself: `a.X` to `a.Y` to `a.X`",
    );
    refused(
        &[
            type_("a::X", "deref = \"&a::Y\""),
            type_("a::Y", "deref = \"a::X\""),
        ]
        .concat(),
        "`a::X`: `deref` leads back to itself: `a::X` to `a::Y` to `a::X`",
    );
    refused(
        &type_("a::X", "deref = \"Self\""),
        "`a::X`: `deref` asks for itself",
    );
    refused(
        &type_("a::X", "item = \"std::vec::Vec<Self::Item>\""),
        "`a::X`: `item` asks for itself",
    );
    refused(
        &type_("a::X", "awaits = \"Self::Output\""),
        "`a::X`: `awaits` asks for itself",
    );
    refused(
        "[[api]]\npath = \"a.make\"\neffect = \"constructs\"\nreturns = \"a.make\"\n",
        "`a.make`: `returns` leads back to itself: `a.make` to `a.make`",
    );
}

#[test]
fn takes_types_that_give_their_own_class() {
    let text = "[[type]]\npath = \"a.Query\"\nenter = \"a.Query\"\nitem = \"a.Query\"\nawaits = \"a.Query\"\n\
                [[api]]\npath = \"a.Query\"\neffect = \"constructs\"\nreturns = \"a.Query\"\n\
                [[api]]\npath = \"a.Query.where\"\neffect = \"constructs\"\nreturns = \"a.Query\"\n\
                [[api]]\npath = \"a.Query.all\"\neffect = \"constructs\"\nreturns = \"Self\"\n";
    assert_eq!(user(text).expect("nothing leads back").len(), 3);
    let text = "[[type]]\npath = \"a::Box\"\nparams = [\"T\"]\nderef = \"T\"\n\
                [[type]]\npath = \"a::Tree\"\nitem = \"a::Tree\"\nderef = \"a::Box<a::Tree>\"\n";
    assert_eq!(user(text).expect("nothing leads back").len(), 0);
}

#[test]
fn refuses_types_longer_than_people_write_them() {
    let text = format!(
        "[[type]]\npath = \"a::X\"\nitem = \"{}u8\"\n",
        "&".repeat(100_000)
    );
    let error = user(&text).expect_err("it is too long").to_string();
    assert_eq!(
        error,
        "catalogue entry `a::X`: `item` is longer than 1000 characters"
    );
}
