//! What senders said, kept as received.

use chrono::{DateTime, Utc};
use domain::{
    announcement::{About, Announcement, BuildRun, Haste, Moved, Pushed},
    evidence::BuilderReport,
    image::Reference,
};
use sqlx::{Row as _, any::AnyRow};

use crate::{
    AnnouncementId, Claim, DeliveryId, Error, Id, ReleaseId, Store,
    rows::{column, maybe_parsed, parsed, time},
    text::sentence,
};

mod batch;
mod intake;
mod replay;
mod retention;

pub(crate) use self::intake::Intake;
pub use self::replay::{Kept, Replay};

/// The longest id of a sender's delivery that is taken, in bytes; what is sent is a tenth of it.
const LONGEST_DELIVERY_ID: usize = 512;

/// One authenticated message from a sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewDelivery<'a> {
    /// Who sent it, by the name in the configuration.
    pub sender: &'a str,
    /// How the sender knows it again when it is repeated; at most 512 bytes.
    pub sender_delivery_id: &'a str,
    /// When it came.
    pub received_at: DateTime<Utc>,
    /// What came, byte by byte; the caller has limited its size.
    pub body: &'a [u8],
    /// What it says.
    pub elements: Vec<Element>,
}

/// One thing that a delivery says, whether it could be understood or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Element {
    /// It was understood, and what becomes of it is still to be found out.
    Announced(Announcement),
    /// It was understood, and is of no interest: there is nothing to be done about it.
    Ignored {
        /// What it says.
        announcement: Announcement,
        /// Why, in a sentence.
        reason: String,
    },
    /// It names something illegal.
    Unusable {
        /// What could be read; cut when it is long.
        text: String,
        /// What is wrong with it, in a sentence.
        reason: String,
    },
}

/// Whether a delivery is new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is; what it announces is due.
    New(DeliveryId),
    /// The same sender sent one with that id before; nothing was recorded.
    Repeated(DeliveryId),
}

/// An announcement with where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announced {
    /// The delivery that says it.
    pub delivery: DeliveryId,
    /// Who sent that.
    pub sender: String,
    /// What it says.
    pub announcement: Announcement,
    /// When it came.
    pub received_at: DateTime<Utc>,
}

/// What became of an announcement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnnouncementVerdict {
    /// It is of no interest.
    Ignored {
        /// Why, in a sentence.
        reason: String,
    },
    /// It was followed.
    Accepted {
        /// What was done, in a sentence.
        reason: String,
        /// The release that it is about, if it is about one.
        release: Option<ReleaseId>,
    },
}

impl Store {
    /// Records a delivery with what it says, unless its sender sent one with that id before.
    ///
    /// When this returns the delivery is on disk. Those that are recorded at the same time wait for the disk together.
    /// Repeatable; where the caller does not wait for the end, it may be recorded all the same. The oldest deliveries make room for it: of more than
    /// 100 000, those are deleted whose announcements are all settled.
    ///
    /// # Errors
    ///
    /// The id is too long, or the database failed or did not get to it in time.
    pub async fn record_delivery(&self, new: &NewDelivery<'_>) -> Result<Recorded, Error> {
        if new.sender_delivery_id.len() > LONGEST_DELIVERY_ID {
            return Err(Error::TooLong { what: "the sender's delivery id", longest: LONGEST_DELIVERY_ID });
        }
        self.intake().record(new.into()).await
    }

    /// What an announcement says and where it came from.
    ///
    /// # Errors
    ///
    /// It is not there or illegible, or the database failed.
    pub async fn announcement(&self, id: AnnouncementId) -> Result<Announced, Error> {
        let mut reading = self.read().await?;
        let row = sqlx::query(
            "select announcements.delivery_id, announcements.kind, announcements.repository, \
                 announcements.tag, announcements.claimed_digest, announcements.soon, announcements.about, \
                 announcements.workflow, announcements.run_url, deliveries.sender, deliveries.received_at_ms \
             from announcements join deliveries on deliveries.id = announcements.delivery_id \
             where announcements.id = $1",
        )
        .bind(id.key())
        .fetch_optional(&mut *reading)
        .await?
        .ok_or_else(|| Error::corrupt(format!("announcements: {id} is not there")))?;
        announced(&row)
    }

