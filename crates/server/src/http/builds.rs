//! What workflows of GitHub Actions report: the images that they have pushed, proven by the token of their run.

use std::time::Instant;

use axum::{
    Json,
    body::Body,
    extract,
    http::{HeaderMap, StatusCode, header},
};
use chrono::Utc;
use domain::{announcement::Announcement, fault::Fault};
use forge::actions::{Claims, Policy, Report, Run};
use identity::Verifier;
use store::Element;
use tracing::warn;

use super::{
    State, Tally,
    document::{Builds, Forbidden, NotTaken},
    error::Problem,
    hooks::{Accepted, Read, read_body, record},
};

/// What their deliveries are filed under.
pub(crate) const SENDER: &str = "github-actions";

/// How reports are let in and understood.
#[derive(Debug)]
pub(crate) struct Reports {
    /// Verifies the tokens.
    pub(crate) verifier: Verifier,
    /// Whose word counts.
    pub(crate) policy: Policy,
    /// What was not taken.
    pub(crate) tally: Tally,
}

/// Takes the images that a run of GitHub Actions has pushed.
#[utoipa::path(
    post, path = "/v1/builds", tag = "senders", security(("identity" = [])),
    request_body(content = Builds, content_type = "application/json"),
    responses((status = 202, description = "It is taken, or was before.", body = Accepted), Forbidden, NotTaken),
)]
pub(super) async fn report(
    extract::State(state): extract::State<State>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    let reports = state.reports().ok_or_else(Problem::no_reports)?;
    let taken = take(&state, reports, &headers, body).await;
    if let Err(problem) = &taken
        && let Some(refused) = reports.tally.refuse(Instant::now())
    {
        let refused_ever = reports.tally.counts().refused;
        warn!(sender = SENDER, refused, refused_ever, "a report was refused: {}", problem.detail());
    }
    taken
}

/// The token comes first: before it is verified nothing of the body is read.
async fn take(
    state: &State,
    reports: &Reports,
    headers: &HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    let run = admit(reports, headers).await?;
    let body = read_body(headers, body).await?;
    let report = Report::read(&run, &body, (state.applications(), state.forge().address()))
        .map_err(|invalid| Problem::parameter("body", &invalid.to_string()))?;
    let pushed = report.pushed.into_iter().map(|pushed| Element::Announced(Announcement::Pushed(pushed)));
    let unusable = report.unusable.into_iter().map(|part| Element::Unusable { text: part.text, reason: part.reason });
    let elements = pushed.chain(unusable).collect();
    // A token is good for one report, however often that one is sent again.
    let read = Read { body: body.clone(), id: run.token_id, elements, unwanted: 0 };
    let (status, Json(accepted)) = record(state, SENDER, read).await?;
    if let Some(delivery) = accepted.repeated_delivery()
        && !state.store().is_body_of(delivery, &body).await?
    {
        return Err(Problem::unauthenticated("the token was used already, for another report"));
    }
    Ok((status, Json(accepted)))
}

/// Verifies the one bearer token and decides whether its run's word counts.
async fn admit(reports: &Reports, headers: &HeaderMap) -> Result<Run, Problem> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return Err(Problem::unauthenticated("the identity token of a workflow's run is needed, as a bearer token"));
    };
    let token = value.to_str().ok().and_then(|value| value.strip_prefix("Bearer "));
    let token = token.ok_or_else(|| Problem::unauthenticated("an identity token as a bearer token is needed"))?;
    let verified = reports.verifier.verify::<Claims>(token, Utc::now()).await.map_err(|error| match error.fault() {
        Fault::Transient | Fault::Away { .. } => Problem::keys_unavailable(),
        Fault::Limited { .. } | Fault::Stale | Fault::Permanent => Problem::unauthenticated(&error.to_string()),
    })?;
    reports.policy.admit(verified.claims).map_err(|refused| Problem::forbidden(&refused.to_string()))
}
