//! The door while the store is not there: whoever comes is told so, and tries again.

use std::time::Duration;

use chrono::Utc;
use domain::fault::{Chain, Fault};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use super::Error;
use crate::{config::LimitSettings, connections, http};

/// How long to wait before the store is looked for again.
const PAUSE: Duration = Duration::from_secs(1);

/// Serves until the store is there, and gives it with the door; `None` when `stop` is cancelled first.
pub(super) async fn for_store(
    listener: TcpListener,
    place: &SecretString,
    limits: LimitSettings,
    stop: &CancellationToken,
) -> Result<Option<(TcpListener, store::Store)>, Error> {
    let (listener, twin) = twins(listener).map_err(Error::Door)?;
    let told = CancellationToken::new();
    let serving = connections::serve(twin, http::waiting_router(), limits, &told);
    let opening = async {
        let opened = tokio::select! {
            () = stop.cancelled() => Ok(None),
            opened = open(place) => opened.map(Some),
        };
        told.cancel();
        opened
    };
    let ((), opened) = tokio::join!(serving, opening);
    Ok(opened?.map(|store| (listener, store)))
}

async fn open(place: &SecretString) -> Result<store::Store, Error> {
    loop {
        match store::Store::open(place.expose_secret(), Utc::now()).await {
            Ok(store) => {
                info!("the store is there");
                return Ok(store);
            }
            Err(error) if error.fault() == Fault::Permanent => return Err(Error::Store(error)),
            Err(error) => debug!(error = %Chain(&error), "the store is not there yet"),
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// The door twice: a connection comes in at whichever asks first.
fn twins(listener: TcpListener) -> std::io::Result<(TcpListener, TcpListener)> {
    let listener = listener.into_std()?;
    let twin = listener.try_clone()?;
    Ok((TcpListener::from_std(listener)?, TcpListener::from_std(twin)?))
}
