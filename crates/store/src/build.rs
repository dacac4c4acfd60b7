//! Builds become releases, and releases open promotions.

use chrono::{DateTime, Utc};
use domain::{
    application::Name,
    commit::Commit,
    forge::{self, Branch},
    release::Build,
};
use sqlx::AnyConnection;

use crate::{
    AnnouncementId, Claim, Error, PromotionId, ReleaseId, Store, Subject,
    ledger::{self, Entry},
    promotion::opening::{self, Opening},
    rows::{self, column, id, millis},
    work,
};

/// A build that a registry confirmed, and where its release would go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewBuild<'a> {
    /// Whose build it is.
    pub application: &'a Name,
    /// What it was built from.
    pub commit: Commit,
    /// Where the overlays of the application are.
    pub gitops: &'a forge::Repository,
    /// The branch that its pull requests are merged into.
    pub base: &'a Branch,
    /// What was found, and when.
    pub build: &'a Build,
    /// Whether somebody told us of it: what we came across ourselves is no wish to have a superseded release again.
    pub told: bool,
}

/// What recording a build changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordedBuild {
    /// The release that the build belongs to.
    pub release: ReleaseId,
    /// Whether it was not known yet, or became the target's newest build again.
    pub new_build: bool,
    /// The promotion that was opened now.
    pub promotion: Option<PromotionId>,
}

impl Store {
    /// Records a build with its release, and opens a promotion or wakes the one that is open.
    ///
    /// A promotion is opened when the release has none; when the last one was refused and the build is new, for what
    /// was refused for a missing or wrong image gets a new chance; and when the last one was superseded and the image
    /// was pushed again, for what superseded it need not have landed. What a person declined gets no other. What
    /// is replayed is no new push, where its delivery was accepted before. Repeatable.
    ///
    /// # Errors
    ///
    /// The claim no longer holds, or the database failed.
    pub async fn record_build(&self, claim: &Claim, new: &NewBuild<'_>) -> Result<RecordedBuild, Error> {
        let mut transaction = self.write().await?;
        claim.hold(&mut transaction).await?;
        let release = ensure_release(&mut transaction, new).await?;
        let is_first = is_first_of_target(&mut transaction, release, new.build).await?;
        let new_build = upsert_build(&mut transaction, release, new.build).await?;
        if is_first && new.told {
            note_told(&mut transaction, release, new.build).await?;
        }
        if new_build {
            record_found(&mut transaction, release, new.build).await?;
            work::wake_release(&mut transaction, release, new.build.found_at).await?;
        }
        let is_to_open = match last_promotion(&mut transaction, release).await? {
            Last::None => true,
            Last::Refused => new_build,
            // The first images of a release that is overtaken meanwhile are no wish to have it all the same.
            Last::Superseded => {
                new.told && !is_first && !was_accepted(&mut transaction, claim.subject, release).await?
            }
            Last::Other => false,
        };
        let promotion = if is_to_open { Some(open_promotion(&mut transaction, release, new).await?) } else { None };
        if let Subject::Announcement(announcement) = claim.subject {
            name_release(&mut transaction, announcement, release).await?;
        }
        transaction.commit().await?;
        Ok(RecordedBuild { release, new_build, promotion })
    }

    /// Makes the unsettled promotion of a release due then, if not before: something about its images is known now.
    /// Idempotent.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn wake_release(&self, release: ReleaseId, at: DateTime<Utc>) -> Result<(), Error> {
        let mut transaction = self.write_lazily().await?;
        work::wake_release(&mut transaction, release, at).await?;
        Ok(transaction.commit().await?)
    }

    /// The builds of a release, in the order in which they were found.
    ///
    /// # Errors
    ///
    /// A row is illegible, or the database failed.
    pub async fn builds(&self, release: ReleaseId) -> Result<Vec<Build>, Error> {
        builds_of(&mut *self.read().await?, release).await
    }
}

/// The builds of a release, in the order in which they were found.
pub(crate) async fn builds_of(connection: &mut AnyConnection, release: ReleaseId) -> Result<Vec<Build>, Error> {
    sqlx::query(
        "select target, image_repository, tag, digest, found_at_ms \
         from builds where release_id = $1 order by found_at_ms, id",
    )
    .bind(release.key())
    .fetch_all(connection)
    .await?
    .iter()
    .map(rows::build)
    .collect()
}

/// The release, which nobody else adds a build to until the transaction ends: what is added to it is decided by what it has.
pub(crate) async fn ensure_release(connection: &mut AnyConnection, new: &NewBuild<'_>) -> Result<ReleaseId, Error> {
    let row = sqlx::query(
        "insert into releases (application, source_commit, created_at_ms) values ($1, $2, $3) \
         on conflict (application, source_commit) do update set created_at_ms = releases.created_at_ms \
         returning id",
    )
    .bind(new.application.as_str())
    .bind(new.commit.to_string())
    .bind(millis(new.build.found_at))
    .fetch_one(connection)
    .await?;
    id(&row, "id")
}

