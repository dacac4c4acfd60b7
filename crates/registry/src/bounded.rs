//! What is downloaded into memory, up to a bound.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use tokio::io::AsyncWrite;

/// Bytes that refuse to become too many.
#[derive(Debug)]
pub(crate) struct Bounded {
    bytes: Vec<u8>,
    most: u64,
    is_full: bool,
}

impl Bounded {
    pub(crate) const fn new(most: u64) -> Self {
        Self { bytes: Vec::new(), most, is_full: false }
    }

    /// Whether more was to be written than there may be.
    pub(crate) const fn is_full(&self) -> bool {
        self.is_full
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

impl AsyncWrite for Bounded {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, more: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let length = u64::try_from(this.bytes.len() + more.len()).unwrap_or(u64::MAX);
        if length > this.most {
            this.is_full = true;
            return Poll::Ready(Err(io::Error::from(io::ErrorKind::FileTooLarge)));
        }
        this.bytes.extend_from_slice(more);
        Poll::Ready(Ok(more.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
