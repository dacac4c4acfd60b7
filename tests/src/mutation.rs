//! Hostile inputs by the thousand: what was written well, made wrong by chance that can be repeated.
//!
//! A fuzzer learns from what the program does and goes on for ever; this only deals out damage, on any toolchain, for as
//! long as a test may take. Half of it is done to the text, half to the JSON in it, which gets further in.

use std::env;

use anyhow::{Context as _, Result};
use fastrand::Rng;
use serde_json::{Map, Value, json};

/// Where chance begins when nobody says otherwise: a test that fails does so for everybody.
const SEED: u64 = 20_260_701;

/// Pieces that parsers trip over.
const PIECES: [&str; 24] = [
    "\0",
    "\0\0",
    "\"",
    "\\",
    "\\u0000",
    "\\ud800",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "1e999",
    "-0",
    "../",
    "@sha256:",
    "https://",
    "%00",
    "\u{feff}",
    "\u{202e}",
    "\u{1b}[2J",
    "\u{e9}",
    "payload=",
];

/// Changes inputs at random.
#[derive(Debug)]
pub struct Mutations {
    chance: Rng,
    seed: u64,
}

impl Mutations {
    /// Begins with the seed in `TAGFERRY_SEED`, else with the usual one.
    ///
    /// # Errors
    ///
    /// What is in `TAGFERRY_SEED` is no number.
    #[expect(clippy::disallowed_methods, reason = "a failure is repeated, and more is tried, by the environment alone")]
    pub fn new() -> Result<Self> {
        let seed = match env::var("TAGFERRY_SEED") {
            Ok(seed) => seed.parse().context("TAGFERRY_SEED is a number")?,
            Err(_) => SEED,
        };
        Ok(Self { chance: Rng::with_seed(seed), seed })
    }

    /// What `TAGFERRY_SEED` must be so that all of it happens again.
    #[must_use]
    pub const fn seed(&self) -> u64 {
        self.seed
    }

    /// One of the inputs, changed in one to four places.
    #[must_use]
    pub fn of(&mut self, inputs: &[Vec<u8>]) -> Vec<u8> {
        let Some(input) = self.chance.choice(inputs) else { return Vec::new() };
        let mut changed = input.clone();
        for _ in 0..self.chance.usize(1..=4) {
            changed = match serde_json::from_slice::<Value>(&changed) {
                Ok(mut value) if self.chance.bool() => {
                    self.change_value(&mut value);
                    value.to_string().into_bytes()
                }
                Ok(_) | Err(_) => self.change_bytes(changed, inputs),
            };
        }
        changed
    }

    /// Walks down by chance and changes what is there.
    fn change_value(&mut self, value: &mut Value) {
        match value {
            Value::Object(fields) if !fields.is_empty() && self.chance.u8(..8) > 0 => self.change_object(fields),
            Value::Array(items) if !items.is_empty() && self.chance.u8(..8) > 0 => {
                let at = self.chance.usize(..items.len());
                match self.chance.u8(..8) {
                    0 => drop(items.remove(at)),
                    1 => items.extend_from_within(at..),
                    _ => items.get_mut(at).into_iter().for_each(|item| self.change_value(item)),
                }
            }
            Value::String(text) if self.chance.bool() => {
                let changed = self.change_bytes(std::mem::take(text).into_bytes(), &[]);
                *text = String::from_utf8_lossy(&changed).into_owned();
            }
            Value::Object(_) | Value::Array(_) | Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {
                *value = self.odd();
            }
        }
    }

    fn change_object(&mut self, fields: &mut Map<String, Value>) {
        let keys: Vec<String> = fields.keys().cloned().collect();
        let (Some(key), Some(other)) = (self.chance.choice(&keys).cloned(), self.chance.choice(&keys).cloned()) else {
            return;
        };
        match self.chance.u8(..8) {
            0 => drop(fields.remove(&key)),
            1 => {
                let there = fields.get(&other).cloned().unwrap_or_default();
                fields.insert(key, there);
            }
            _ => fields.get_mut(&key).into_iter().for_each(|field| self.change_value(field)),
        }
    }

    /// A value that is seldom expected.
    fn odd(&mut self) -> Value {
        let piece = self.chance.choice(PIECES).unwrap_or_default();
        match self.chance.u8(..9) {
            0 => Value::Null,
            1 => json!(self.chance.bool()),
            2 => json!(self.chance.i64(..)),
            3 => json!(1e300),
            4 => json!([]),
            5 => json!({}),
            6 => json!(piece.repeat(self.chance.usize(..600))),
            7 => json!({ "tag": piece, "digest": "sha256:", "id": piece }),
            _ => (0..self.chance.u8(..200)).fold(json!(piece), |inner, _| json!([inner])),
        }
    }

    fn change_bytes(&mut self, mut bytes: Vec<u8>, inputs: &[Vec<u8>]) -> Vec<u8> {
        let (from, to) = (self.chance.usize(..=bytes.len()), self.chance.usize(..=bytes.len()));
        let (from, to) = (from.min(to), from.max(to));
        let part = bytes.get(from..to).unwrap_or_default().to_vec();
        let insert = |bytes: &mut Vec<u8>, piece: &[u8]| drop(bytes.splice(from..from, piece.iter().copied()));
        match self.chance.u8(..7) {
            0 => bytes.get_mut(from).into_iter().for_each(|byte| *byte = self.chance.u8(..)),
            1 => bytes.get_mut(from).into_iter().for_each(|byte| *byte ^= 1 << self.chance.u8(..8)),
            2 => drop(bytes.drain(from..to)),
            3 => insert(&mut bytes, &part),
            4 => bytes.truncate(from),
            5 => {
                let other = self.chance.choice(inputs).map(Vec::as_slice).unwrap_or_default();
                bytes.truncate(from);
                bytes.extend_from_slice(other.get(self.chance.usize(..=other.len())..).unwrap_or_default());
            }
            _ => insert(&mut bytes, self.chance.choice(PIECES).unwrap_or_default().as_bytes()),
        }
        bytes
    }
}
