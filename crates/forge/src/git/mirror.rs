//! A bare mirror of a source repository, wherever it is: where a commit is, and how two stand to each other.
//!
//! All branches are fetched with all their history, and nothing else: what a fork or a pull request has is not there. A
//! branch that is moved away from commits leaves its old tip behind, so that those can be told apart from commits that
//! were never on it.

mod history;

use std::{path::PathBuf, sync::Arc, time::Duration};

use chrono::Utc;
use domain::{circuit::Patience, commit::Commit, evidence::Lookup, forge::Repository, glob::Glob};
use git2::{AutotagOption, Direction, FetchOptions, FetchPrune, Oid};
use secrecy::SecretString;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{
    remote::Conversation,
    store::{Store, Stores},
};
use crate::{Author, Comparison, Error, Limits, Timeouts, line::Line, write::NEEDS_READ};
use history::Places;

/// How old a fetch may be that proves where a commit is: it may have been taken off a branch since.
const FRESH: Duration = Duration::from_secs(30);

/// Where a mirror is fetched from, and how.
#[derive(Clone, Debug)]
pub struct MirrorSettings {
    /// What applications call the repository.
    pub repository: Repository,
    /// Where it is: an address of Git over HTTP or HTTPS, without a user and a password.
    pub url: Url,
    /// As whom it is fetched; anybody when there is none.
    pub login: Option<(String, SecretString)>,
    /// What people find its commits under, as `https://git.example.com/acme/app/-/commit`; its own address with
    /// `/commit` behind it when it is not given.
    pub commits_url: Option<Url>,
    /// A directory of our own that no other process uses; mirrors are made anew when lost.
    pub data_dir: PathBuf,
    /// How long to wait for what.
    pub timeouts: Timeouts,
    /// When its host is left alone, as it does not answer.
    pub patience: Patience,
}

/// A bare mirror of one repository.
#[derive(Debug)]
pub struct Mirror {
    settings: MirrorSettings,
    commits_url: String,
    stores: Stores,
    line: Line,
}

impl Mirror {
    /// A mirror with these settings. Nothing is fetched yet.
    ///
    /// # Errors
    ///
    /// [`Error::Settings`]: the address can not be used.
    pub fn new(settings: MirrorSettings) -> Result<Self, Error> {
        let url = &settings.url;
        let is_usable = matches!(url.scheme(), "http" | "https") && url.has_host();
        if !is_usable || !url.username().is_empty() || url.password().is_some() {
            let what = "source.git.url is an address of http or https without a user and a password".to_owned();
            return Err(Error::Settings { what });
        }
        let own = url.as_str().trim_end_matches('/');
        let commits = settings.commits_url.as_ref().map_or_else(
            || format!("{}/commit", own.strip_suffix(".git").unwrap_or(own)),
            |url| url.as_str().trim_end_matches('/').to_owned(),
        );
        let stores = Stores::below(settings.data_dir.clone(), Author::default(), settings.timeouts)?;
        let host = format!("Git at {}", url.origin().ascii_serialization());
        let line = Line::new(host, Limits { patience: settings.patience, ..Limits::default() });
        Ok(Self { settings, commits_url: commits, stores, line })
    }

    /// Looks for a commit, and for the first of `branches` that it is on. What checks say is not in a repository.
    ///
    /// One fetch, unless the last one is not older than thirty seconds and had the commit on a branch already.
    ///
    /// # Errors
    ///
    /// [`Error::Mirror`], around what went wrong: [`Error::NoBranch`] when the commit is on none and one that is named
    /// does not exist.
    pub async fn look_up(&self, commit: Commit, branches: &[Glob]) -> Result<Lookup, Error> {
        let (patterns, commits_url) = (branches.to_vec(), self.commits_url.clone());
        let is_found = |lookup: &Lookup| matches!(lookup, Lookup::Present { branch: Some(_), .. });
        let work = move |store: &Store| Places { store, commits_url: &commits_url }.look_up(commit, &patterns);
        self.ask(work, is_found).await
    }

