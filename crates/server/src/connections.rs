//! Takes connections and serves HTTP on them, so many at once and none that is stuck.
//!
//! `axum::serve` has neither a limit on connections nor a timeout; this is what it does, with both.

mod descriptors;
mod impatient;

use std::{
    io::{self, Write as _},
    pin::pin,
    time::{Duration, Instant},
};

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::{rt::TokioTimer, service::TowerToHyperService};
use tokio::{
    net::{TcpListener, TcpStream},
    task::{JoinError, JoinSet},
};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error, warn};

use self::impatient::Impatient;
use crate::{config::LimitSettings, http::Tally};

/// How many bytes the head of a request may have; the longest real ones are a tenth of it.
const LARGEST_HEAD: usize = 64 * 1024;

/// How long a client may leave a piece of an answer unread.
const SLOWEST_READER: Duration = Duration::from_secs(30);

/// How long no connection is taken after the system had nothing left for one.
const PAUSE: Duration = Duration::from_millis(100);

/// What a connection hears that is one too many.
const TURNED_AWAY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// Serves until `stop` is cancelled and the requests that have begun then are answered.
///
/// Connections that are still open when the future is dropped are closed with it.
pub(crate) async fn serve(listener: TcpListener, router: Router, limits: LimitSettings, stop: &CancellationToken) {
    let most = descriptors::make_room(usize::from(limits.connections.get()));
    let turned_away = Tally::default();
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            Some(ended) = open.join_next() => report(ended),
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) if open.len() >= most => turn_away(stream, &turned_away),
                Ok((stream, _)) => {
                    open.spawn(serve_connection(stream, router.clone(), limits.header_timeout, stop.clone()));
                }
                Err(error) => wait_after(&error).await,
            },
        }
    }
    drop(listener);
    while let Some(ended) = open.join_next().await {
        report(ended);
    }
}

async fn serve_connection(stream: TcpStream, router: Router, header_timeout: Duration, stop: CancellationToken) {
    // An answer is written in one piece; there is nothing to wait for.
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "a connection broke before its first request");
        return;
    }
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(header_timeout)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(Impatient::new(stream, SLOWEST_READER), TowerToHyperService::new(router));
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(%error, "a connection ended before its time");
    }
}

/// Says why, as far as that is possible without waiting.
fn turn_away(stream: TcpStream, turned_away: &Tally) {
    let told = stream.into_std().and_then(|mut stream| stream.write_all(TURNED_AWAY));
    if let Err(error) = told {
        debug!(%error, "a connection that was one too many did not hear why");
    }
    if let Some(refused) = turned_away.refuse(Instant::now()) {
        warn!(refused, "connections were refused: as many as server.limits.connections allows are open");
    }
}

/// A connection that broke before it was taken is nothing; that there is no descriptor left passes, but not at once.
async fn wait_after(error: &io::Error) {
    let broke = [io::ErrorKind::ConnectionRefused, io::ErrorKind::ConnectionAborted, io::ErrorKind::ConnectionReset];
    if !broke.contains(&error.kind()) {
        error!(%error, "no connection can be taken");
        tokio::time::sleep(PAUSE).await;
    }
}

fn report(ended: Result<(), JoinError>) {
    if let Err(error) = ended
        && error.is_panic()
    {
        error!(%error, "serving a connection broke off");
    }
}

#[cfg(test)]
mod tests;
