//! What is asked of the repository on the forge: a branch's tip, and moving a release branch.

use std::{cell::RefCell, sync::Arc};

use domain::{commit::Commit, forge::Branch};
use git2::{AutotagOption, Direction, ErrorClass, FetchOptions, Oid, PushOptions, Remote, RemoteCallbacks};

use super::{
    session::{Failure, Session},
    store::{self, Store},
    transport,
};
use crate::{
    Error,
    scrub::scrub,
    write::{self, NEEDS_READ, NEEDS_WRITE},
};

/// The longest text of a refusal that is passed on, in characters.
const LONGEST_TEXT: usize = 1000;

/// A conversation with the repository that a store belongs to.
pub(super) struct Conversation<'a> {
    /// The store that it is about.
    pub(super) store: &'a mut Store,
    /// How it is spoken.
    pub(super) session: Arc<Session>,
    /// What is being done to which branch, as a message begins.
    pub(super) doing: String,
}

/// Where a release branch shall point to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Target {
    /// To this commit.
    Commit(Commit),
    /// Nowhere: it is deleted.
    Nothing,
}

/// What the forge says while it takes a push.
#[derive(Debug, Default)]
struct Said {
    /// Its words for people.
    aside: Vec<u8>,
    /// Why it did not move the reference.
    refused: Option<String>,
    /// Whether the reference was not where it had been, so that nothing was sent.
    moved: bool,
}

