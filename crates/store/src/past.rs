//! Releases that only Git told of.

use chrono::{DateTime, Utc};
use domain::{
    application::Name,
    commit::Commit,
    forge::{self, Branch, Number},
    promotion::Outcome,
    release::Build,
};

use crate::{
    Error, Store,
    build::{NewBuild, ensure_release, upsert_build},
    ledger::{self, Entry},
    outcome::Columns,
    rows::{column, millis, parsed},
    statement::Statement,
    text,
};

/// A release that was merged without us, or before anything that we remember.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past<'a> {
    /// What was released.
    pub application: &'a Name,
    /// What it was built from.
    pub commit: Commit,
    /// Where its overlays are.
    pub gitops: &'a forge::Repository,
    /// The branch that it was merged into.
    pub base: &'a Branch,
    /// The commit that it became there.
    pub merge: Commit,
    /// When that was.
    pub merged_at: DateTime<Utc>,
    /// Its pull request with its address, where the forge knows one.
    pub pull_request: Option<(Number, String)>,
    /// What it was made of, as far as that is told.
    pub builds: &'a [Build],
}

impl Store {
    /// Records a release that was merged, unless a promotion of it is known; whether it did. Repeatable.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn record_past(&self, past: &Past<'_>) -> Result<bool, Error> {
        let Past { application, commit, gitops, base, .. } = *past;
        let Some(first) = past.builds.first() else { return Ok(false) };
        let mut transaction = self.write().await?;
        let release = ensure_release(
            &mut transaction,
            &NewBuild { application, commit, gitops, base, build: first, told: false },
        )
        .await?;
        let known = sqlx::query("select 1 from promotions where release_id = $1 limit 1")
            .bind(release.key())
            .fetch_optional(&mut *transaction)
            .await?;
        if known.is_some() {
            return Ok(false);
        }
        for build in past.builds {
            upsert_build(&mut transaction, release, build).await?;
        }
        let columns = Columns::from(&Outcome::Merged { commit: Some(past.merge) });
        let (number, url) = past.pull_request.as_ref().map(|(number, url)| (number.0, url.as_str())).unzip();
        let link = text::link(url);
        sqlx::query(
            "insert into promotions (release_id, application, gitops_repository, base, opened_at_ms, settled_at_ms, \
                 pull_request, pull_request_url, outcome, outcome_commit) \
             values ($1, $2, $3, $4, $5, $5, $6, $7, $8, $9)",
        )
        .bind(release.key())
        .bind(application.as_str())
        .bind(gitops.to_string())
        .bind(base.as_str())
        .bind(millis(past.merged_at))
        .bind(number.and_then(|number| i64::try_from(number).ok()))
        .bind(&link)
        .bind(&columns.word)
        .bind(&columns.commit)
        .execute(&mut *transaction)
        .await?;
        let why = format!("merged as {}: the history of {gitops} tells it", past.merge.short());
        let entry = Entry { release, promotion: None, at: past.merged_at, what: "settled", why, link };
        ledger::append(&mut transaction, &entry).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Of these commits, the targets that have a build of each.
    ///
    /// # Errors
    ///
    /// A row is illegible, or the database failed.
    pub async fn built(&self, application: &Name, commits: &[Commit]) -> Result<Vec<(Commit, Name)>, Error> {
        let statement = of_commits(
            "select distinct releases.source_commit, builds.target from releases \
             join builds on builds.release_id = releases.id where releases.application = ",
            application,
            commits,
        )?;
        let rows = statement.build().fetch_all(&mut *self.read().await?).await?;
        rows.iter().map(|row| Ok((parsed(row, "source_commit")?, parsed(row, "target")?))).collect()
    }

    /// Of these commits, those with a promotion, settled or not.
    ///
    /// # Errors
    ///
    /// A row is illegible, or the database failed.
    pub async fn promoted(&self, application: &Name, commits: &[Commit]) -> Result<Vec<Commit>, Error> {
        let statement = of_commits(
            "select distinct releases.source_commit from releases \
             join promotions on promotions.release_id = releases.id where releases.application = ",
            application,
            commits,
        )?;
        let rows = statement.build().fetch_all(&mut *self.read().await?).await?;
        rows.iter().map(|row| parsed(row, "source_commit")).collect()
    }

    /// Whether an application has a promotion that is not settled.
    ///
    /// # Errors
    ///
    /// The database failed.
    pub async fn is_on_its_way(&self, application: &Name) -> Result<bool, Error> {
        let row =
            sqlx::query("select count(*) as unsettled from promotions where application = $1 and outcome is null")
                .bind(application.as_str())
                .fetch_one(&mut *self.read().await?)
                .await?;
        Ok(column::<i64>(&row, "unsettled")? > 0)
    }
}

/// Completes a question that is about some commits of an application.
fn of_commits(question: &str, application: &Name, commits: &[Commit]) -> Result<Statement, Error> {
    let mut statement = Statement::new(question);
    statement.bind(application.as_str())?.push(" and releases.source_commit in (''");
    for commit in commits {
        statement.push(", ").bind(commit.to_string())?;
    }
    statement.push(")");
    Ok(statement)
}
