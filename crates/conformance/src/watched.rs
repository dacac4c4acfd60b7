//! A sandbox whose traffic is judged when it goes.

use std::{
    ops::Deref,
    sync::{Mutex, PoisonError},
};

use sandbox::{Control, Error, Exchange, Options, Sandbox};
use tokio::sync::mpsc::{self, UnboundedReceiver};

use crate::{Asker, graphql, judge, webhook};

/// A sandbox for a test.
///
/// When it is shut down or dropped, it panics for everything that GitHub would not have been asked or have answered
/// so. It is silent when the test panics already.
#[derive(Debug)]
pub struct Watched {
    sandbox: Sandbox,
    /// It is dropped after the sandbox.
    witness: Witness,
}

/// What was seen so far.
#[derive(Debug)]
struct Witness {
    control: Control,
    asker: Asker,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
struct Seen {
    coming: UnboundedReceiver<Exchange>,
    exchanges: Vec<Exchange>,
}

impl Watched {
    /// Starts a sandbox that only our own code speaks to: it has to do so rightly.
    ///
    /// # Errors
    /// Those of [`Sandbox::start`].
    pub async fn start(options: Options) -> Result<Self, Error> {
        Self::start_for(Asker::OurCode, options).await
    }

    /// Starts a sandbox for somebody.
    ///
    /// # Errors
    /// Those of [`Sandbox::start`].
    pub async fn start_for(asker: Asker, options: Options) -> Result<Self, Error> {
        let (tap, coming) = mpsc::unbounded_channel();
        #[expect(clippy::disallowed_methods, reason = "this is what everybody else is to use")]
        let sandbox = Sandbox::start(Options { tap: Some(tap), ..options }).await?;
        let seen = Mutex::new(Seen { coming, exchanges: Vec::new() });
        let witness = Witness { control: sandbox.control().clone(), asker, seen };
        Ok(Self { sandbox, witness })
    }

    /// The names of the GraphQL operations that were asked for so far.
    #[must_use]
    pub fn asked_documents(&self) -> Vec<String> {
        self.witness.exchanges().iter().filter_map(graphql::name).collect()
    }

    /// Stops it, waits until nothing runs any more, and judges.
    ///
    /// # Panics
    /// For everything that GitHub does differently.
    pub async fn shutdown(self) {
        self.sandbox.shutdown().await;
        drop(self.witness);
    }
}

impl Deref for Watched {
    type Target = Sandbox;

    fn deref(&self) -> &Sandbox {
        &self.sandbox
    }
}

impl Witness {
    fn exchanges(&self) -> Vec<Exchange> {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        while let Ok(exchange) = seen.coming.try_recv() {
            seen.exchanges.push(exchange);
        }
        seen.exchanges.clone()
    }

    fn complaints(&self) -> Vec<String> {
        let mut complaints: Vec<String> =
            self.exchanges().iter().flat_map(|exchange| judge::exchange(exchange, self.asker)).collect();
        complaints.extend(self.control.deliveries().iter().flat_map(webhook::complaints));
        complaints.dedup();
        complaints
    }
}

impl Drop for Witness {
    #[expect(clippy::panic, reason = "nobody can forget to ask for what fails by itself")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let complaints = self.complaints();
        if !complaints.is_empty() {
            panic!("GitHub does it differently:\n{}", complaints.join("\n"));
        }
    }
}
