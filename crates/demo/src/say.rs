//! How it looks: one line for each thing that happens, with the seconds since the start in front.

mod brief;

use std::{
    fmt,
    io::{self, IsTerminal as _, Write as _},
    time::Instant,
};

use anyhow::{Context as _, Result};

pub(crate) use brief::brief;

/// Where the text of a line begins: after the time, a sign and a noun.
const NOUN_WIDTH: usize = 13;

/// What kind of line it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sign {
    /// Somebody did something.
    Step,
    /// Tagferry waits.
    Wait,
    /// It is as it should be.
    Good,
    /// It is not asked for.
    Aside,
    /// It is turned away, as it should be.
    No,
}

/// Who tells the story on standard output.
#[derive(Debug)]
pub(crate) struct Teller {
    start: Instant,
    colours: bool,
}

impl Sign {
    const fn glyph(self) -> &'static str {
        match self {
            Self::Step => "→",
            Self::Wait => "…",
            Self::Good => "✓",
            Self::Aside => "–",
            Self::No => "✗",
        }
    }

    /// The colour as a parameter of `SGR` (ECMA-48, 8.3.117).
    const fn colour(self) -> &'static str {
        match self {
            Self::Step => "36",
            Self::Wait => "33",
            Self::Good => "32",
            Self::Aside => "90",
            Self::No => "31",
        }
    }
}

impl Teller {
    /// Begins to count; colours only where a person looks at a terminal.
    pub(crate) fn new(no_colours: bool) -> Self {
        Self { start: Instant::now(), colours: !no_colours && io::stdout().is_terminal() }
    }

    /// Whether there are colours.
    pub(crate) const fn colours(&self) -> bool {
        self.colours
    }

    /// Begins a chapter.
    ///
    /// # Errors
    ///
    /// Standard output is closed.
    pub(crate) fn chapter(&self, title: &str) -> Result<()> {
        self.plain("")?;
        self.plain(&self.painted("1", title))
    }

    /// Says what happened, to whom or what.
    ///
    /// # Errors
    ///
    /// Standard output is closed.
    pub(crate) fn line(&self, sign: Sign, noun: &str, text: &str) -> Result<()> {
        let time = self.painted("2", &format!("{:>6.2} s", self.start.elapsed().as_secs_f64()));
        let glyph = self.painted(sign.colour(), sign.glyph());
        self.plain(&format!("{time}  {glyph} {noun:<NOUN_WIDTH$} {text}"))
    }

    /// Says more about the line before.
    ///
    /// # Errors
    ///
    /// Standard output is closed.
    pub(crate) fn more(&self, text: &str) -> Result<()> {
        let indent = "1234.56 s  → ".chars().count() + NOUN_WIDTH;
        self.plain(&format!("{:indent$}{text}", ""))
    }

    /// Shows what a program printed, a little to the right.
    ///
    /// # Errors
    ///
    /// Standard output is closed.
    pub(crate) fn quote(&self, printed: &str) -> Result<()> {
        printed.lines().try_for_each(|line| self.plain(&format!("    {line}")))
    }

    /// Says a line without a time.
    ///
    /// # Errors
    ///
    /// Standard output is closed.
    #[expect(clippy::unused_self, reason = "whoever may speak has a teller")]
    pub(crate) fn plain(&self, text: &str) -> Result<()> {
        let mut out = io::stdout().lock();
        writeln!(out, "{}", text.trim_end()).and_then(|()| out.flush()).context("standard output is closed")
    }

    /// Text in a colour or weight, where there are colours.
    pub(crate) fn painted(&self, parameter: &str, text: &str) -> String {
        if self.colours { format!("\x1b[{parameter}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Says on standard error what is going on before the story.
#[expect(clippy::print_stderr, reason = "progress belongs on standard error")]
pub(crate) fn progress(text: fmt::Arguments<'_>) {
    eprintln!("demo: {text}");
}

/// Says on standard error why the demo failed.
#[expect(clippy::print_stderr, reason = "a command says on standard error why it failed")]
pub(crate) fn complain(error: &anyhow::Error) {
    eprintln!("demo: {error:#}");
}

/// Shows on standard error how logs ended.
#[expect(clippy::print_stderr, reason = "what helps to find a fault belongs beside it")]
pub(crate) fn logs(tails: &str) {
    eprint!("{tails}");
}
