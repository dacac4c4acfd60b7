//! Recording each request, holding it back, and letting a fault meet it.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::{ConnectInfo, Request, State},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};
use graphql_parser::query::{Definition, OperationDefinition, Selection, SelectionSet};
use serde_json::Value;

use super::{Meeting, Peer, Recorded, fault};
use crate::{refusal::Refusal, shared::Shared};

/// No GraphQL document of a sane client is larger.
const LARGEST_DOCUMENT: usize = 50_000_000;

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
    let (request, recorded) = match inspect(request).await {
        Ok(inspected) => inspected,
        Err(refusal) => return refusal.into_response(),
    };
    let (number, action) = shared.record().arrive(recorded);
    let latency = shared.traffic().latency;
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let meeting = Meeting { cut: &peer.cut, stop: shared.stop(), body: error_body };
    let response = meeting.hold(action, next.run(request)).await;
    if let Some(response) = &response {
        shared.record().answered(number, response.status());
    }
    shared.note_change();
    response.unwrap_or_default()
}

/// The body of an error that a fault asks for without one.
fn error_body(status: StatusCode) -> Value {
    fault::body(status.as_u16(), status.canonical_reason().unwrap_or("A fault"))
}

async fn inspect(request: Request) -> Result<(Request, Recorded), Refusal> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let (body, document) = if path.ends_with("/graphql") {
        let bytes = axum::body::to_bytes(body, LARGEST_DOCUMENT).await;
        let bytes = bytes.map_err(|error| Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, error.to_string()))?;
        (Body::from(bytes.clone()), document(&bytes))
    } else {
        (body, Document::default())
    };
    let reads = path.ends_with("/access_tokens") || path.ends_with("/git-upload-pack") || path.ends_with("/graphql");
    let mut recorded = Recorded::new(&parts);
    recorded.mutating = document.mutates || recorded.mutating && !reads;
    recorded.operations = document.operations;
    Ok((Request::from_parts(parts, body), recorded))
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
