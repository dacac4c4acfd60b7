//! The lines that these commands add to those of the programs they run.

use std::{
    fmt,
    io::{self, IsTerminal as _, Write as _},
};

use anyhow::Context as _;

/// Prints one line, bold on a terminal, so that it is found between what the stages print.
///
/// # Errors
/// Standard output is closed.
pub(crate) fn line(text: fmt::Arguments<'_>) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    let printed =
        if out.is_terminal() { writeln!(out, "\x1b[1mxtask: {text}\x1b[0m") } else { writeln!(out, "xtask: {text}") };
    printed.and_then(|()| out.flush()).context("standard output is closed")
}
