//! A line with latency: a proxy that holds everything back for a while, in both directions.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context as _, Result};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc,
    task::JoinHandle,
    time::Instant,
};

/// A line to one address. Dropping it cuts it.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Opens a line to `target` on which a round trip takes `latency` longer.
    ///
    /// # Errors
    ///
    /// No port is free.
    pub async fn start(target: SocketAddr, latency: Duration) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("binding a proxy")?;
        let address = listener.local_addr()?;
        let one_way = latency / 2;
        let task = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                drop(tokio::spawn(connect(near, target, one_way)));
            }
        });
        Ok(Self { address, task })
    }

    /// The near end of the line.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A connection takes a round trip before the first byte goes, as the handshake does on a real line.
async fn connect(near: TcpStream, target: SocketAddr, one_way: Duration) {
    tokio::time::sleep(one_way * 2).await;
    let Ok(far) = TcpStream::connect(target).await else { return };
    for end in [&near, &far] {
        if end.set_nodelay(true).is_err() {
            return;
        }
    }
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    tokio::join!(carry(near_in, far_out, one_way), carry(far_in, near_out, one_way));
}

/// Carries bytes in one direction; each piece arrives `one_way` after it came, while later ones are on their way.
async fn carry(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, one_way: Duration) {
    let (send, mut receive) = mpsc::unbounded_channel::<(Instant, Vec<u8>)>();
    let reading = async move {
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            let piece = buffer.get(..count).unwrap_or_default().to_vec();
            if send.send((Instant::now() + one_way, piece)).is_err() {
                break;
            }
        }
    };
    let writing = async move {
        while let Some((due, piece)) = receive.recv().await {
            tokio::time::sleep_until(due).await;
            if to.write_all(&piece).await.is_err() {
                break;
            }
        }
    };
    tokio::join!(reading, writing);
}