impl Conversation<'_> {
    /// The commit at the tip of a branch, which is in the store afterwards.
    pub(super) fn tip(&mut self, branch: &Branch) -> Result<Commit, Error> {
        let _entered = self.enter()?;
        let reference = branch.reference();
        let mut remote = self.connect(Direction::Fetch)?;
        let Some(tip) = self.current(&remote, &reference)? else {
            let repository = self.store.repository().clone();
            return Err(Error::NoBranch { repository, branch: branch.clone() });
        };
        let Some(commit) = store::commit(tip) else { return Err(self.odd("a branch without a commit")) };
        if !self.has(commit) {
            let mut options = FetchOptions::new();
            options.depth(1).download_tags(AutotagOption::None).update_fetchhead(false);
            remote
                .download(&[format!("+{reference}:{reference}")], Some(&mut options))
                .map_err(|error| self.failed(error, NEEDS_READ))?;
            // What references name is what the next fetch need not send again.
            self.store
                .git()
                .reference(&reference, tip, true, "fetched")
                .map_err(|source| self.store.broken("noting a branch's tip", source))?;
        }
        Ok(commit)
    }

    /// Makes a branch point to the target, if it is absent or points to one of `ours`.
    ///
    /// The forge compares once more: what is sent names the commit that was there when we looked, and nothing is
    /// moved when another is there by then.
    pub(super) fn move_branch(&mut self, branch: &Branch, target: Target, ours: &[Commit]) -> Result<(), Error> {
        let source = match target {
            Target::Commit(commit) => self.store.commit(commit)?.id().to_string(),
            Target::Nothing => String::new(),
        };
        let _entered = self.enter()?;
        let reference = branch.reference();
        let mut remote = self.connect(Direction::Push)?;
        let current = self.current(&remote, &reference)?.and_then(store::commit);
        match (current, target) {
            (None, Target::Nothing) => return Ok(()),
            (Some(current), Target::Commit(commit)) if current == commit => return Ok(()),
            (Some(current), _) if !ours.contains(&current) => {
                return Err(Error::ForeignTip { branch: branch.clone(), tip: current });
            }
            (None, Target::Commit(_)) => self.check_name(&remote, branch)?,
            (Some(_), _) => {}
        }
        let said = self.push(&mut remote, &format!("+{source}:{reference}"), current)?;
        match &said.refused {
            None if said.moved => Err(Error::Moved { branch: branch.clone() }),
            None => Ok(()),
            Some(_) => Err(Error::PushRefused { branch: branch.clone(), why: said.text() }),
        }
    }

    /// A branch that is to be made must not need a directory where another branch is a file, nor the other way round.
    fn check_name(&self, remote: &Remote<'_>, branch: &Branch) -> Result<(), Error> {
        let heads = remote.list().map_err(|error| self.failed(error, NEEDS_READ))?;
        let others = heads.iter().filter_map(|head| head.name().strip_prefix("refs/heads/")?.parse().ok());
        let mut in_the_way = others.filter(|other| write::clash(branch, other));
        match in_the_way.next() {
            None => Ok(()),
            Some(taken_by) => {
                let repository = self.store.repository().clone();
                Err(Error::NameTaken { repository, branch: branch.clone(), taken_by })
            }
        }
    }

    /// Sends one command. libgit2 answers well even when the forge did not move the reference: what it says counts.
    fn push(&self, remote: &mut Remote<'_>, command: &str, expected: Option<Commit>) -> Result<Said, Error> {
        let said = RefCell::new(Said::default());
        let mut callbacks = RemoteCallbacks::new();
        callbacks.push_negotiation(|updates| {
            let is_expected = |seen: Oid| store::commit(seen) == expected;
            if updates.iter().all(|update| is_expected(update.src())) {
                Ok(())
            } else {
                said.borrow_mut().moved = true;
                Err(git2::Error::from_str("the branch moved in the meantime"))
            }
        });
        callbacks.push_update_reference(|_, refused| {
            said.borrow_mut().refused = refused.map(str::to_owned);
            Ok(())
        });
        callbacks.sideband_progress(|text| {
            said.borrow_mut().aside.extend_from_slice(text);
            true
        });
        let mut options = PushOptions::new();
        options.remote_callbacks(callbacks);
        let sent = remote.push(&[command], Some(&mut options));
        drop(options);
        let said = said.into_inner();
        match sent {
            Err(error) if !said.moved => Err(self.failed(error, NEEDS_WRITE)),
            Ok(()) | Err(_) => Ok(said),
        }
    }

    pub(super) fn enter(&self) -> Result<transport::Entered, Error> {
        transport::enter(Arc::clone(&self.session))
            .map_err(|source| self.store.broken("preparing a conversation", source))
    }

    /// Reads the list of the repository's references: one request.
    pub(super) fn connect(&self, direction: Direction) -> Result<Remote<'_>, Error> {
        let needs = match direction {
            Direction::Fetch => NEEDS_READ,
            Direction::Push => NEEDS_WRITE,
        };
        let mut remote = self
            .store
            .git()
            .remote_anonymous(transport::URL)
            .map_err(|source| self.store.broken("preparing a conversation", source))?;
        remote.connect(direction).map_err(|error| self.failed(error, needs))?;
        Ok(remote)
    }

    fn current(&self, remote: &Remote<'_>, reference: &str) -> Result<Option<Oid>, Error> {
        let heads = remote.list().map_err(|error| self.failed(error, NEEDS_READ))?;
        Ok(heads.iter().find(|head| head.name() == reference).map(git2::RemoteHead::oid))
    }

    /// Whether a commit is in the store, with its tree.
    pub(super) fn has(&self, commit: Commit) -> bool {
        let found = store::oid(commit).and_then(|id| self.store.git().find_commit(id)?.tree().map(drop));
        found.is_ok()
    }

    /// What really happened when libgit2 gave up.
    pub(super) fn failed(&self, error: git2::Error, needs: &'static str) -> Error {
        if let Some(failure) = self.session.take_failure() {
            return self.explain(failure, needs);
        }
        let is_ours = matches!(
            error.class(),
            ErrorClass::Odb
                | ErrorClass::Zlib
                | ErrorClass::Filesystem
                | ErrorClass::Os
                | ErrorClass::Object
                | ErrorClass::Tree
        );
        if is_ours { self.store.broken("keeping what was fetched", error) } else { self.odd(error.message()) }
    }

    fn explain(&self, failure: Failure, needs: &'static str) -> Error {
        let doing = self.doing.clone();
        let unavailable = |why: String| Error::Unavailable { doing: doing.clone(), why, source: None };
        match failure {
            Failure::Status { limit: Some(retry_after), .. } => Error::Limited { doing, retry_after },
            Failure::Status { code: 401, .. } => Error::Unauthorized { doing },
            Failure::Status { code: 403, text, .. } => Error::Forbidden { doing, why: text, needs },
            Failure::Status { code: 404, .. } => Error::NoRepository { repository: self.store.repository().clone() },
            Failure::Status { code: 300..=399, .. } => {
                let message = "it was renamed or moved: use its new name".to_owned();
                Error::Refused { doing, message }
            }
            Failure::Status { code: code @ (408 | 500..), .. } => {
                unavailable(format!("the forge failed (HTTP {code})"))
            }
            Failure::Status { code, text, .. } => Error::Refused { doing, message: format!("HTTP {code} {text}") },
            Failure::Broken(source) => Error::Unavailable {
                doing,
                why: "the connection could not be made or broke".to_owned(),
                source: Some(Box::new(source)),
            },
            Failure::Idle(idle) => unavailable(format!("nothing came for {} seconds", idle.as_secs())),
            Failure::Late => unavailable("it took too long".to_owned()),
            Failure::Cancelled => unavailable("it was given up".to_owned()),
        }
    }

    fn odd(&self, why: &str) -> Error {
        Error::Misunderstood { doing: self.doing.clone(), why: scrub(why) }
    }
}

impl Said {
    /// Why, in one line: the reason that Git has a field for, then the forge's words for people.
    fn text(&self) -> String {
        let aside = String::from_utf8_lossy(&self.aside);
        let lines = aside.lines().map(str::trim).filter(|line| !line.is_empty());
        let parts: Vec<&str> = self.refused.as_deref().into_iter().chain(lines).collect();
        scrub(&parts.join(" · ")).chars().filter(|one| !one.is_control()).take(LONGEST_TEXT).collect()
    }
}
