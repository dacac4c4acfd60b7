//! What is released where, and whether it still is.

use axum::{Json, extract};
use domain::{application::Application, release::newest};
use serde::Serialize;
use store::Drift;
use utoipa::ToSchema;

use super::{State, caller::Viewer, document::Refused, error::Problem};

/// All applications.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Applications {
    applications: Vec<Shown>,
}

/// An application as it is configured, with what was released of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Application)]
struct Shown {
    name: String,
    /// The repository of the code.
    source: String,
    /// The repository of the overlays.
    gitops: String,
    /// The branch of the overlays that clusters follow.
    base: String,
    /// The release that was merged last.
    release: Option<String>,
    targets: Vec<Target>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Target {
    name: String,
    /// The image repository.
    repository: String,
    /// The directory of the overlay.
    overlay: String,
    /// The tag that the last release put there.
    released: Option<String>,
    /// What the overlay names instead, where somebody edited it.
    drift: Option<Edited>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Edited {
    /// The tag that is there; null where there is none.
    has: Option<String>,
    /// Since when that is known.
    since: String,
}

/// Every application with what was released last to each target, and which overlays name something else.
#[utoipa::path(
    get, path = "/v1/applications", tag = "people", security(("token" = [])),
    responses((status = 200, description = "All applications.", body = Applications), Refused),
)]
pub(super) async fn list(
    _: Viewer,
    extract::State(state): extract::State<State>,
) -> Result<Json<Applications>, Problem> {
    let drifts = state.store().drifts().await?;
    let mut applications = Vec::new();
    for application in state.applications() {
        applications.push(shown(&state, application, &drifts).await?);
    }
    Ok(Json(Applications { applications }))
}

async fn shown(state: &State, application: &Application, drifts: &[Drift]) -> Result<Shown, Problem> {
    let release = state.store().deployed(application.name()).await?;
    let builds = match release {
        Some(release) => state.store().builds(release).await?,
        None => Vec::new(),
    };
    let target = |target: &domain::application::Target| {
        let is_it = |drift: &&Drift| drift.application == *application.name() && drift.target == target.name;
        let edited = |drift: &Drift| Edited { has: drift.has.clone(), since: drift.since.to_rfc3339() };
        Target {
            name: target.name.to_string(),
            repository: target.repository.to_string(),
            overlay: target.overlay.as_str().to_owned(),
            released: newest(&builds, &target.name).map(|build| build.reference.tag.to_string()),
            drift: drifts.iter().find(is_it).map(edited),
        }
    };
    Ok(Shown {
        name: application.name().to_string(),
        source: application.source.repository.to_string(),
        gitops: application.gitops.repository.to_string(),
        base: application.gitops.base.as_str().to_owned(),
        release: release.map(|release| release.to_string()),
        targets: application.targets().iter().map(target).collect(),
    })
}
