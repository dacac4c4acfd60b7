//! What a registry does that wants to be heard: it tries again until it is.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result};
use reqwest::StatusCode;
use serde_json::Value;
use tokio::{sync::Mutex as AsyncMutex, task::JoinSet};

use crate::{
    fleet::{Announcer, Fleet},
    tagferry::{field, text},
};

/// How long it waits before it tries again.
const PAUSE: Duration = Duration::from_millis(100);

/// A delivery that was answered with 202.
#[derive(Clone, Debug)]
pub(super) struct Accepted {
    /// What Tagferry calls it.
    pub(super) id: String,
    /// What it said.
    pub(super) tag: String,
}

/// Deliveries under way and those that were taken.
#[derive(Clone, Debug)]
pub(super) struct Deliveries {
    announcer: Announcer,
    sent: Arc<AtomicU64>,
    accepted: Arc<Mutex<Vec<Accepted>>>,
    under_way: Arc<AsyncMutex<JoinSet<Result<()>>>>,
}

impl Deliveries {
    /// They go to whichever replica answers.
    pub(super) fn to(fleet: &Fleet) -> Self {
        Self {
            announcer: Announcer::new(fleet),
            sent: Arc::default(),
            accepted: Arc::default(),
            under_way: Arc::default(),
        }
    }

    /// Announces a push, some time from now.
    pub(super) async fn announce(&self, repository: String, tag: String, after: Duration) {
        let this = self.clone();
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
        self.under_way.lock().await.spawn(async move {
            tokio::time::sleep(after).await;
            this.deliver(&format!("event-{number}"), &repository, tag).await
        });
    }

    async fn deliver(&self, id: &str, repository: &str, tag: String) -> Result<()> {
        loop {
            if let Ok(answer) = self.announcer.announce(id, repository, &tag).await
                && answer.status() == StatusCode::ACCEPTED
                && let Ok(answer) = answer.json::<Value>().await
            {
                let id = text(field(&answer, "delivery"));
                self.accepted.lock().unwrap_or_else(PoisonError::into_inner).push(Accepted { id, tag });
                return Ok(());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// All of them, once none is under way any more.
    pub(super) async fn all(&self) -> Result<Vec<Accepted>> {
        while let Some(ended) = self.under_way.lock().await.join_next().await {
            ended.context("a delivery broke off")??;
        }
        Ok(self.accepted.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}
