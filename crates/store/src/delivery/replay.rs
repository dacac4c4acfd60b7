//! What a delivery says is to be looked at once more.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use sqlx::{AnyConnection, Row as _, any::AnyRow};

use super::{
    Element,
    batch::{self, Columns},
};
use crate::{
    AnnouncementId, DeliveryId, Error, ReleaseId, Store,
    ledger::{self, Entry},
    rows::{column, id},
    text::sentence,
    work,
};

/// Somebody's wish that a delivery is looked at once more.
#[derive(Clone, Copy, Debug)]
pub struct Replay<'a> {
    /// Whose wish it is, by a name that people know.
    pub by: &'a str,
    /// When it was made; what is to be looked at is due since then.
    pub at: DateTime<Utc>,
    /// What the body says as it is read now; empty where it could not be read again.
    pub read_anew: &'a [Element],
}

/// A delivery's body as it was received, with who sent it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The sender, by its name in the configuration of that time.
    pub sender: String,
    /// What came, byte by byte; `None` where it was dropped because of its age.
    pub body: Option<Vec<u8>>,
}

impl Store {
    /// What was received; `None` when there is no such delivery, or none any more.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn kept(&self, delivery: DeliveryId) -> Result<Option<Kept>, Error> {
        let mut reading = self.read().await?;
        let row = sqlx::query("select sender, body, body_dropped from deliveries where id = $1")
            .bind(delivery.key())
            .fetch_optional(&mut *reading)
            .await?;
        let kept = |row: AnyRow| {
            let is_dropped = column::<i64>(&row, "body_dropped")? != 0;
            let body = if is_dropped { None } else { Some(column(&row, "body")?) };
            Ok(Kept { sender: column(&row, "sender")?, body })
        };
        row.map(kept).transpose()
    }

    /// Makes what a delivery announces pending again and due, and says how many announcements that are; `None` when
    /// there is no such delivery, or none any more.
    ///
    /// What is pending already stays as it is, so that of two replays at once the second changes nothing. What is read
    /// now and was not before is added; what was read before is tried again, whatever is read now. What was unusable
    /// gives way to what is so now, if anything at all can be used as it is read now. Of a release that an announcement
    /// was accepted for, the ledger says who replayed it, and the announcement still names it: no second promotion of
    /// it is opened for anything that the delivery says.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn replay_delivery(&self, delivery: DeliveryId, replay: &Replay<'_>) -> Result<Option<usize>, Error> {
        let mut transaction = self.write().await?;
        // Nobody else replays it until this is over.
        let there = sqlx::query("update deliveries set received_at_ms = received_at_ms where id = $1")
            .bind(delivery.key())
            .execute(&mut *transaction)
            .await?;
        if there.rows_affected() == 0 {
            return Ok(None);
        }
        if replay.read_anew.iter().any(|element| matches!(element, Element::Announced(_))) {
            replace_reading(&mut transaction, delivery, replay.read_anew).await?;
        }
        let reopened = reopen(&mut transaction, delivery, &format!("replayed by {}", replay.by)).await?;
        for release in reopened.iter().filter_map(|one| one.release).collect::<BTreeSet<_>>() {
            record_replayed(&mut transaction, (delivery, release), replay).await?;
        }
        work::add_idle_announcements(&mut transaction, delivery, replay.at).await?;
        transaction.commit().await?;
        Ok(Some(reopened.len()))
    }
}

/// An announcement that is pending again.
struct Reopened {
    release: Option<ReleaseId>,
}

/// An announcement as it is recorded. The digest of a tag is a hint of its sender: one that is read otherwise makes no
/// other announcement.
#[derive(PartialEq, Eq)]
struct Recorded {
    kind: String,
    repository: Option<String>,
    tag: Option<String>,
    unusable_text: Option<String>,
    /// Why it is unusable; of others a reason says what became of them, and not what they are.
    unusable_reason: Option<String>,
}

impl Recorded {
    fn of_row(row: &AnyRow) -> Result<Self, Error> {
        let kind: String = column(row, "kind")?;
        let reason: Option<String> = column(row, "reason")?;
        Ok(Self {
            unusable_reason: reason.filter(|_| kind == "unusable"),
            kind,
            repository: column(row, "repository")?,
            tag: column(row, "tag")?,
            unusable_text: column(row, "unusable_text")?,
        })
    }

    fn of_element(element: &Element) -> Self {
        let Columns { kind, repository, tag, unusable_text, reason, .. } = Columns::of(element);
        Self {
            kind: kind.to_owned(),
            repository,
            tag: tag.map(ToString::to_string),
            unusable_text,
            unusable_reason: reason,
        }
    }
}

/// Adds what was not recorded yet, and takes away what was unusable and is not said any more.
async fn replace_reading(
    connection: &mut AnyConnection,
    delivery: DeliveryId,
    read_anew: &[Element],
) -> Result<(), Error> {
    let recorded = recorded(connection, delivery).await?;
    let wanted: Vec<Recorded> = read_anew.iter().map(Recorded::of_element).collect();
    for (announcement, one) in &recorded {
        if one.kind == "unusable" && !wanted.contains(one) {
            delete(connection, *announcement).await?;
        }
    }
    let is_new = |one: &Recorded| recorded.iter().all(|(_, known)| known != one);
    let added = read_anew.iter().zip(&wanted).filter(|(_, one)| is_new(one));
    let added: Vec<(DeliveryId, &Element)> = added.map(|(element, _)| (delivery, element)).collect();
    batch::insert_all_announcements(connection, &added).await
}

async fn recorded(
    connection: &mut AnyConnection,
    delivery: DeliveryId,
) -> Result<Vec<(AnnouncementId, Recorded)>, Error> {
    sqlx::query(
        "select id, kind, repository, tag, unusable_text, reason \
         from announcements where delivery_id = $1 order by id",
    )
    .bind(delivery.key())
    .fetch_all(connection)
    .await?
    .iter()
    .map(|row| Ok((id(row, "id")?, Recorded::of_row(row)?)))
    .collect()
}

async fn delete(connection: &mut AnyConnection, unusable: AnnouncementId) -> Result<(), Error> {
    sqlx::query("delete from announcements where id = $1").bind(unusable.key()).execute(connection).await?;
    Ok(())
}

/// Makes every announcement pending that can be used and nobody is to look at yet.
async fn reopen(connection: &mut AnyConnection, delivery: DeliveryId, reason: &str) -> Result<Vec<Reopened>, Error> {
    sqlx::query(
        "update announcements set verdict = 'pending', reason = $2 \
         where delivery_id = $1 and kind <> 'unusable' and not exists (select 1 from work \
             where work.subject_kind = 'announcement' and work.subject_id = announcements.id) \
         returning release_id",
    )
    .bind(delivery.key())
    .bind(sentence(reason))
    .fetch_all(connection)
    .await?
    .iter()
    .map(|row| {
        let release = row.try_get::<Option<i64>, _>("release_id")?;
        Ok(Reopened { release: release.map(ReleaseId::new) })
    })
    .collect()
}

async fn record_replayed(
    connection: &mut AnyConnection,
    (delivery, release): (DeliveryId, ReleaseId),
    replay: &Replay<'_>,
) -> Result<(), Error> {
    let entry = Entry {
        release,
        promotion: None,
        at: replay.at,
        what: "replayed",
        why: sentence(&format!("delivery {delivery} was replayed by {}", replay.by)),
        link: None,
    };
    ledger::append(connection, &entry).await
}
