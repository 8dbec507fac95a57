//! The tables that the build script makes from the data.

#![allow(clippy::all, reason = "generated")]

use crate::entry::*;

include!(concat!(env!("OUT_DIR"), "/tables.rs"));
