//! What the sandbox sends by itself, by the description of GitHub's webhooks.

use sandbox::Delivered;
use serde_json::Value;

use crate::schemas::WEBHOOKS;

/// What GitHub would not send.
#[must_use]
pub fn complaints(delivered: &Delivered) -> Vec<String> {
    let Delivered { event, action, payload, .. } = delivered;
    let name = match action {
        Some(action) => format!("{event}-{action}"),
        None => event.clone(),
    };
    let described = format!("/webhooks/{}", name.replace('_', "-"));
    let complaints = match WEBHOOKS.document.pointer(&described) {
        Some(_) => {
            let surplus = WEBHOOKS.surplus(&described, payload);
            let surplus = surplus.into_iter().map(|key| format!("at `{key}`: GitHub has no such key"));
            WEBHOOKS.complaints(&described, payload).into_iter().chain(surplus).collect()
        }
        None => vec!["GitHub's description has no such event".to_owned()],
    };
    let said = payload.get("action").and_then(Value::as_str);
    let differs = said != action.as_deref();
    let differs = differs.then(|| format!("the payload says {said:?} is the action"));
    complaints.into_iter().chain(differs).map(|complaint| format!("webhook {name}: {complaint}")).collect()
}
