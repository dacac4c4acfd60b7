//! One address for all replicas: each connection goes to one that takes it.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, Result};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Spreads connections over ports of loopback; it ends with the test.
#[derive(Debug)]
pub(super) struct Balancer {
    address: SocketAddr,
    ports: Arc<Mutex<Vec<u16>>>,
    task: JoinHandle<()>,
}

impl Balancer {
    /// Begins with nobody to send anything to.
    pub(super) async fn start() -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("binding the balancer")?;
        let address = listener.local_addr()?;
        let ports = Arc::new(Mutex::new(Vec::new()));
        let there = Arc::clone(&ports);
        let task = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let ports = Arc::clone(&there);
                // It ends with its connection; nothing waits for it.
                drop(tokio::spawn(connect(near, ports)));
            }
        });
        Ok(Self { address, ports, task })
    }

    /// Where clients connect to.
    pub(super) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends connections there from now on.
    pub(super) fn add(&self, port: u16) {
        self.ports.lock().unwrap_or_else(PoisonError::into_inner).push(port);
    }

    /// Sends none there any more.
    pub(super) fn remove(&self, port: u16) {
        self.ports.lock().unwrap_or_else(PoisonError::into_inner).retain(|one| *one != port);
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn connect(mut near: TcpStream, ports: Arc<Mutex<Vec<u16>>>) {
    let mut ports = ports.lock().unwrap_or_else(PoisonError::into_inner).clone();
    fastrand::shuffle(&mut ports);
    for port in ports {
        if let Ok(mut far) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await {
            // Whoever breaks off is told by the other end, as without us.
            drop(copy_bidirectional(&mut near, &mut far).await);
            return;
        }
    }
}
