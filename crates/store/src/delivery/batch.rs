//! How the deliveries of one transaction are written: a statement for each table, whatever their number.

use std::collections::HashMap;

use domain::{
    announcement::{Announcement, BuildRun, Haste},
    image::{Digest, Tag},
};
use sqlx::{AnyConnection, Row as _};

use super::{Element, Recorded, intake::Entry, retention};
use crate::{
    DeliveryId, Error,
    rows::{id, millis},
    statement::Statement,
    text::{LONGEST_LINE, bounded, sentence},
    work,
};

/// How many announcements one statement adds; each takes twelve of the 32 766 parameters that a statement may have
/// (<https://www.sqlite.org/limits.html>).
const ROWS: usize = 1_000;

/// Records deliveries, in their order. Of several with the same sender and id the first is new, if any is.
pub(super) async fn record(connection: &mut AnyConnection, entries: &[Entry]) -> Result<Vec<Recorded>, Error> {
    let mut inserted = insert_deliveries(connection, entries).await?;
    let mut added: Vec<DeliveryId> = inserted.values().copied().collect();
    added.sort_unstable();
    let mut known = HashMap::new();
    let mut recorded = Vec::with_capacity(entries.len());
    let mut announcements = Vec::new();
    for entry in entries {
        let key = (entry.sender.as_str(), entry.sender_delivery_id.as_str());
        let answer = if let Some(delivery) = inserted.remove(&key) {
            announcements.extend(entry.elements.iter().map(|element| (delivery, element)));
            known.insert(key, delivery);
            Recorded::New(delivery)
        } else if let Some(delivery) = known.get(&key) {
            Recorded::Repeated(*delivery)
        } else {
            let delivery = find_delivery(connection, entry).await?;
            known.insert(key, delivery);
            Recorded::Repeated(delivery)
        };
        recorded.push(answer);
    }
    insert_all_announcements(connection, &announcements).await?;
    if let (Some(first), Some(last)) = (added.first(), added.last()) {
        work::add_announcements(connection, &added).await?;
        retention::delete_oldest(connection, *first, *last, retention::MOST_DELIVERIES).await?;
    }
    Ok(recorded)
}

/// Adds those that are not there, and gives their keys by sender and id.
async fn insert_deliveries<'a>(
    connection: &mut AnyConnection,
    entries: &'a [Entry],
) -> Result<HashMap<(&'a str, &'a str), DeliveryId>, Error> {
    let mut statement =
        Statement::new("insert into deliveries (sender, sender_delivery_id, received_at_ms, body) values ");
    for (position, entry) in entries.iter().enumerate() {
        statement.push(if position == 0 { "(" } else { ", (" });
        statement.bind(entry.sender.as_str())?.push(", ").bind(entry.sender_delivery_id.as_str())?;
        statement.push(", ").bind(millis(entry.received_at))?.push(", ").bind(entry.body.as_slice())?.push(")");
    }
    statement.push(" on conflict (sender, sender_delivery_id) do nothing returning id, sender, sender_delivery_id");
    let rows = statement.build().fetch_all(connection).await?;
    let mut by_text = HashMap::with_capacity(rows.len());
    for row in &rows {
        by_text
            .insert((row.try_get::<&str, _>("sender")?, row.try_get::<&str, _>("sender_delivery_id")?), id(row, "id")?);
    }
    let keys = entries.iter().map(|entry| (entry.sender.as_str(), entry.sender_delivery_id.as_str()));
    Ok(keys.filter_map(|key| by_text.get(&key).map(|delivery| (key, *delivery))).collect())
}

async fn find_delivery(connection: &mut AnyConnection, entry: &Entry) -> Result<DeliveryId, Error> {
    let row = sqlx::query("select id from deliveries where sender = $1 and sender_delivery_id = $2")
        .bind(entry.sender.as_str())
        .bind(entry.sender_delivery_id.as_str())
        .fetch_one(connection)
        .await?;
    id(&row, "id")
}

/// Adds announcements, however many; a later one gets a higher key.
pub(super) async fn insert_all_announcements(
    connection: &mut AnyConnection,
    announcements: &[(DeliveryId, &Element)],
) -> Result<(), Error> {
    for some in announcements.chunks(ROWS) {
        insert_announcements(connection, some).await?;
    }
    Ok(())
}

async fn insert_announcements(
    connection: &mut AnyConnection,
    announcements: &[(DeliveryId, &Element)],
) -> Result<(), Error> {
    let mut statement = Statement::new(
        "insert into announcements \
             (delivery_id, kind, repository, site, tag, claimed_digest, soon, about, workflow, run_url, unusable_text, verdict, reason) \
         values ",
    );
    for (position, (delivery, element)) in announcements.iter().enumerate() {
        let columns = Columns::of(element);
        statement.push(if position == 0 { "(" } else { ", (" });
        statement.bind(delivery.key())?.push(", ").bind(columns.kind)?.push(", ").bind(columns.repository)?;
        statement.push(", ").bind(columns.site)?;
        statement.push(", ").bind(columns.tag.map(Tag::as_str))?;
        statement.push(", ").bind(columns.claimed_digest.map(Digest::as_str))?;
        statement.push(", ").bind(i64::from(columns.soon))?.push(", ").bind(columns.about)?;
        statement.push(", ").bind(columns.run.map(|run| run.workflow.as_str()))?;
        statement.push(", ").bind(columns.run.map(|run| run.url.as_str()))?;
        statement.push(", ").bind(columns.unusable_text)?.push(", ").bind(columns.verdict)?;
        statement.push(", ").bind(columns.reason)?.push(")");
    }
    statement.build().execute(connection).await?;
    Ok(())
}

/// An element as the table of announcements has it.
#[derive(Default)]
pub(super) struct Columns<'a> {
    pub(super) kind: &'static str,
    pub(super) repository: Option<String>,
    pub(super) site: &'a str,
    pub(super) tag: Option<&'a Tag>,
    pub(super) claimed_digest: Option<&'a Digest>,
    pub(super) soon: bool,
    pub(super) about: Option<String>,
    pub(super) run: Option<&'a BuildRun>,
    pub(super) unusable_text: Option<String>,
    pub(super) verdict: &'static str,
    pub(super) reason: Option<String>,
}

impl<'a> Columns<'a> {
    pub(super) fn of(element: &'a Element) -> Self {
        match element {
            Element::Announced(announcement) => Self { verdict: "pending", ..Self::of_announcement(announcement) },
            Element::Ignored { announcement, reason } => {
                Self { verdict: "ignored", reason: Some(sentence(reason)), ..Self::of_announcement(announcement) }
            }
            Element::Unusable { text, reason } => Self {
                kind: "unusable",
                unusable_text: Some(bounded(text, LONGEST_LINE)),
                verdict: "unusable",
                reason: Some(sentence(reason)),
                ..Self::default()
            },
        }
    }

    fn of_announcement(announcement: &'a Announcement) -> Self {
        match announcement {
            Announcement::Pushed(pushed) => Self {
                kind: "pushed",
                repository: Some(pushed.repository.to_string()),
                site: pushed.repository.host().as_str(),
                tag: Some(&pushed.tag),
                claimed_digest: pushed.claimed_digest.as_ref(),
                run: pushed.run.as_ref(),
                ..Self::default()
            },
            Announcement::Moved(moved) => Self {
                kind: "moved",
                repository: Some(moved.repository.to_string()),
                soon: moved.haste == Haste::Soon,
                about: Some(moved.about.to_string()),
                ..Self::default()
            },
        }
    }
}
