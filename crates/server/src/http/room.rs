//! How many bytes of bodies may be in memory before anybody knows whether they are of use: a body of the largest size
//! on every connection would be gigabytes.

use std::{
    iter,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use axum::body::{Body, Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The bytes of all bodies that are being read: some thousand usual ones, or sixty-four of the largest.
const MOST: usize = 64 * 1024 * 1024;

/// How many bytes one permit stands for.
const EACH: usize = 1_024;

/// The room that is left. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Room(Arc<Semaphore>);

/// There is none left for what came.
#[derive(Debug, thiserror::Error)]
#[error("the bodies that are being read take all the memory that they may")]
struct NoRoom;

/// A body that takes room as it comes, whatever length it claims, and gives it back when it is read or given up.
#[derive(Debug)]
struct Metered {
    body: Body,
    room: Room,
    bytes: usize,
    held: Option<OwnedSemaphorePermit>,
}

/// Whether reading a body ended because there was no room for it, however deep that is wrapped.
pub(super) fn is_lacking(error: &axum::Error) -> bool {
    iter::successors(Some::<&dyn std::error::Error>(error), |error| error.source())
        .any(<dyn std::error::Error>::is::<NoRoom>)
}

impl Default for Room {
    fn default() -> Self {
        Self::of(MOST)
    }
}

impl Room {
    fn of(bytes: usize) -> Self {
        Self(Arc::new(Semaphore::new(bytes / EACH)))
    }

    /// A body that breaks off with `NoRoom` when there is no room for it.
    pub(super) fn meter(&self, body: Body) -> Body {
        Body::new(Metered { body, room: self.clone(), bytes: 0, held: None })
    }
}

impl Metered {
    fn take(&mut self, bytes: usize) -> Result<(), NoRoom> {
        self.bytes = self.bytes.saturating_add(bytes);
        let held = self.held.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        let more = u32::try_from(self.bytes.div_ceil(EACH).saturating_sub(held)).map_err(|_too_many| NoRoom)?;
        let more = Arc::clone(&self.room.0).try_acquire_many_owned(more).map_err(|_none_left| NoRoom)?;
        match &mut self.held {
            Some(held) => held.merge(more),
            None => self.held = Some(more),
        }
        Ok(())
    }
}

impl HttpBody for Metered {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context).map(|frame| {
            let frame = frame?;
            let taken = frame.and_then(|frame| {
                self.take(frame.data_ref().map_or(0, Bytes::len)).map_err(axum::Error::new)?;
                Ok(frame)
            });
            Some(taken)
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use futures_util::{FutureExt as _, StreamExt as _, stream};

    use super::*;

    /// Two pieces of that size, and then none and no end.
    fn stuck(size: usize) -> Body {
        let piece = move || Ok::<_, std::convert::Infallible>(vec![b' '; size]);
        Body::from_stream(stream::iter([piece(), piece()]).chain(stream::pending()))
    }

    #[tokio::test]
    async fn bodies_take_as_much_room_as_has_come_and_give_it_back() {
        let room = Room::of(8 * EACH);
        for _ in 0..3 {
            let first = to_bytes(room.meter(stuck(2 * EACH)), MOST);
            let mut first = Box::pin(first);
            assert!((&mut first).now_or_never().is_none());
            assert!(to_bytes(room.meter(Body::from(vec![0; 4 * EACH])), MOST).await.is_ok());
            let refused = to_bytes(room.meter(Body::from(vec![0; 4 * EACH + 1])), MOST).await.unwrap_err();
            assert!(is_lacking(&refused), "{refused:?}");
        }
        assert_eq!(room.0.available_permits(), 8);
    }

    #[tokio::test]
    async fn pieces_of_one_byte_take_no_more_room_than_one_of_all() {
        let room = Room::of(2 * EACH);
        let pieces = stream::iter((0..2 * EACH).map(|_| Ok::<_, std::convert::Infallible>("a")));
        assert!(to_bytes(room.meter(Body::from_stream(pieces)), MOST).await.is_ok());
    }
}
