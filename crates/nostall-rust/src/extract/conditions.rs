//! `#[cfg(..)]`, and the attributes that make a test.

use nostall_model::facts::{Condition, ConditionId};
use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Ident, LitBool, LitStr, Meta, Token, token};

use super::lower::Lower;

/// A condition as parsed.
#[derive(Debug)]
pub(crate) enum Predicate {
    Flag(String),
    Value(String, String),
    All(Vec<Predicate>),
    Any(Vec<Predicate>),
    Not(Box<Predicate>),
}

impl Lower<'_> {
    /// Returns when something with these attributes exists, together with what an enclosing macro demands.
    pub(crate) fn condition_of(&mut self, attributes: &[Attribute]) -> Option<ConditionId> {
        let mut conditions: Vec<ConditionId> = self.condition.into_iter().collect();
        for attribute in attributes {
            if let Some(condition) = self.attribute_condition(attribute) {
                conditions.push(condition);
            }
        }
        self.all_of(&conditions)
    }

    fn attribute_condition(&mut self, attribute: &Attribute) -> Option<ConditionId> {
        match &attribute.meta {
            Meta::List(list) if list.path.is_ident("cfg") => {
                Some(self.predicate_of(list.tokens.clone()))
            }
            meta if is_test(meta) => Some(self.builder.condition(Condition::Test)),
            _ => None,
        }
    }

    /// Reads the inside of `cfg(..)`.
    pub(crate) fn predicate_of(&mut self, tokens: TokenStream) -> ConditionId {
        match parse_predicate.parse2(tokens) {
            Ok(predicate) => self.predicate(&predicate),
            Err(_) => self.builder.condition(Condition::Unknown),
        }
    }

    pub(crate) fn predicate(&mut self, predicate: &Predicate) -> ConditionId {
        let condition = match predicate {
            Predicate::Flag(name) => Condition::Flag(self.builder.name(name)),
            Predicate::Value(name, value) => {
                Condition::Value(self.builder.name(name), self.builder.name(value))
            }
            Predicate::All(list) => Condition::All(self.predicates(list)),
            Predicate::Any(list) => Condition::Any(self.predicates(list)),
            Predicate::Not(inner) => Condition::Not(self.predicate(inner)),
        };
        self.builder.condition(condition)
    }

    fn predicates(&mut self, list: &[Predicate]) -> nostall_model::facts::Run {
        let conditions: Vec<ConditionId> = list
            .iter()
            .map(|predicate| self.predicate(predicate))
            .collect();
        self.builder.conditions(&conditions)
    }

    /// All of some conditions.
    pub(crate) fn all_of(&mut self, conditions: &[ConditionId]) -> Option<ConditionId> {
        match conditions {
            [] => None,
            [only] => Some(*only),
            several => {
                let run = self.builder.conditions(several);
                Some(self.builder.condition(Condition::All(run)))
            }
        }
    }

    /// The opposite of a condition.
    pub(crate) fn not(&mut self, condition: ConditionId) -> ConditionId {
        self.builder.condition(Condition::Not(condition))
    }
}

/// Says whether an attribute makes a function a test or benchmark, whichever library it is from.
fn is_test(meta: &Meta) -> bool {
    const NAMES: [&str; 8] = [
        "test",
        "bench",
        "rstest",
        "test_case",
        "wasm_bindgen_test",
        "quickcheck",
        "proptest",
        "parameterized",
    ];
    meta.path()
        .segments
        .last()
        .is_some_and(|last| NAMES.iter().any(|name| last.ident == name))
}

/// Parses `name`, `name = "value"`, `all(..)`, `any(..)`, `not(..)`, `true`, `false`.
pub(crate) fn parse_predicate(input: ParseStream<'_>) -> syn::Result<Predicate> {
    let predicate = one_predicate(input)?;
    let _: Option<Token![,]> = input.parse()?;
    Ok(predicate)
}

fn one_predicate(input: ParseStream<'_>) -> syn::Result<Predicate> {
    if input.peek(LitBool) {
        let literal: LitBool = input.parse()?;
        return Ok(Predicate::Flag(literal.value.to_string()));
    }
    let mut name = input.call(Ident::parse_any)?.unraw().to_string();
    while input.peek(Token![::]) {
        let _: Token![::] = input.parse()?;
        name = format!("{name}::{}", input.call(Ident::parse_any)?.unraw());
    }
    if input.peek(Token![=]) {
        let _: Token![=] = input.parse()?;
        let value: LitStr = input.parse()?;
        return Ok(Predicate::Value(name, value.value()));
    }
    if !input.peek(token::Paren) {
        return Ok(Predicate::Flag(name));
    }
    let content;
    syn::parenthesized!(content in input);
    let list: Punctuated<Predicate, Token![,]> =
        content.parse_terminated(one_predicate, Token![,])?;
    let list: Vec<Predicate> = list.into_iter().collect();
    combine(&name, list).ok_or_else(|| input.error("unknown predicate"))
}

fn combine(name: &str, mut list: Vec<Predicate>) -> Option<Predicate> {
    match name {
        "all" => Some(Predicate::All(list)),
        "any" => Some(Predicate::Any(list)),
        "not" if list.len() == 1 => list.pop().map(|inner| Predicate::Not(Box::new(inner))),
        _ => None,
    }
}
