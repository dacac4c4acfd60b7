//! What a message wants besides being taken, and what is asked before any message.

use http::{HeaderMap, HeaderValue};
use registry::webhook::{Asks, Handshake, Head, Options, Refused, Sender, Unauthenticated};
use serde_json::json;

use crate::known::{ACR_EVENT_GRID, ALL, How, Known, SECRETS, now, world};

const VALIDATION: Known = Known { fixture: "acr-event-grid-validation", ..ACR_EVENT_GRID };

/// What Event Grid's first message asks for, with another code in it.
fn asked(code: serde_json::Value) -> (Asks, String) {
    let body = VALIDATION.edited(&[("/0/data/validationCode", code)]);
    let parsed = VALIDATION.request(SECRETS[0], body).to(&VALIDATION.sender()).unwrap();
    let reason = format!("{:?}", parsed.elements);
    assert_eq!(parsed.elements.len() + parsed.unwanted, 1, "{reason}");
    (parsed.asks, reason)
}

#[test]
fn event_grid_asks_for_its_code_and_for_nothing_that_is_not_one() {
    let code = "9d2e7b40-1c3f-4a5e-bb1a-7f60c4d81e22";
    assert_eq!(asked(json!(code)).0, Asks::Validation(code.to_owned()));
    for wrong in [json!(""), json!(null), json!(7), json!("<script>"), json!("a".repeat(129)), json!("é")] {
        let (asks, reason) = asked(wrong);
        assert_eq!(asks, Asks::Nothing);
        assert!(reason.contains("validationCode"), "{reason}");
    }
}

#[test]
fn event_grids_first_message_is_authenticated_like_all_others() {
    let mut request = VALIDATION.request("wrong", VALIDATION.body());
    assert_eq!(request.to(&VALIDATION.sender()), Err(Unauthenticated::Wrong.into()));
    request.query = None;
    assert_eq!(request.to(&VALIDATION.sender()), Err(Unauthenticated::Missing.into()));
}

#[test]
fn an_announcement_asks_for_nothing() {
    for known in &ALL {
        let parsed = known.request(SECRETS[0], known.body()).to(&known.sender()).unwrap();
        assert_eq!(parsed.asks, Asks::Nothing, "{known:?}");
    }
}

/// How a request with OPTIONS of this origin is answered.
fn answer(sender: &Sender, query: Option<&str>, origin: &'static str) -> Result<Option<Handshake>, Refused> {
    let mut headers = HeaderMap::new();
    headers.append("webhook-request-origin", HeaderValue::from_static(origin));
    headers.append("webhook-request-callback", HeaderValue::from_static("http://127.0.0.1:1/"));
    let head = Head { headers: &headers, query };
    world().runtime.block_on(sender.handshake(&head, now()))
}

#[test]
fn who_asks_whether_they_may_send_needs_the_secret_and_an_origin_that_is_allowed() {
    let (sender, query) = (ACR_EVENT_GRID.sender(), format!("secret={}", SECRETS[1]));
    let good = answer(&sender, Some(&query), "eventgrid.azure.net").unwrap().unwrap();
    assert_eq!(good, Handshake { origin: Some("eventgrid.azure.net".to_owned()), rate: None });
    assert_eq!(answer(&sender, Some(&query), "evil.example").unwrap().unwrap().origin, None);
    assert_eq!(answer(&sender, None, "eventgrid.azure.net"), Err(Unauthenticated::Missing.into()));
    assert_eq!(answer(&sender, Some("secret=x"), "eventgrid.azure.net"), Err(Unauthenticated::Wrong.into()));

    let origins = vec!["eventgrid.azure.us".to_owned()];
    let sender = ACR_EVENT_GRID.sender_with(Options { origins, ..Options::default() });
    assert!(answer(&sender, Some(&query), "eventgrid.azure.us").unwrap().unwrap().origin.is_some());
    assert_eq!(answer(&sender, Some(&query), "eventgrid.azure.net").unwrap().unwrap().origin, None);
}

#[test]
fn nobody_else_is_asked_whether_they_may_send() {
    for known in ALL.iter().filter(|known| known.kind != ACR_EVENT_GRID.kind) {
        let query = match known.how {
            How::Query(name) => Some(format!("{name}={}", SECRETS[0])),
            How::Header(..) | How::Sha1(..) | How::Sha256(..) | How::Token | How::Certificate => None,
        };
        assert_eq!(answer(&known.sender(), query.as_deref(), "eventgrid.azure.net"), Ok(None), "{known:?}");
    }
}
