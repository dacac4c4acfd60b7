//! The door: authenticate, parse, record, wake, answer 202. Nothing after this knows HTTP.
//!
//! Some senders ask at first whether they may send, and take only an answer of their own for a yes: see [`Asks`] for
//! what a message may ask, and [`ask`] for what comes before any message.

use std::time::{Duration, Instant};

use axum::{
    Json,
    body::{Body, Bytes, to_bytes},
    extract,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use chrono::Utc;
use domain::{
    announcement::{Announcement, matches},
    application::Application,
};
use http_body_util::LengthLimitError;
use registry::webhook::{Asks, Handshake, Head};
use secrecy::SecretString;
use serde::{Serialize, Serializer};
use store::{DeliveryId, Element, NewDelivery, Recorded};
use tracing::{debug, info, warn};
use utoipa::ToSchema;

use super::{
    Door, State,
    document::{Forbidden, NotAllowed, NotTaken},
    error::{Problem, method_not_allowed},
    room,
    segment::Segment,
};
use crate::{
    config::Sender,
    reading::{self, LARGEST_BODY},
};

/// How long a body may take to arrive; the shortest patience of a sender is one second, the longest thirty.
const SLOWEST_BODY: Duration = Duration::from_secs(10);

/// The answer to a delivery that is taken.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Accepted {
    /// How it is found again; none when there was nothing to keep.
    #[serde(serialize_with = "as_text")]
    #[schema(value_type = Option<String>)]
    delivery: Option<DeliveryId>,
    /// Whether it was taken before.
    repeated: bool,
    /// How many things it says that are of interest.
    announcements: usize,
    /// Why parts of it can not be used, one sentence each.
    unusable: Vec<String>,
    /// How many things it says that are understood and not wanted, such as pulls.
    unwanted: usize,
}

/// A delivery that was let in and read, whatever the kind of its sender.
pub(super) struct Read {
    pub(super) body: Bytes,
    pub(super) id: String,
    pub(super) elements: Vec<Element>,
    pub(super) unwanted: usize,
}

/// The answer to a sender who asks for a code, so that its subscription is made.
#[derive(Serialize, ToSchema)]
struct Validation {
    #[serde(rename = "validationResponse")]
    code: String,
}

/// The answer to a message about a subscription.
#[derive(ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "it describes which of them is answered")]
enum Confirmed {
    Confirmed(Accepted),
    Validated(Validation),
}

impl Accepted {
    /// The delivery, if it was taken before.
    pub(super) fn repeated_delivery(&self) -> Option<DeliveryId> {
        self.delivery.filter(|_| self.repeated)
    }
}

#[expect(clippy::ref_option, reason = "serde gives a field by reference")]
fn as_text<S: Serializer>(id: &Option<DeliveryId>, serializer: S) -> Result<S::Ok, S::Error> {
    id.map(|id| id.to_string()).serialize(serializer)
}

/// Takes what a registry or the forge announces.
///
/// The query may hold a secret: it goes to the credential's check and nowhere else, neither into a log nor an answer.
#[utoipa::path(
    post, path = "/v1/hooks/{sender}", tag = "senders", description = "Takes what a registry or GitHub announces. The body and the credential are as its kind has them.",
    params(("sender" = String, Path, description = "The name of a sender in the configuration.")),
    request_body(content = serde_json::Value, content_type = "application/json", description = "As the kind of the sender writes it."),
    responses(
        (status = 202, description = "It is taken, or was before, or there is nothing of interest in it.", body = Accepted),
        (status = 200, description = "A subscription is confirmed or validated, as the sender asks.", body = Confirmed),
        Forbidden, NotTaken,
    ),
)]
pub(super) async fn receive(
    extract::State(state): extract::State<State>,
    Segment(sender): Segment,
    extract::RawQuery(query): extract::RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let door = state.door(&sender).ok_or_else(Problem::unknown_sender)?;
    let head = Head { headers: &headers, query: query.as_deref() };
    match admit(&state, &door.sender, &head, body).await {
        Ok((read, asks)) => {
            door.tally.pass_over(read.unwanted);
            answer(&state, &sender, read, asks).await
        }
        Err(problem) => {
            report(&sender, door, &problem);
            Err(problem)
        }
    }
}