    /// How `first` stands to `second`, and the commits between them; `None` when one of them is not known there.
    ///
    /// # Errors
    ///
    /// [`Error::Mirror`], around what went wrong.
    pub async fn comparison(&self, first: Commit, second: Commit) -> Result<Option<Comparison>, Error> {
        let commits_url = self.commits_url.clone();
        let work = move |store: &Store| Places { store, commits_url: &commits_url }.compare(first, second);
        self.ask(work, Option::is_some).await
    }

    /// Asks the mirror as it is, if it is fresh and has the answer; else after a fetch. Those who ask at the same time
    /// wait for one fetch.
    async fn ask<T: Send + 'static>(
        &self,
        work: impl Fn(&Store) -> Result<T, Error> + Clone + Send + 'static,
        is_enough: impl Fn(&T) -> bool + Clone + Send + 'static,
    ) -> Result<T, Error> {
        let wrap = |source| Error::Mirror { repository: self.settings.repository.clone(), source: Box::new(source) };
        let first = self.ask_once(work.clone(), is_enough.clone()).await;
        match first {
            // What is damaged was thrown away, and is fetched again.
            Err(Error::Store { .. }) => self.ask_once(work, is_enough).await.map_err(wrap),
            answer => answer.map_err(wrap),
        }
    }

    async fn ask_once<T: Send + 'static>(
        &self,
        work: impl Fn(&Store) -> Result<T, Error> + Send + 'static,
        is_enough: impl Fn(&T) -> bool + Send + 'static,
    ) -> Result<T, Error> {
        let repository = &self.settings.repository;
        let job = self.stores.job(repository, "mirroring");
        let cancelled = CancellationToken::new();
        let _gone = cancelled.clone().drop_guard();
        let login = self.settings.login.as_ref().map(|(user, password)| (user.as_str(), password));
        let url = self.settings.url.as_str().trim_end_matches('/').to_owned();
        let session = Arc::new(self.stores.session_as(&job, url, login, cancelled));
        let (asked_at, place) = (Instant::now(), self.stores.place(repository));
        let doing = format!("fetching {repository}");
        let (turn, spoken) = (self.line.enter(&doing)?, Arc::clone(&session));
        let run = move |store: &mut Store| {
            let at = place.fetched();
            let is_new = at.is_some_and(|at| at >= asked_at);
            if is_new || at.is_some_and(|at| asked_at.saturating_duration_since(at) < FRESH) {
                let answer = work(store)?;
                if is_new || is_enough(&answer) {
                    return Ok(answer);
                }
            }
            let began = Instant::now();
            Conversation { store, session, doing }.mirror(Utc::now().timestamp())?;
            place.note_fetched(began);
            work(store)
        };
        let ended = self.stores.fetch(&job, run).await;
        turn.end(spoken.report(), ended.as_ref().err());
        ended
    }
}

impl Conversation<'_> {
    /// Has all branches as they are now; what was moved away from commits leaves its old tip behind.
    fn mirror(&mut self, now: i64) -> Result<(), Error> {
        let before = history::tips(self.store)?;
        {
            let _entered = self.enter()?;
            let mut remote = self.connect(Direction::Fetch)?;
            let mut options = FetchOptions::new();
            options.download_tags(AutotagOption::None).update_fetchhead(false).prune(FetchPrune::On);
            remote
                .fetch(&["+refs/heads/*:refs/heads/*"], Some(&mut options), None)
                .map_err(|error| self.failed(error, NEEDS_READ))?;
        }
        history::keep_left(self.store, &before, now)
    }
}

/// Whether a commit is another one or an ancestor of it.
fn is_within(store: &Store, commit: Oid, tip: Oid) -> Result<bool, Error> {
    if commit == tip {
        return Ok(true);
    }
    store.git().graph_descendant_of(tip, commit).map_err(|source| store.broken("comparing commits", source))
}
