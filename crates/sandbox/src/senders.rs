//! Clouds that sign what they send, as far as its receiver meets them: Google and Amazon SNS.
//!
//! Each is a server on loopback for what its signatures are verified with, and signs messages like its own. It sends
//! nothing by itself: whoever holds it posts what it signed.

mod certificate;
mod google;
mod sns;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use tokio::{net::TcpListener, task::AbortHandle};

pub use self::{google::Google, sns::Sns};
use crate::Error;

/// A server that answers one text, and remembers what it was asked for.
#[derive(Debug)]
struct Shelf {
    address: SocketAddr,
    kept: Arc<Mutex<Kept>>,
    serving: AbortHandle,
}

#[derive(Debug, Default)]
struct Kept {
    /// What is answered, and with which status.
    status: StatusCode,
    text: String,
    asked: Vec<String>,
}

impl Shelf {
    /// A server that answers any GET with this text.
    async fn start(text: String) -> Result<Self, Error> {
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let failed = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let kept = Arc::new(Mutex::new(Kept { text, ..Kept::default() }));
        let routes = Router::new().fallback(answer).with_state(Arc::clone(&kept));
        let serving = tokio::spawn(async move { axum::serve(listener, routes).await }).abort_handle();
        Ok(Self { address, kept, serving })
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on it answers this status; a redirect leads to itself.
    fn set_status(&self, status: u16) {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).status = status;
    }

    fn set_text(&self, text: String) {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).text = text;
    }

    /// The paths and queries that it was asked for, in order.
    fn asked(&self) -> Vec<String> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner).asked.clone()
    }
}

impl Drop for Shelf {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(State(kept): State<Arc<Mutex<Kept>>>, request: Request) -> Response {
    let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
    kept.asked.push(request.uri().to_string());
    (kept.status, [("location", "/elsewhere")], kept.text.clone()).into_response()
}
