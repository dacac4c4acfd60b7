//! Serving over connections that can be cut in the middle of an answer.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Router,
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::CancellationToken;

/// A listener whose connections can be cut, or refused to begin with.
#[derive(Debug)]
struct Wire {
    listener: TcpListener,
    gate: Gate,
}

/// A connection that writes nothing any more once it is cut.
#[derive(Debug)]
struct Connection {
    stream: TcpStream,
    cut: Cut,
    gate: Gate,
}

/// Who is at the other end of a connection, and the handle that cuts it.
#[derive(Clone, Debug)]
pub(crate) struct Peer {
    pub(crate) address: SocketAddr,
    pub(crate) cut: Cut,
}

/// The handle that cuts a connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cut(Arc<AtomicBool>);

/// How many requests more find nobody there: their connections end before the server sees them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate(Arc<AtomicU64>);

/// How long requests that are under way may take when a server stops.
const PATIENCE: Duration = Duration::from_secs(5);

/// Serves until it is told to stop, and a little longer for what is under way.
pub(crate) async fn serve(listener: TcpListener, router: Router, gate: Gate, stop: CancellationToken) {
    let service = router.into_make_service_with_connect_info::<Peer>();
    let serving = axum::serve(Wire { listener, gate }, service)
        .with_graceful_shutdown(stop.clone().cancelled_owned())
        .into_future();
    let overdue = async {
        stop.cancelled().await;
        tokio::time::sleep(PATIENCE).await;
    };
    tokio::select! {
        served = serving => {
            if let Err(error) = served {
                tracing::error!(%error, "a server of the sandbox stopped answering");
            }
        }
        () = overdue => tracing::warn!("a request is cut off, as it did not end in time"),
    }
}

impl Cut {
    /// Nothing is written from now on, and the connection ends.
    pub(crate) fn cut(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::SeqCst) { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}

impl Gate {
    /// Nobody is there for this many requests to come.
    pub(crate) fn refuse(&self, requests: u64) {
        self.0.store(requests, Ordering::SeqCst);
    }

    /// How many requests more are refused.
    pub(crate) fn left(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Whether these bytes begin a request that is refused. One to the control interface never is.
    fn refuses(&self, bytes: &[u8]) -> bool {
        let line = bytes.split(|byte| *byte == b'\r').next().unwrap_or_default();
        let mut words = line.split(|byte| *byte == b' ');
        let is_method = words.next().is_some_and(|word| !word.is_empty() && word.iter().all(u8::is_ascii_uppercase));
        let path = words.next().unwrap_or_default();
        let is_request = is_method && path.starts_with(b"/") && !path.starts_with(b"/_sim");
        is_request && self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
    }
}

impl Listener for Wire {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.listener).await;
        // Without it, small answers on a kept connection wait for an acknowledgement.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps Nagle's algorithm");
        }
        (Connection { stream, cut: Cut::default(), gate: self.gate.clone() }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Connected<IncomingStream<'_, Wire>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Wire>) -> Self {
        Self { address: *stream.remote_addr(), cut: stream.io().cut.clone() }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        std::task::ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        if self.gate.refuses(buffer.filled().get(before..).unwrap_or_default()) {
            buffer.set_filled(before);
            self.cut.cut();
        }
        Poll::Ready(self.cut.check())
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.cut.check()?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
