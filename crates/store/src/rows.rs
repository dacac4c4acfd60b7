//! Columns to our nouns and back. What does not parse back names its column.

use std::{str::FromStr, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use domain::{image::Reference, release::Build};
use sqlx::{Any, ColumnIndex, Decode, Row as _, Type, any::AnyRow};

use crate::{Error, Id};

/// The value of a column as the database gives it.
pub(crate) fn column<'r, T>(row: &'r AnyRow, name: &'static str) -> Result<T, Error>
where
    T: Decode<'r, Any> + Type<Any>,
    &'static str: ColumnIndex<AnyRow>,
{
    row.try_get(name).map_err(Error::Database)
}

/// The value of a text column that was written by `Display`.
pub(crate) fn parsed<T: FromStr>(row: &AnyRow, name: &'static str) -> Result<T, Error> {
    parse(column(row, name)?, name)
}

/// The value of a text column that may be null.
pub(crate) fn maybe_parsed<T: FromStr>(row: &AnyRow, name: &'static str) -> Result<Option<T>, Error> {
    column::<Option<&str>>(row, name)?.map(|text| parse(text, name)).transpose()
}

/// The value of a column that holds a key.
pub(crate) fn id<Of>(row: &AnyRow, name: &'static str) -> Result<Id<Of>, Error> {
    column(row, name).map(Id::new)
}

/// The value of a column of milliseconds.
pub(crate) fn time(row: &AnyRow, name: &'static str) -> Result<DateTime<Utc>, Error> {
    from_millis(column(row, name)?, name)
}

/// The value of a column of milliseconds that may be null.
pub(crate) fn maybe_time(row: &AnyRow, name: &'static str) -> Result<Option<DateTime<Utc>>, Error> {
    column::<Option<i64>>(row, name)?.map(|value| from_millis(value, name)).transpose()
}

/// The value of a column that holds a number from 0.
pub(crate) fn unsigned<T: TryFrom<i64>>(row: &AnyRow, name: &'static str) -> Result<T, Error> {
    match T::try_from(column(row, name)?) {
        Ok(value) => Ok(value),
        Err(_) => Err(Error::corrupt(name)),
    }
}

/// A row of the table of builds.
pub(crate) fn build(row: &AnyRow) -> Result<Build, Error> {
    Ok(Build {
        target: parsed(row, "target")?,
        reference: Reference { repository: parsed(row, "image_repository")?, tag: parsed(row, "tag")? },
        digest: parsed(row, "digest")?,
        found_at: time(row, "found_at_ms")?,
    })
}

/// A time for a column: milliseconds since 1970, UTC.
pub(crate) const fn millis(time: DateTime<Utc>) -> i64 {
    time.timestamp_millis()
}

/// When a lease that begins now is over, for a column.
pub(crate) fn lease_end(now: DateTime<Utc>, lease: Duration) -> i64 {
    let end = TimeDelta::from_std(lease)
        .ok()
        .and_then(|lease| now.checked_add_signed(lease))
        .unwrap_or(DateTime::<Utc>::MAX_UTC);
    millis(end)
}

/// A text that was written by `Display`.
pub(crate) fn parse<T: FromStr>(text: &str, name: &'static str) -> Result<T, Error> {
    match text.parse() {
        Ok(value) => Ok(value),
        Err(_) => Err(Error::corrupt(name)),
    }
}

fn from_millis(value: i64, name: &'static str) -> Result<DateTime<Utc>, Error> {
    DateTime::from_timestamp_millis(value).ok_or_else(|| Error::corrupt(name))
}
