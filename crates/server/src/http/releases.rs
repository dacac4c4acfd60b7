//! Where is my release: its builds, its evidence, its pull request, and everything that was done about it.

use axum::{Json, extract};
use domain::{application::Name, promotion::Outcome};
use serde::{Deserialize, Serialize};
use store::{LedgerRow, PromotionDetail, PullRequestRow, ReleaseDetail, ReleaseId, ReleaseRow};
use utoipa::{IntoParams, ToSchema};

use super::{
    State,
    caller::Viewer,
    document::{Missing, Refused, Unreadable},
    error::Problem,
    page::{Page, Parameters, next},
    segment::Segment,
};

/// Which releases are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    #[serde(flatten)]
    #[param(ignore)]
    page: Page,
    /// Only those of this application.
    #[param(pattern = "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")]
    application: Option<String>,
}

/// A page of releases.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Releases {
    releases: Vec<Summary>,
    next: Option<String>,
}

/// A release in a list.
#[derive(Debug, Serialize, ToSchema)]
struct Summary {
    id: String,
    application: String,
    commit: String,
    subject: Option<String>,
    created_at: String,
    outcome: Option<&'static str>,
    waiting: Option<String>,
    pull_request: Option<PullRequest>,
}

/// A release with all that is known of it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Release {
    id: String,
    application: String,
    commit: String,
    subject: Option<String>,
    created_at: String,
    builds: Vec<Build>,
    promotions: Vec<Promotion>,
    ledger: Vec<Entry>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Build {
    target: String,
    repository: String,
    tag: String,
    digest: String,
    found_at: String,
}

/// A way into the overlays; `outcome` is missing while it is not settled.
#[derive(Debug, Serialize, ToSchema)]
struct Promotion {
    id: String,
    branch: String,
    pull_request: Option<PullRequest>,
    outcome: Option<&'static str>,
    reason: Option<String>,
    waiting: Option<String>,
    evidence: Vec<Evidence>,
    opened_at: String,
    settled_at: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
struct PullRequest {
    number: u64,
    url: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Evidence {
    kind: &'static str,
    outcome: &'static str,
    seen: String,
    link: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Entry {
    at: String,
    what: String,
    why: String,
    link: Option<String>,
}

/// Releases, newest first.
#[utoipa::path(
    get, path = "/v1/releases", tag = "people", security(("token" = [])), params(Page, Wanted),
    responses((status = 200, description = "A page of releases.", body = Releases), Unreadable, Refused),
)]
pub(super) async fn list(
    _: Viewer,
    extract::State(state): extract::State<State>,
    Parameters(Wanted { page, application }): Parameters<Wanted>,
) -> Result<Json<Releases>, Problem> {
    let limit = page.limit()?;
    let application: Option<Name> = match &application {
        None => None,
        Some(name) => Some(
            name.parse()
                .map_err(|why: domain::application::InvalidName| Problem::parameter("application", &why.to_string()))?,
        ),
    };
    let rows = state.store().releases(application.as_ref(), page.before()?, limit).await?;
    let next = next(&rows, limit, |row| row.release.to_string());
    Ok(Json(Releases { releases: rows.into_iter().map(Summary::from).collect(), next }))
}

/// One release with its builds, its evidence, its pull requests, and everything that was done about it.
#[utoipa::path(
    get, path = "/v1/releases/{id}", tag = "people", security(("token" = [])),
    params(("id" = String, Path, pattern = "^[1-9][0-9]{0,17}$", description = "The id of a release.")),
    responses((status = 200, description = "The release.", body = Release), Missing, Refused),
)]
pub(super) async fn show(
    _: Viewer,
    extract::State(state): extract::State<State>,
    Segment(id): Segment,
) -> Result<Json<Release>, Problem> {
    let id: ReleaseId = id.parse().map_err(|_unhelpful| Problem::not_found("release"))?;
    let detail = state.store().release(id).await?.ok_or_else(|| Problem::not_found("release"))?;
    Ok(Json(detail.into()))
}

impl From<ReleaseRow> for Summary {
    fn from(row: ReleaseRow) -> Self {
        let (mut outcome, mut waiting, mut pull_request) = (None, None, None);
        if let Some(promotion) = row.promotion {
            outcome = promotion.outcome.as_ref().map(Outcome::as_str);
            waiting = promotion.waiting;
            pull_request = promotion.pull_request.map(PullRequest::from);
        }
        Self {
            id: row.release.to_string(),
            application: row.application.to_string(),
            commit: row.commit.to_string(),
            subject: row.subject,
            created_at: row.created_at.to_rfc3339(),
            outcome,
            waiting,
            pull_request,
        }
    }
}

impl From<ReleaseDetail> for Release {
    fn from(detail: ReleaseDetail) -> Self {
        Self {
            id: detail.release.to_string(),
            application: detail.application.to_string(),
            commit: detail.commit.to_string(),
            subject: detail.subject,
            created_at: detail.created_at.to_rfc3339(),
            builds: detail.builds.into_iter().map(Build::from).collect(),
            promotions: detail.promotions.into_iter().map(Promotion::from).collect(),
            ledger: detail.ledger.into_iter().map(Entry::from).collect(),
        }
    }
}

impl From<domain::release::Build> for Build {
    fn from(build: domain::release::Build) -> Self {
        Self {
            target: build.target.to_string(),
            repository: build.reference.repository.to_string(),
            tag: build.reference.tag.to_string(),
            digest: build.digest.to_string(),
            found_at: build.found_at.to_rfc3339(),
        }
    }
}

impl From<PromotionDetail> for Promotion {
    fn from(detail: PromotionDetail) -> Self {
        Self {
            id: detail.id.to_string(),
            branch: detail.branch.to_string(),
            pull_request: detail.pull_request.map(PullRequest::from),
            outcome: detail.outcome.as_ref().map(Outcome::as_str),
            reason: detail.outcome.as_ref().map(ToString::to_string),
            waiting: detail.waiting,
            evidence: detail.evidence.into_iter().map(Evidence::from).collect(),
            opened_at: detail.opened_at.to_rfc3339(),
            settled_at: detail.settled_at.map(|at| at.to_rfc3339()),
        }
    }
}

impl From<PullRequestRow> for PullRequest {
    fn from(row: PullRequestRow) -> Self {
        Self { number: row.number.0, url: row.url }
    }
}

impl From<domain::evidence::Evidence> for Evidence {
    fn from(evidence: domain::evidence::Evidence) -> Self {
        Self {
            kind: evidence.kind.as_str(),
            outcome: evidence.outcome.as_str(),
            seen: evidence.seen,
            link: evidence.link,
        }
    }
}

impl From<LedgerRow> for Entry {
    fn from(row: LedgerRow) -> Self {
        Self { at: row.at.to_rfc3339(), what: row.what, why: row.why, link: row.link }
    }
}
