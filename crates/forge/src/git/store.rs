//! The bare object stores: one directory for each repository, made anew when it is damaged or has grown.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use domain::{commit::Commit, forge::Repository};
use git2::{ErrorCode, Oid, RepositoryInitOptions, RepositoryOpenFlags};
use reqwest::redirect;
use secrecy::SecretString;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    place::{Place, Way},
    session::{self, Session},
    signing::Signer,
};
use crate::{Author, Error, Settings, Signing, Timeouts, Write};

/// Each fetch adds a pack, and libgit2 has nothing that joins them: with more than this, looking an object up gets
/// slower than fetching everything once again.
const MOST_PACKS: usize = 64;

/// All stores, and what conversations with their repositories share.
#[derive(Debug)]
pub(crate) struct Stores {
    directory: PathBuf,
    committer: Arc<Committer>,
    timeouts: Timeouts,
    http: reqwest::Client,
    places: Mutex<HashMap<Repository, Arc<Place>>>,
}

/// Who commits are by, and what they are signed with.
#[derive(Debug)]
pub(crate) struct Committer {
    /// Who they are by.
    pub(crate) author: Author,
    /// What they are signed with, if they are.
    pub(crate) signer: Option<Signer>,
}

/// A piece of work in the store of a repository.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    repository: Repository,
    doing: &'static str,
    deadline: Instant,
}

/// The store of one repository, as one of its users has it.
pub(crate) struct Store {
    repository: Repository,
    git: git2::Repository,
    committer: Arc<Committer>,
}

impl Stores {
    /// Stores below the settings' directory; nothing is written yet.
    pub(crate) fn new(settings: Settings) -> Result<Self, Error> {
        let signer = match &settings.write {
            Write::Git(Some(Signing::Ssh(key))) => Some(Signer::new(key)?),
            Write::Git(None) | Write::Api => None,
        };
        let stores = Self::below(settings.data_dir, settings.author, settings.timeouts)?;
        let committer = Committer { signer, author: stores.committer.author.clone() };
        Ok(Self { committer: Arc::new(committer), ..stores })
    }

    /// Stores below a directory, whose commits are not signed; nothing is written yet.
    pub(crate) fn below(directory: PathBuf, author: Author, timeouts: Timeouts) -> Result<Self, Error> {
        // No redirects: they would take the credentials along. No proxy of the environment: the REST interface is
        // not asked through one either.
        let http = reqwest::Client::builder()
            .connect_timeout(timeouts.connect)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .tcp_nodelay(true)
            .user_agent(concat!("git/tagferry-", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|source| Error::Settings { what: format!("no client for Git: {source}") })?;
        let committer = Arc::new(Committer { author, signer: None });
        Ok(Self { directory, committer, timeouts, http, places: Mutex::default() })
    }

    /// A piece of work that must end in time.
    pub(crate) fn job(&self, repository: &Repository, doing: &'static str) -> Job {
        let deadline = Instant::now() + self.timeouts.git;
        Job { repository: repository.clone(), doing, deadline }
    }

    /// A conversation for a piece of work.
    pub(crate) fn session(
        &self,
        job: &Job,
        url: String,
        token: &SecretString,
        cancelled: CancellationToken,
    ) -> Session {
        self.session_as(job, url, Some((session::USER, token)), cancelled)
    }

    /// A conversation for a piece of work, as somebody or as nobody.
    pub(crate) fn session_as(
        &self,
        job: &Job,
        url: String,
        login: Option<(&str, &SecretString)>,
        cancelled: CancellationToken,
    ) -> Session {
        let limits = (self.timeouts.idle, job.deadline);
        Session::new(self.http.clone(), url, login, limits, cancelled)
    }

    /// Does blocking work in a repository's store, beside others. This and [`fetch`](Self::fetch) are the only ways into
    /// it.
    ///
    /// When the caller goes away, the work goes on until it looks at its session; the store is not thrown away before.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        job: &Job,
        work: impl FnOnce(&mut Store) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.work(job, Way::Beside, work).await
    }

