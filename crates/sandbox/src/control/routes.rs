//! The control interface over HTTP: one thin handler per method of [`Control`].

use std::{collections::BTreeMap, time::Duration};

use axum::{
    Json, Router,
    extract::{Path, Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{delete, get, patch, post, put},
};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{AppChange, Control, NewRepository, PullRequestChange, Push, attestations, checks, rules};
use crate::{
    error::Error,
    git::Oid,
    traffic::{self, Call, Limits},
    webhook::Target,
    world::{check::Report, pull_request::Method, repository::Protection},
};

/// Every call of the forge that is not one of [`TRAFFIC_ROUTES`](crate::TRAFFIC_ROUTES).
///
#[doc = include_str!("../control.md")]
pub const ROUTES: [Call; 36] = [
    ("GET", "/_sim/repositories", "All repositories with their branches, settings and protection."),
    ("POST", "/_sim/repositories", "Make one: {name, files?: {path: text}, copy_from?, default_branch?, settings?}."),
    ("GET", "/_sim/repositories/{owner}/{name}", "One repository."),
    ("PATCH", "/_sim/repositories/{owner}/{name}/settings", "Change some of its settings: {allow_auto_merge?, …}."),
    (
        "PUT",
        "/_sim/repositories/{owner}/{name}/protection/{branch}",
        "Protect a branch: {required_checks?, strict?, …}.",
    ),
    ("DELETE", "/_sim/repositories/{owner}/{name}/protection/{branch}", "Protect it no longer."),
    ("PUT", "/_sim/repositories/{owner}/{name}/rules/{branch}", "Give a branch a ruleset: {merge_queue?, …}."),
    ("DELETE", "/_sim/repositories/{owner}/{name}/rules/{branch}", "Take its ruleset away."),
    ("POST", "/_sim/repositories/{owner}/{name}/labels", "Make a label: {name}."),
    ("PUT", "/_sim/repositories/{owner}/{name}/installation", "Install the App or take it away: {installed}."),
    ("POST", "/_sim/repositories/{owner}/{name}/checks", "Set a check: {revision, name, outcome?, kind?}."),
    (
        "POST",
        "/_sim/repositories/{owner}/{name}/check-runs",
        "Make a check run: {revision, name, conclusion?, app?: {id, slug}, details_url?}.",
    ),
    ("POST", "/_sim/repositories/{owner}/{name}/attestations", "Keep an attestation: {bundle, form?: inline|url}."),
    (
        "POST",
        "/_sim/repositories/{owner}/{name}/push",
        "Push a commit: {branch, files: {path: text|null}, message?, author?, email?, date?, onto?}.",
    ),
    ("GET", "/_sim/repositories/{owner}/{name}/file", "The text of a file: ?revision=&path=."),
    ("DELETE", "/_sim/repositories/{owner}/{name}/branches/{branch}", "Delete a branch."),
    ("GET", "/_sim/repositories/{owner}/{name}/pull-requests", "All pull requests."),
    ("POST", "/_sim/repositories/{owner}/{name}/pull-requests", "Open one as a person: {head, base, title}."),
    ("GET", "/_sim/repositories/{owner}/{name}/pull-requests/{number}", "One pull request."),
    (
        "PATCH",
        "/_sim/repositories/{owner}/{name}/pull-requests/{number}",
        "Change one: {title?, body?, base?, state?, draft?, by?}.",
    ),
    ("POST", "/_sim/repositories/{owner}/{name}/pull-requests/{number}/approve", "Approve of one: {by}."),
    ("POST", "/_sim/repositories/{owner}/{name}/pull-requests/{number}/merge", "Merge one as a person: {method?}."),
    (
        "POST",
        "/_sim/repositories/{owner}/{name}/pull-requests/{number}/dequeue",
        "Take one out of its merge queue: {reason?}.",
    ),
    ("GET", "/_sim/clock", "The sandbox's time."),
    ("POST", "/_sim/clock", "Let time pass: {advance_seconds}."),
    ("GET", "/_sim/app", "The App with its private key and installations."),
    ("PATCH", "/_sim/app", "Change the App: {permissions?, token_format?}."),
    ("POST", "/_sim/tokens", "Make a personal token known: {token, login}."),
    ("POST", "/_sim/tokens/expire", "Let all installation tokens expire now."),
    ("GET", "/_sim/webhook", "Where webhooks go."),
    ("PUT", "/_sim/webhook", "Set where webhooks go: {url, secret?, fate?: deliver|drop|duplicate|reorder}, or null."),
    ("GET", "/_sim/deliveries", "All webhooks so far, delivered or not; of very many the last ones."),
    ("POST", "/_sim/deliveries/{id}/redeliver", "Send one again with the same identifier."),
    ("GET", "/_sim/limits", "How much may be asked, and how much has been in this hour."),
    ("PUT", "/_sim/limits", "Set how much may be asked: {core?, graphql?, changes_per_minute?, …}."),
    ("PUT", "/_sim/latency", "Hold every answer back: {milliseconds}."),
];

pub(super) type Place = Path<(String, String)>;
pub(super) type Branch = Path<(String, String, String)>;
pub(super) type Numbered = Path<(String, String, u64)>;
pub(super) type Answered = Result<Json<Value>, Error>;

/// The routes below `/_sim`.
pub(crate) fn router(control: Control) -> Router {
    Router::new()
        .route("/", get(list))
        .merge(traffic::routes(control.shared.record().clone()))
        .merge(repositories())
        .merge(pull_requests())
        .merge(rules::router())
        .merge(attestations::router())
        .merge(checks::router())
        .route("/clock", get(clock).post(advance))
        .route("/app", get(app).patch(change_app))
        .route("/tokens", post(add_token))
        .route("/tokens/expire", post(expire_tokens))
        .route("/webhook", get(webhook).put(set_webhook))
        .route("/deliveries", get(deliveries))
        .route("/deliveries/{id}/redeliver", post(redeliver))
        .route("/limits", get(limits).put(set_limits))
        .route("/latency", put(set_latency))
        .fallback(traffic::missing)
        .with_state(control)
}

fn repositories() -> Router<Control> {
    Router::new()
        .route("/repositories", get(all_repositories).post(create_repository))
        .route("/repositories/{owner}/{name}", get(repository))
        .route("/repositories/{owner}/{name}/settings", patch(change_settings))
        .route("/repositories/{owner}/{name}/protection/{*branch}", put(protect).delete(unprotect))
        .route("/repositories/{owner}/{name}/installation", put(install))
        .route("/repositories/{owner}/{name}/checks", post(set_check))
        .route("/repositories/{owner}/{name}/push", post(push))
        .route("/repositories/{owner}/{name}/file", get(file))
        .route("/repositories/{owner}/{name}/branches/{*branch}", delete(delete_branch))
}

fn pull_requests() -> Router<Control> {
    let all = "/repositories/{owner}/{name}/pull-requests";
    let one = format!("{all}/{{number}}");
    Router::new()
        .route(all, get(all_pull_requests).post(open_pull_request))
        .route(&one, get(pull_request).patch(change_pull_request))
        .route(&format!("{one}/approve"), post(approve))
        .route(&format!("{one}/merge"), post(merge))
}

/// The list of all calls.
pub(crate) async fn list() -> Json<Value> {
    traffic::list(&ROUTES)
}

async fn all_repositories(State(control): State<Control>) -> Answered {
    Ok(Json(json!(control.repositories().await?)))
}

async fn create_repository(State(control): State<Control>, Json(new): Json<NewRepository>) -> Answered {
    Ok(Json(json!(control.create_repository(new).await?)))
}

async fn repository(State(control): State<Control>, Path((owner, name)): Place) -> Answered {
    Ok(Json(json!(control.repository(&format!("{owner}/{name}")).await?)))
}

/// What is not given stays as it is.
async fn change_settings(
    State(control): State<Control>,
    Path((owner, name)): Place,
    Json(changes): Json<BTreeMap<String, Value>>,
) -> Answered {
    let repository = format!("{owner}/{name}");
    let mut settings = json!(control.repository(&repository).await?.settings);
    if let Some(settings) = settings.as_object_mut() {
        settings.extend(changes);
    }
    let invalid = |error: serde_json::Error| Error::Refused { status: 422, message: error.to_string() };
    control.set_settings(&repository, serde_json::from_value(settings.clone()).map_err(invalid)?).await?;
    Ok(Json(settings))
}

async fn protect(
    State(control): State<Control>,
    Path((owner, name, branch)): Branch,
    Json(protection): Json<Protection>,
) -> Answered {
    control.protect(&format!("{owner}/{name}"), &branch, Some(protection)).await?;
    done()
}

async fn unprotect(State(control): State<Control>, Path((owner, name, branch)): Branch) -> Answered {
    control.protect(&format!("{owner}/{name}"), &branch, None).await?;
    done()
}

#[derive(Deserialize)]
struct Installed {
    installed: bool,
}

async fn install(
    State(control): State<Control>,
    Path((owner, name)): Place,
    Json(Installed { installed }): Json<Installed>,
) -> Answered {
    control.set_installed(&format!("{owner}/{name}"), installed).await?;
    done()
}

#[derive(Deserialize)]
struct Check {
    revision: String,
    #[serde(flatten)]
    report: Report,
}

async fn set_check(State(control): State<Control>, Path((owner, name)): Place, Json(check): Json<Check>) -> Answered {
    control.set_check(&format!("{owner}/{name}"), &check.revision, check.report).await?;
    done()
}

async fn push(State(control): State<Control>, Path((owner, name)): Place, Json(push): Json<Push>) -> Answered {
    let commit: Oid = control.push(&format!("{owner}/{name}"), push).await?;
    Ok(Json(json!({ "commit": commit })))
}

#[derive(Deserialize)]
struct File {
    revision: String,
    path: String,
}

async fn file(State(control): State<Control>, Path((owner, name)): Place, Query(file): Query<File>) -> Answered {
    let text = control.read_file(&format!("{owner}/{name}"), &file.revision, &file.path).await?;
    Ok(Json(json!({ "text": text })))
}

async fn delete_branch(State(control): State<Control>, Path((owner, name, branch)): Branch) -> Answered {
    control.delete_branch(&format!("{owner}/{name}"), &branch).await?;
    done()
}

async fn all_pull_requests(State(control): State<Control>, Path((owner, name)): Place) -> Answered {
    Ok(Json(json!(control.pull_requests(&format!("{owner}/{name}")).await?)))
}

#[derive(Deserialize)]
struct Opening {
    head: String,
    base: String,
    title: String,
}

async fn open_pull_request(
    State(control): State<Control>,
    Path((owner, name)): Place,
    Json(new): Json<Opening>,
) -> Answered {
    let repository = format!("{owner}/{name}");
    let number = control.open_pull_request(&repository, &new.head, &new.base, &new.title).await?;
    Ok(Json(json!(control.pull_request(&repository, number).await?)))
}

async fn pull_request(State(control): State<Control>, Path((owner, name, number)): Numbered) -> Answered {
    Ok(Json(json!(control.pull_request(&format!("{owner}/{name}"), number).await?)))
}

async fn change_pull_request(
    State(control): State<Control>,
    Path((owner, name, number)): Numbered,
    Json(change): Json<PullRequestChange>,
) -> Answered {
    Ok(Json(json!(control.change_pull_request(&format!("{owner}/{name}"), number, change).await?)))
}

#[derive(Deserialize)]
struct Approval {
    by: String,
}

async fn approve(
    State(control): State<Control>,
    Path((owner, name, number)): Numbered,
    Json(Approval { by }): Json<Approval>,
) -> Answered {
    control.approve(&format!("{owner}/{name}"), number, &by).await?;
    done()
}

#[derive(Deserialize)]
struct Merge {
    #[serde(default)]
    method: Method,
}

async fn merge(
    State(control): State<Control>,
    Path((owner, name, number)): Numbered,
    Json(Merge { method }): Json<Merge>,
) -> Answered {
    let commit = control.merge(&format!("{owner}/{name}"), number, method).await?;
    Ok(Json(json!({ "commit": commit })))
}

async fn clock(State(control): State<Control>) -> Json<Value> {
    Json(json!({ "now": crate::render::time(control.now()) }))
}

#[derive(Deserialize)]
struct Advance {
    advance_seconds: u64,
}

async fn advance(State(control): State<Control>, Json(advance): Json<Advance>) -> Json<Value> {
    control.advance(Duration::from_secs(advance.advance_seconds));
    clock(State(control)).await
}

async fn app(State(control): State<Control>) -> Answered {
    Ok(Json(json!(control.app().await?)))
}

async fn change_app(State(control): State<Control>, Json(change): Json<AppChange>) -> Answered {
    control.change_app(change).await?;
    app(State(control)).await
}

#[derive(Deserialize)]
struct PersonalToken {
    token: String,
    login: String,
}

async fn add_token(State(control): State<Control>, Json(new): Json<PersonalToken>) -> Answered {
    control.add_personal_token(&new.token, &new.login).await?;
    done()
}

async fn expire_tokens(State(control): State<Control>) -> Answered {
    control.expire_tokens().await?;
    done()
}

async fn webhook(State(control): State<Control>) -> Answered {
    Ok(Json(json!(control.webhook().await?)))
}

async fn set_webhook(State(control): State<Control>, Json(target): Json<Option<Target>>) -> Answered {
    control.set_webhook(target).await?;
    done()
}

async fn deliveries(State(control): State<Control>) -> Json<Value> {
    Json(json!(control.deliveries()))
}

async fn redeliver(State(control): State<Control>, Path(id): Path<u64>) -> Answered {
    control.redeliver(id).await?;
    done()
}

async fn limits(State(control): State<Control>) -> Json<Value> {
    Json(json!({ "limits": control.limits(), "used": control.used() }))
}

async fn set_limits(State(control): State<Control>, Json(limits): Json<Limits>) -> Answered {
    control.set_limits(limits);
    done()
}

#[derive(Deserialize)]
struct Latency {
    milliseconds: u64,
}

async fn set_latency(State(control): State<Control>, Json(latency): Json<Latency>) -> Answered {
    control.set_latency(Duration::from_millis(latency.milliseconds));
    done()
}

pub(super) fn done() -> Answered {
    Ok(traffic::done())
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let (status, message) = match &self {
            Self::Refused { status, message } => {
                (StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), message.clone())
            }
            Self::Listen { .. }
            | Self::File { .. }
            | Self::Key
            | Self::Client(_)
            | Self::Git(_)
            | Self::TooLate { .. } => (StatusCode::INTERNAL_SERVER_ERROR, self.to_string()),
        };
        (status, Json(json!({ "message": message }))).into_response()
    }
}