/// Answers senders that ask whether they may send.
///
/// Where nobody of the sender's kind asks that, the method is not allowed.
#[utoipa::path(
    options, path = "/v1/hooks/{sender}", tag = "senders",
    params(("sender" = String, Path, description = "The name of a sender in the configuration.")),
    responses(
        (status = 200, description = "Whoever asks may send as much as the headers say, or may not where they say nothing.",
            headers(("WebHook-Allowed-Origin"), ("WebHook-Allowed-Rate" = u32, description = "Messages a minute."))),
        NotAllowed, NotTaken,
    ),
)]
pub(super) async fn ask(
    extract::State(state): extract::State<State>,
    Segment(sender): Segment,
    extract::RawQuery(query): extract::RawQuery,
    headers: HeaderMap,
) -> Response {
    let Some(door) = state.door(&sender) else { return Problem::unknown_sender().into_response() };
    let Sender::Registry(registry) = &door.sender else { return only_post().await };
    let head = Head { headers: &headers, query: query.as_deref() };
    let mut response = match registry.handshake(&head, Utc::now()).await.map_err(Problem::from) {
        Ok(Some(handshake)) => allow(&state, &sender, &handshake),
        Ok(None) => return only_post().await,
        Err(problem) => {
            report(&sender, door, &problem);
            problem.into_response()
        }
    };
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST, OPTIONS"));
    response
}

async fn only_post() -> Response {
    let mut response = method_not_allowed().await.into_response();
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
    response
}

/// The answer to whoever may send, and to whoever may not, which says nothing.
///
/// What they would like to send each minute is allowed as far as one sender may send it.
fn allow(state: &State, sender: &str, handshake: &Handshake) -> Response {
    let mut response = StatusCode::OK.into_response();
    let origin = handshake.origin.as_deref().and_then(|origin| HeaderValue::from_str(origin).ok());
    let Some(origin) = origin else {
        warn!(sender, "somebody of another origin asked whether they may send (senders.<name>.origins)");
        return response;
    };
    info!(sender, ?origin, "somebody asked whether they may send, and may");
    let most = state.limits().deliveries_per_minute();
    let rate = handshake.rate.map_or(most, |asked| asked.min(most));
    let headers = response.headers_mut();
    headers.insert(HeaderName::from_static("webhook-allowed-origin"), origin);
    headers.insert(HeaderName::from_static("webhook-allowed-rate"), HeaderValue::from(rate.get()));
    response
}

/// Lets a sender in, as early as its kind allows, and reads what it brings.
async fn admit(state: &State, sender: &Sender, head: &Head<'_>, body: Body) -> Result<(Read, Asks), Problem> {
    match sender {
        Sender::Registry(sender) => {
            let admitted = sender.admit(head, Utc::now()).await?;
            let body = read_body(head.headers, body).await?;
            let verified = admitted.vouch_for(&body, Utc::now()).await?;
            let parsed = sender.parse(&verified, head);
            if let Asks::Confirmation(confirmation) = &parsed.asks {
                sender.confirm(confirmation).await?;
            }
            let elements = reading::of_registry(parsed.elements);
            Ok((Read { body, id: parsed.id, elements, unwanted: parsed.unwanted }, parsed.asks))
        }
        // The signature is one of the body, which must be there to be checked.
        Sender::GitHub { secrets } => {
            let read = of_forge(state, secrets, head.headers, read_body(head.headers, body).await?)?;
            Ok((read, Asks::Nothing))
        }
    }
}

/// Answers a message as it asks to be answered, once what it announces is kept.
async fn answer(state: &State, sender: &str, read: Read, asks: Asks) -> Result<Response, Problem> {
    let (status, accepted) = record(state, sender, read).await?;
    match asks {
        Asks::Nothing => Ok((status, accepted).into_response()),
        Asks::Attention(why) => {
            warn!(sender, "{why}");
            Ok((status, accepted).into_response())
        }
        Asks::Confirmation(_) => {
            info!(sender, "a subscription is confirmed");
            Ok((StatusCode::OK, accepted).into_response())
        }
        Asks::Validation(code) => {
            info!(sender, "a subscription is validated");
            Ok((StatusCode::OK, Json(Validation { code })).into_response())
        }
    }
}

/// Says in the log that somebody was not let in or brought what can not be taken; seldom enough to fill no disk.
fn report(sender: &str, door: &Door, problem: &Problem) {
    if let Some(refused) = door.tally.refuse(Instant::now()) {
        let refused_ever = door.tally.counts().refused;
        warn!(sender, refused, refused_ever, "a delivery was refused: {}", problem.detail());
    }
}