    /// Does blocking work in a repository's store while nobody else fetches.
    pub(crate) async fn fetch<T: Send + 'static>(
        &self,
        job: &Job,
        work: impl FnOnce(&mut Store) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.work(job, Way::Fetching, work).await
    }

    async fn work<T: Send + 'static>(
        &self,
        job: &Job,
        way: Way,
        work: impl FnOnce(&mut Store) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.prepare(job, way).await?;
        let turn = self.place(&job.repository).turn(way, job.deadline).await.map_err(|_elapsed| self.late(job))?;
        let (path, committer, repository) = (self.path(job), Arc::clone(&self.committer), job.repository.clone());
        let result = self
            .blocking(job, move || {
                let _turn = turn;
                Store::open(repository, &path, committer).and_then(|mut store| work(&mut store))
            })
            .await;
        if matches!(result, Err(Error::Store { .. })) {
            self.renew(job, |_path| true).await?;
        }
        result
    }

    /// Has a store that can be opened, and is not too large to fetch into.
    async fn prepare(&self, job: &Job, way: Way) -> Result<(), Error> {
        let path = self.path(job);
        let is_old = move |path: &Path| open(path).is_err() || (way == Way::Fetching && packs(path) > MOST_PACKS);
        let there = move || Ok(is_old(&path));
        if self.blocking(job, there).await? {
            self.renew(job, is_old).await?;
        }
        Ok(())
    }

    /// Throws a store away and makes a new one, if that is still to be done when nobody else is there.
    async fn renew(&self, job: &Job, is_old: impl FnOnce(&Path) -> bool + Send + 'static) -> Result<(), Error> {
        let place = self.place(&job.repository);
        let alone = place.alone(job.deadline).await.map_err(|_elapsed| self.late(job))?;
        let (path, repository) = (self.path(job), job.repository.clone());
        self.blocking(job, move || {
            let _alone = alone;
            if !is_old(&path) {
                return Ok(());
            }
            place.forget();
            if path.exists() {
                discard(&repository, &path);
            }
            let made = make(&path).map(drop);
            made.map_err(|source| Error::Store { repository, doing: "making a new one", source: Box::new(source) })
        })
        .await
    }

    async fn blocking<T: Send + 'static>(
        &self,
        job: &Job,
        work: impl FnOnce() -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        match tokio::time::timeout_at(job.deadline, tokio::task::spawn_blocking(work)).await {
            Ok(Ok(result)) => result,
            Ok(Err(source)) => {
                let repository = job.repository.clone();
                Err(Error::Store { repository, doing: job.doing, source: Box::new(source) })
            }
            Err(_elapsed) => Err(self.late(job)),
        }
    }

    fn late(&self, job: &Job) -> Error {
        Error::Unavailable {
            doing: format!("{} {}", job.doing, job.repository),
            why: format!("it took longer than {} seconds", self.timeouts.git.as_secs()),
            source: None,
        }
    }

    /// The place of a repository's store.
    pub(super) fn place(&self, repository: &Repository) -> Arc<Place> {
        let mut places = self.places.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(places.entry(repository.clone()).or_default())
    }

    fn path(&self, job: &Job) -> PathBuf {
        let name = format!("{}.git", job.repository.name());
        self.directory.join(job.repository.owner()).join(name)
    }
}

impl Store {
    fn open(repository: Repository, path: &Path, committer: Arc<Committer>) -> Result<Self, Error> {
        match open(path) {
            Ok(git) => Ok(Self { repository, git, committer }),
            Err(source) => Err(Error::Store { repository, doing: "opening it", source: Box::new(source) }),
        }
    }

    /// Whose store it is.
    pub(crate) fn repository(&self) -> &Repository {
        &self.repository
    }

    /// The store as libgit2 knows it.
    pub(crate) fn git(&self) -> &git2::Repository {
        &self.git
    }

    /// Who commits are by, and what they are signed with.
    pub(crate) fn committer(&self) -> &Committer {
        &self.committer
    }

    /// A commit that must be there.
    pub(crate) fn commit(&self, commit: Commit) -> Result<git2::Commit<'_>, Error> {
        let found = oid(commit).and_then(|id| self.git.find_commit(id));
        found.map_err(|source| {
            if source.code() == ErrorCode::NotFound {
                Error::UnknownCommit { repository: self.repository.clone(), commit }
            } else {
                self.broken("reading a commit", source)
            }
        })
    }

    /// The error for a store that does not work.
    pub(crate) fn broken(&self, doing: &'static str, source: git2::Error) -> Error {
        Error::Store { repository: self.repository.clone(), doing, source: Box::new(source) }
    }
}

/// A commit as libgit2 names it.
pub(crate) fn oid(commit: Commit) -> Result<Oid, git2::Error> {
    Oid::from_str(&commit.to_string())
}

/// A commit as we name it; `None` for the name of nothing, all zeros.
pub(crate) fn commit(oid: Oid) -> Option<Commit> {
    let bytes = oid.as_bytes().try_into().ok()?;
    (!oid.is_zero()).then(|| Commit::from_bytes(bytes))
}

/// Opens a store with its shallow boundary: `git_repository_open_bare` would not read it, and a push would then look
/// for the commits behind it.
fn open(path: &Path) -> Result<git2::Repository, git2::Error> {
    let flags = RepositoryOpenFlags::NO_SEARCH | RepositoryOpenFlags::BARE | RepositoryOpenFlags::NO_DOTGIT;
    git2::Repository::open_ext(path, flags, std::iter::empty::<&Path>())
}

fn make(path: &Path) -> Result<git2::Repository, git2::Error> {
    let mut options = RepositoryInitOptions::new();
    options.bare(true).mkpath(true).external_template(false).initial_head("tagferry/none");
    git2::Repository::init_opts(path, &options)
}

/// Throws a store away: everything in it can be fetched again.
fn discard(repository: &Repository, path: &Path) {
    tracing::debug!(%repository, "An object store is damaged or has grown, and is made anew.");
    if let Err(error) = fs::remove_dir_all(path) {
        tracing::warn!(%repository, %error, "An object store could not be removed; the next use fails if it is damaged.");
    }
}

fn packs(path: &Path) -> usize {
    fs::read_dir(path.join("objects/pack")).map_or(0, |entries| {
        entries.flatten().filter(|entry| entry.path().extension().is_some_and(|extension| extension == "pack")).count()
    })
}
