//! What the API is, for programs: `GET /openapi.json`.
//!
//! Each route is added together with its description, so that none is undocumented.

mod shapes;

use utoipa::{
    Modify, OpenApi,
    openapi::security::{Http, HttpAuthScheme, SecurityScheme},
};

pub(super) use self::shapes::{Builds, Forbidden, Missing, NotAllowed, NotReady, NotTaken, Refused, Unreadable};

/// The parts of the document that belong to no route.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Tagferry",
        description = "Carries verified image tags from container registries into GitOps overlays.",
    ),
    modifiers(&Schemes),
    tags(
        (name = "senders", description = "Who tells us that something was pushed."),
        (name = "people", description = "What was told, and what became of it."),
        (name = "operators", description = "Whether the service works."),
    ),
)]
pub(super) struct Document;

/// How callers show who they are.
struct Schemes;

impl Modify for Schemes {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = |what: &str| {
            let mut scheme = Http::new(HttpAuthScheme::Bearer);
            scheme.description = Some(what.to_owned());
            SecurityScheme::Http(scheme)
        };
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("token", bearer("A token whose SHA-256 is in api.tokens."));
        components.add_security_scheme("identity", bearer("An identity token of a run of GitHub Actions."));
    }
}
