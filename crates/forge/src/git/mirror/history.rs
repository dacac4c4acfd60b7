//! What a mirror's branches say of commits.

use chrono::{DateTime, Utc};
use domain::{
    commit::Commit,
    evidence::{Left, Lookup},
    forge::{Ancestry, Branch},
    glob::Glob,
    proposal::{Between, Listed, MOST_LISTED},
};
use git2::{ErrorCode, Oid, Sort};

use super::{super::store, Store, is_within};
use crate::{Comparison, Error};

/// Where the old tips are, as `refs/tagferry/left/TIME/BRANCH` with the seconds since 1970.
const LEFT: &str = "refs/tagferry/left/";

/// How many old tips are kept, of all branches; the oldest go first.
const MOST_LEFT: usize = 100;

/// How many characters of a subject are kept.
const LONGEST_SUBJECT: usize = 256;

/// A branch or an old tip, with where it points to.
pub(super) type Tip = (String, Oid);

/// What a mirror knows of commits.
pub(super) struct Places<'a> {
    pub(super) store: &'a Store,
    /// What people find commits under.
    pub(super) commits_url: &'a str,
}

impl Places<'_> {
    pub(super) fn look_up(&self, commit: Commit, patterns: &[Glob]) -> Result<Lookup, Error> {
        let Some(found) = self.find(commit)? else { return Ok(Lookup::Absent) };
        let (subject, id) = (subject(&found), found.id());
        let tips = tips(self.store)?;
        let mut branch = None;
        let (named, like): (Vec<&Glob>, Vec<&Glob>) = patterns.iter().partition(|pattern| pattern.name().is_some());
        for pattern in named.iter().chain(&like) {
            for (name, tip) in tips.iter().filter(|(name, _)| pattern.matches(name)) {
                if branch.is_none() && is_within(self.store, id, *tip)? {
                    branch = name.parse::<Branch>().ok();
                }
            }
        }
        let missing = named.iter().filter_map(|pattern| pattern.name());
        let missing =
            missing.filter(|name| tips.iter().all(|(known, _)| known != name)).find_map(|name| name.parse().ok());
        if let (None, Some(missing)) = (&branch, missing) {
            return Err(Error::NoBranch { repository: self.store.repository().clone(), branch: missing });
        }
        let left = if branch.is_none() { self.left(id, patterns)? } else { None };
        Ok(Lookup::Present { subject, url: self.url(commit), branch, left, checks: Vec::new() })
    }

    /// The allowed branch that a commit was on, from the newest time on.
    fn left(&self, id: Oid, patterns: &[Glob]) -> Result<Option<Left>, Error> {
        let mut all = references(self.store, LEFT)?;
        all.sort_by(|one, other| other.0.cmp(&one.0));
        for (name, tip) in all {
            let Some((seconds, name)) = name.split_once('/') else { continue };
            if patterns.iter().any(|pattern| pattern.matches(name)) && is_within(self.store, id, tip)? {
                let at = seconds.parse().ok().and_then(|seconds| DateTime::<Utc>::from_timestamp(seconds, 0));
                return Ok(name.parse().ok().zip(at).map(|(branch, at)| Left { branch, at }));
            }
        }
        Ok(None)
    }

    pub(super) fn compare(&self, first: Commit, second: Commit) -> Result<Option<Comparison>, Error> {
        let alone = |ancestry| Ok(Some(Comparison { ancestry, between: None }));
        if first == second {
            return alone(Ancestry::Same);
        }
        let (Some(one), Some(other)) = (self.find(first)?, self.find(second)?) else { return Ok(None) };
        if is_within(self.store, one.id(), other.id())? {
            let between = Some(self.between(first, (one.id(), other.id()))?);
            return Ok(Some(Comparison { ancestry: Ancestry::Ancestor, between }));
        }
        if is_within(self.store, other.id(), one.id())? {
            alone(Ancestry::Descendant)
        } else {
            alone(Ancestry::Unrelated)
        }
    }

    fn between(&self, from: Commit, (first, second): (Oid, Oid)) -> Result<Between, Error> {
        let broken = |source| self.store.broken("reading the history", source);
        let mut walk = self.store.git().revwalk().map_err(broken)?;
        walk.set_sorting(Sort::TOPOLOGICAL | Sort::REVERSE).map_err(broken)?;
        walk.push(second).and_then(|()| walk.hide(first)).map_err(broken)?;
        let (mut count, mut listed) = (0, Vec::new());
        for id in walk {
            count += 1;
            if listed.len() == MOST_LISTED {
                continue;
            }
            let id = id.map_err(broken)?;
            let found = self.store.git().find_commit(id).map_err(broken)?;
            if let Some(commit) = store::commit(id) {
                listed.push(Listed { commit, subject: subject(&found), url: self.url(commit), author: None });
            }
        }
        let url = store::commit(second).map(|second| self.url(second)).unwrap_or_default();
        Ok(Between { from, url, count, listed })
    }

    fn find(&self, commit: Commit) -> Result<Option<git2::Commit<'_>>, Error> {
        match store::oid(commit).and_then(|id| self.store.git().find_commit(id)) {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(source) => Err(self.store.broken("reading a commit", source)),
        }
    }

    fn url(&self, commit: Commit) -> String {
        format!("{}/{commit}", self.commits_url)
    }
}

/// All branches.
pub(super) fn tips(store: &Store) -> Result<Vec<Tip>, Error> {
    references(store, "refs/heads/")
}

/// Leaves the old tips behind of branches that are gone or do not have them any more.
pub(super) fn keep_left(store: &Store, before: &[Tip], now: i64) -> Result<(), Error> {
    let after = tips(store)?;
    for (name, old) in before {
        let new = after.iter().find(|(known, _)| known == name).map(|(_, tip)| *tip);
        let is_left = match new {
            Some(new) => !is_within(store, *old, new)?,
            None => true,
        };
        if is_left {
            let reference = format!("{LEFT}{now:012}/{name}");
            store
                .git()
                .reference(&reference, *old, true, "left behind")
                .map_err(|source| store.broken("noting an old tip", source))?;
        }
    }
    let mut all = references(store, LEFT)?;
    all.sort();
    let too_many = all.len().saturating_sub(MOST_LEFT);
    for (name, _) in all.iter().take(too_many) {
        let gone = store.git().find_reference(&format!("{LEFT}{name}")).and_then(|mut reference| reference.delete());
        gone.map_err(|source| store.broken("forgetting an old tip", source))?;
    }
    Ok(())
}

/// The references below a name, without it.
fn references(store: &Store, below: &str) -> Result<Vec<Tip>, Error> {
    let broken = |source| store.broken("reading the branches", source);
    let mut all = Vec::new();
    for reference in store.git().references_glob(&format!("{below}*")).map_err(broken)? {
        let reference = reference.map_err(broken)?;
        let name = reference.name().ok().and_then(|name| name.strip_prefix(below));
        if let (Some(name), Some(tip)) = (name, reference.target()) {
            all.push((name.to_owned(), tip));
        }
    }
    Ok(all)
}

/// The first line of its message.
fn subject(commit: &git2::Commit<'_>) -> String {
    let message = String::from_utf8_lossy(commit.message_bytes()).into_owned();
    message.lines().next().unwrap_or_default().chars().take(LONGEST_SUBJECT).collect()
}