    /// What runs of workflows have posted of the images of a release, in the order in which that came.
    ///
    /// # Errors
    ///
    /// A row is illegible, or the database failed.
    pub async fn builder_reports(&self, release: ReleaseId) -> Result<Vec<BuilderReport>, Error> {
        let rows = sqlx::query(
            "select repository, tag, claimed_digest, workflow, run_url from announcements \
             where workflow is not null and exists (select 1 from builds \
                 where builds.release_id = $1 and builds.image_repository = announcements.repository \
                     and builds.tag = announcements.tag) \
             order by id",
        )
        .bind(release.key())
        .fetch_all(&mut *self.read().await?)
        .await?;
        let report = |row: &AnyRow| {
            Ok(BuilderReport {
                reference: Reference { repository: parsed(row, "repository")?, tag: parsed(row, "tag")? },
                digest: maybe_parsed(row, "claimed_digest")?,
                workflow: column(row, "workflow")?,
                run_url: column(row, "run_url")?,
            })
        };
        rows.iter().map(report).collect()
    }

    /// Records what became of an announcement; its work is done. Is this lost when the machine stops, so is that the work
    /// was done.
    ///
    /// # Errors
    ///
    /// The claim no longer holds on an announcement, or the database failed.
    pub async fn settle_announcement(&self, claim: &Claim, verdict: &AnnouncementVerdict) -> Result<(), Error> {
        let mut transaction = self.write_lazily().await?;
        let id = claim.hold_announcement(&mut transaction).await?;
        let (word, reason, release) = match verdict {
            AnnouncementVerdict::Ignored { reason } => ("ignored", reason, None),
            AnnouncementVerdict::Accepted { reason, release } => ("accepted", reason, *release),
        };
        sqlx::query("update announcements set verdict = $2, reason = $3, release_id = $4 where id = $1")
            .bind(id.key())
            .bind(word)
            .bind(sentence(reason))
            .bind(release.map(|release| release.key()))
            .execute(&mut *transaction)
            .await?;
        claim.finish(&mut transaction).await?;
        Ok(transaction.commit().await?)
    }

    /// Says why an announcement is still pending; a verdict replaces it.
    ///
    /// # Errors
    ///
    /// The claim no longer holds on an announcement, or the database failed.
    pub async fn explain_announcement(&self, claim: &Claim, reason: &str) -> Result<(), Error> {
        let mut transaction = self.write_lazily().await?;
        let id = claim.hold_announcement(&mut transaction).await?;
        sqlx::query("update announcements set reason = $2 where id = $1")
            .bind(id.key())
            .bind(sentence(reason))
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }
}

/// The run of a workflow, where one has shown itself.
fn run(row: &AnyRow) -> Result<Option<BuildRun>, Error> {
    let (workflow, url): (Option<String>, Option<String>) = (column(row, "workflow")?, column(row, "run_url")?);
    Ok(workflow.zip(url).map(|(workflow, url)| BuildRun { workflow, url }))
}

fn announced(row: &AnyRow) -> Result<Announced, Error> {
    let announcement = match row.try_get("kind")? {
        "pushed" => Announcement::Pushed(Pushed {
            repository: parsed(row, "repository")?,
            tag: parsed(row, "tag")?,
            claimed_digest: maybe_parsed(row, "claimed_digest")?,
            run: run(row)?,
        }),
        "moved" => Announcement::Moved(Moved {
            repository: parsed(row, "repository")?,
            about: maybe_parsed(row, "about")?.unwrap_or(About::Repository),
            haste: if row.try_get::<i64, _>("soon")? != 0 { Haste::Soon } else { Haste::Now },
        }),
        _ => return Err(Error::corrupt("announcements.kind")),
    };
    Ok(Announced {
        delivery: column(row, "delivery_id").map(Id::new)?,
        sender: column(row, "sender")?,
        announcement,
        received_at: time(row, "received_at_ms")?,
    })
}
