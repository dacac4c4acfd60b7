//! Logs: to standard error, readable or as JSON.

use tracing_subscriber::{EnvFilter, filter::ParseError, fmt, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What is not logged unless the filter asks for it: octocrab reports each failed request as an error by itself,
/// while we report it once, where it is handled.
const QUIET: &str = "octocrab=off";

/// Begins to log to standard error; `filter` is as in `info,forge=debug`.
///
/// # Errors
///
/// The filter can not be understood.
pub fn start(filter: &str, format: Format) -> Result<(), ParseError> {
    let filter = EnvFilter::builder().parse(format!("{QUIET},{filter}"))?;
    let subscriber = tracing_subscriber::registry().with(filter);
    let started = match format {
        Format::Text => subscriber.with(fmt::layer().with_writer(std::io::stderr).with_ansi(false)).try_init(),
        Format::Json => subscriber.with(fmt::layer().with_writer(std::io::stderr).json()).try_init(),
    };
    if let Err(error) = started {
        tracing::warn!(%error, "something else logs already; its settings stay");
    }
    Ok(())
}
