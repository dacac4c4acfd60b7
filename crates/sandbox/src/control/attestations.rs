//! Attestations of what was built from a repository.

use axum::{
    Json, Router,
    extract::{Path, State},
    routing::post,
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    Control, key,
    routes::{Answered, Place, done},
};
use crate::{error::Error, world::attestation::Form};

impl Control {
    /// Keeps an attestation, a Sigstore bundle, of whatever its statement is about.
    ///
    /// # Errors
    /// [`Error::Refused`] when the repository does not exist, or the bundle has no statement.
    pub async fn add_attestation(&self, repository: &str, bundle: Value, form: Form) -> Result<(), Error> {
        let key = key(repository)?;
        Ok(self.shared.with(move |world| world.attest(&key, bundle, form)).await?)
    }
}

/// The calls about them.
pub(super) fn router() -> Router<Control> {
    Router::new().route("/repositories/{owner}/{name}/attestations", post(add))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    bundle: Value,
    #[serde(default)]
    form: Form,
}

async fn add(State(control): State<Control>, Path((owner, name)): Place, Json(new): Json<New>) -> Answered {
    control.add_attestation(&format!("{owner}/{name}"), new.bundle, new.form).await?;
    done()
}