/// Reads a body within its limits, before anything in it is looked at.
pub(super) async fn read_body(headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    if headers.contains_key(header::CONTENT_ENCODING) {
        return Err(Problem::encoded());
    }
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > LARGEST_BODY) {
        return Err(Problem::too_large(LARGEST_BODY));
    }
    match tokio::time::timeout(SLOWEST_BODY, to_bytes(body, LARGEST_BODY)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_length_limit(&error) => Err(Problem::too_large(LARGEST_BODY)),
        Ok(Err(error)) if room::is_lacking(&error) => Err(Problem::overloaded()),
        Ok(Err(_)) | Err(_) => Err(Problem::incomplete()),
    }
}

/// Whether reading ended at the limit, and not because the connection broke.
fn is_length_limit(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<LengthLimitError>)
}

/// Checks and reads one of the forge's messages; its id is the same when it is delivered again
/// (<https://docs.github.com/en/webhooks/webhook-events-and-payloads#delivery-headers>).
/// Reads what the forge says, and has its adapter heed what is about its own access.
fn of_forge(
    state: &State,
    secrets: &[SecretString],
    headers: &HeaderMap,
    unverified_body: Bytes,
) -> Result<Read, Problem> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let verified = forge::webhook::authenticate(secrets, text("x-hub-signature-256"), &unverified_body)
        .map_err(|refused| Problem::unauthenticated(&refused.to_string()))?;
    let Some(id) = text("x-github-delivery").filter(|id| (1..=128).contains(&id.len())) else {
        return Err(Problem::parameter("X-GitHub-Delivery", "the id of the delivery was expected"));
    };
    state.forge().heed(text("x-github-event").unwrap_or_default(), verified);
    let said = reading::of_forge(verified, headers, state.watched());
    Ok(Read { id: id.to_owned(), body: unverified_body, elements: said.elements, unwanted: said.unwanted })
}

/// Keeps a delivery before it is answered, unless there are too many; one that says nothing of interest is only
/// counted.
pub(super) async fn record(state: &State, sender: &str, read: Read) -> Result<(StatusCode, Json<Accepted>), Problem> {
    let Read { body, id, elements, unwanted } = read;
    let elements: Vec<Element> = elements.into_iter().map(|element| judged(element, state.applications())).collect();
    state.limits().count(sender, Instant::now())?;
    let _permit = state.limits().enter()?;
    let unusable: Vec<String> = elements
        .iter()
        .filter_map(|element| match element {
            Element::Unusable { reason, .. } => Some(reason.clone()),
            Element::Announced(_) | Element::Ignored { .. } => None,
        })
        .collect();
    let announcements = elements.len() - unusable.len();
    let has_work = elements.iter().any(|element| matches!(element, Element::Announced(_)));
    let mut accepted = Accepted { delivery: None, repeated: false, announcements, unusable, unwanted };
    if elements.is_empty() {
        debug!(sender, unwanted, "a delivery says nothing of interest");
        return Ok((StatusCode::ACCEPTED, Json(accepted)));
    }
    let new = NewDelivery { sender, sender_delivery_id: &id, received_at: state.store().now(), body: &body, elements };
    let recorded = state.store().record_delivery(&new).await?;
    let (Recorded::New(delivery) | Recorded::Repeated(delivery)) = recorded;
    accepted.repeated = matches!(recorded, Recorded::Repeated(_));
    accepted.delivery = Some(delivery);
    info!(sender, delivery.id = %delivery, announcements, repeated = accepted.repeated, "a delivery is taken");
    if has_work {
        state.waker().wake();
    }
    Ok((StatusCode::ACCEPTED, Json(accepted)))
}

/// What of an element can be told without asking anybody: a push that no application is about is of no interest. Of all
/// pushes to a registry these are the most, and they cost no more than the row that tells why.
fn judged(element: Element, applications: &[Application]) -> Element {
    match element {
        Element::Announced(Announcement::Pushed(pushed)) => match matches(applications, &pushed) {
            Ok(_found) => Element::Announced(Announcement::Pushed(pushed)),
            Err(ignored) => {
                Element::Ignored { reason: ignored.to_string(), announcement: Announcement::Pushed(pushed) }
            }
        },
        other @ (Element::Announced(Announcement::Moved(_)) | Element::Ignored { .. } | Element::Unusable { .. }) => {
            other
        }
    }
}

#[cfg(test)]
mod tests;