/// Whether the target has no build of the release yet.
/// Whether nobody has told of a build of the target before.
async fn is_first_of_target(connection: &mut AnyConnection, release: ReleaseId, build: &Build) -> Result<bool, Error> {
    let row = sqlx::query("select 1 from builds where release_id = $1 and target = $2 and told <> 0 limit 1")
        .bind(release.key())
        .bind(build.target.as_str())
        .fetch_optional(connection)
        .await?;
    Ok(row.is_none())
}

/// Whether the announcement was accepted before, or its delivery was for this release: then it names one.
async fn was_accepted(connection: &mut AnyConnection, subject: Subject, release: ReleaseId) -> Result<bool, Error> {
    let Subject::Announcement(announcement) = subject else { return Ok(false) };
    let row = sqlx::query(
        "select 1 from announcements as own where own.id = $1 and (own.release_id is not null \
             or exists (select 1 from announcements as other \
                 where other.delivery_id = own.delivery_id and other.release_id = $2))",
    )
    .bind(announcement.key())
    .bind(release.key())
    .fetch_optional(connection)
    .await?;
    Ok(row.is_some())
}

/// Has an announcement name its release before it is settled: should that be lost, it is no new push when it is looked
/// at again.
async fn name_release(
    connection: &mut AnyConnection,
    announcement: AnnouncementId,
    release: ReleaseId,
) -> Result<(), Error> {
    sqlx::query("update announcements set release_id = $2 where id = $1 and release_id is null")
        .bind(announcement.key())
        .bind(release.key())
        .execute(connection)
        .await?;
    Ok(())
}

/// Adds a build and says whether anything changed.
///
/// A tag that was moved away and back is found anew: a known build that is not the target's newest becomes that,
/// unless the newest was found later still, by a call that overtook this one.
pub(crate) async fn upsert_build(
    connection: &mut AnyConnection,
    release: ReleaseId,
    build: &Build,
) -> Result<bool, Error> {
    let done = sqlx::query(
        "insert into builds (release_id, target, image_repository, tag, digest, found_at_ms, told) \
         values ($1, $2, $3, $4, $5, $6, 0) \
         on conflict (release_id, target, digest) do update \
         set image_repository = excluded.image_repository, tag = excluded.tag, \
             found_at_ms = excluded.found_at_ms \
         where (select max(other.found_at_ms) from builds as other \
                where other.release_id = builds.release_id and other.target = builds.target) \
             between builds.found_at_ms + 1 and excluded.found_at_ms - 1",
    )
    .bind(release.key())
    .bind(build.target.as_str())
    .bind(build.reference.repository.to_string())
    .bind(build.reference.tag.as_str())
    .bind(build.digest.as_str())
    .bind(millis(build.found_at))
    .execute(connection)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Notes that somebody told of a build of the target.
async fn note_told(connection: &mut AnyConnection, release: ReleaseId, build: &Build) -> Result<(), Error> {
    sqlx::query("update builds set told = 1 where release_id = $1 and target = $2")
        .bind(release.key())
        .bind(build.target.as_str())
        .execute(connection)
        .await?;
    Ok(())
}

async fn record_found(connection: &mut AnyConnection, release: ReleaseId, build: &Build) -> Result<(), Error> {
    let entry = Entry {
        release,
        promotion: None,
        at: build.found_at,
        what: "build",
        why: format!("{} has {} at {}", build.target, build.reference, build.digest.short()),
        link: None,
    };
    ledger::append(connection, &entry).await
}

/// The last promotion of a release, as far as it matters for opening another.
enum Last {
    None,
    Refused,
    Superseded,
    Other,
}

async fn last_promotion(connection: &mut AnyConnection, release: ReleaseId) -> Result<Last, Error> {
    let row = sqlx::query("select outcome from promotions where release_id = $1 order by id desc limit 1")
        .bind(release.key())
        .fetch_optional(connection)
        .await?;
    let Some(row) = row else {
        return Ok(Last::None);
    };
    Ok(match column(&row, "outcome")? {
        Some("refused") => Last::Refused,
        Some("superseded") => Last::Superseded,
        Some(_) | None => Last::Other,
    })
}

async fn open_promotion(
    connection: &mut AnyConnection,
    release: ReleaseId,
    new: &NewBuild<'_>,
) -> Result<PromotionId, Error> {
    let NewBuild { application, commit, gitops, base, build, told: _ } = *new;
    let opening = Opening { release, application, commit, gitops, base };
    opening::open(connection, &opening, "", build.found_at).await
}
