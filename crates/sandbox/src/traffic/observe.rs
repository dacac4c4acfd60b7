//! Recording each request, holding it back, and letting a fault meet it.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{ConnectInfo, Request, State},
    http::{Method, StatusCode},
    middleware::Next,
    response::{IntoResponse, Response},
};
use graphql_parser::query::{Definition, OperationDefinition, Selection, SelectionSet};
use serde_json::Value;

use super::{Action, Exchange, Meeting, Peer, Recorded, Tap, exchange, fault, memory::Question};
use crate::{refusal::Refusal, shared::Shared};

/// Records a request, holds it back, and lets a fault meet it.
pub(crate) async fn observe(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    if request.uri().path().starts_with("/_sim") {
        return next.run(request).await;
    }
    let tap = shared.traffic().tap.clone().filter(|_| exchange::is_asked_by_interface(request.uri().path()));
    let Inspected { mut request, recorded, sent, question } = match inspect(request, tap.is_some()).await {
        Ok(inspected) => inspected,
        Err(refusal) => return refusal.into_response(),
    };
    request.extensions_mut().insert(Changes(recorded.mutating));
    let head = recorded.clone();
    let (number, action) = shared.record().arrive(recorded);
    let head = Recorded { number, fault: action.clone(), ..head };
    let latency = shared.traffic().latency;
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let meeting = Meeting { cut: &peer.cut, stop: shared.stop(), body: error_body };
    let is_cut = matches!(action, Some(Action::Truncate { .. }));
    let is_stale = action == Some(Action::StaleRead);
    let mut response = meeting.hold(action, next.run(request)).await;
    if let Some(question) = question
        && let Some(answered) = response.take()
    {
        let (fresh, older) = shared.memory().remember(question, answered).await;
        response = older.filter(|_| is_stale).or(Some(fresh));
    }
    if let Some(response) = &response {
        shared.record().answered(number, response.status());
    }
    if let Some(tap) = tap {
        // What breaks off can not be read to its end.
        let whole = response.take_if(|_| !is_cut);
        response = copy(&tap, (head, sent), whole).await.or(response);
    }
    shared.note_change();
    response.unwrap_or_default()
}

/// Sends a copy of an exchange.
async fn copy(tap: &Tap, (request, sent): (Recorded, Bytes), response: Option<Response>) -> Option<Response> {
    let (response, answer) = match response {
        Some(response) => {
            let (response, answer) = exchange::answered(response).await;
            (Some(response), answer)
        }
        None => (None, None),
    };
    if tap.send(Exchange { request, sent, answer }).is_err() {
        tracing::debug!("nobody takes the copies of exchanges any more");
    }
    response
}

/// The body of an error that a fault asks for without one.
fn error_body(status: StatusCode) -> Value {
    fault::body(status.as_u16(), status.canonical_reason().unwrap_or("A fault"))
}

/// Whether a request asks to change something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Changes(pub(super) bool);

/// A request that was looked into.
struct Inspected {
    request: Request,
    /// What its head tells.
    recorded: Recorded,
    /// Its body, where that is a document or is wanted as a whole.
    sent: Bytes,
    /// What it asks, where it changes nothing.
    question: Option<Question>,
}

async fn inspect(request: Request, whole: bool) -> Result<Inspected, Refusal> {
    let path = request.uri().path().to_owned();
    let asks_by_graphql = path.ends_with("/graphql");
    let (request, sent) =
        if whole || asks_by_graphql { exchange::copied(request).await? } else { (request, Bytes::new()) };
    let document = if asks_by_graphql { document(&sent) } else { Document::default() };
    let reads = path.ends_with("/access_tokens") || path.ends_with("/git-upload-pack") || path.ends_with("/graphql");
    let mut recorded = Recorded::new(request.method(), request.uri(), request.headers());
    recorded.mutating = document.mutates || recorded.mutating && !reads;
    recorded.operations = document.operations;
    let is_question = *request.method() == Method::GET || !recorded.operations.is_empty() && !recorded.mutating;
    let text = if asks_by_graphql { sent.clone() } else { Bytes::new() };
    let question = is_question.then(|| (format!("{} {}", request.method(), request.uri()), text));
    Ok(Inspected { request, recorded, sent, question })
}

#[derive(Default)]
struct Document {
    operations: Vec<String>,
    mutates: bool,
}

/// The fields at the top of a GraphQL request; nothing for one that is not understood.
fn document(bytes: &Bytes) -> Document {
    let body: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let text = body.get("query").and_then(Value::as_str).unwrap_or_default();
    let Ok(parsed) = graphql_parser::parse_query::<String>(text) else {
        return Document::default();
    };
    let mut document = Document::default();
    for definition in parsed.definitions {
        let set: SelectionSet<'_, String> = match definition {
            Definition::Operation(OperationDefinition::Mutation(mutation)) => {
                document.mutates = true;
                mutation.selection_set
            }
            Definition::Operation(OperationDefinition::Query(query)) => query.selection_set,
            Definition::Operation(OperationDefinition::SelectionSet(set)) => set,
            Definition::Operation(OperationDefinition::Subscription(_)) | Definition::Fragment(_) => {
                continue;
            }
        };
        document.operations.extend(set.items.into_iter().filter_map(|item| match item {
            Selection::Field(field) => Some(field.name),
            Selection::FragmentSpread(_) | Selection::InlineFragment(_) => None,
        }));
    }
    document
}
