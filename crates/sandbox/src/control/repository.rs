//! Repositories: making them, setting them, and changing their branches as people do.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use chrono::DateTime;
use domain::forge::Branch;
use serde::{Deserialize, Serialize};

use super::{Control, key};
use crate::{
    error::Error,
    git::{Bare, Modes, NewCommit, Oid, Signature},
    refusal::Refusal,
    render,
    world::{
        World,
        check::Report,
        repository::{Key, Protection, Repository, Settings},
        rules::Rules,
    },
};

/// A repository to be made.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewRepository {
    /// `owner/name`.
    pub name: Key,
    /// The branch that people see first.
    #[serde(default = "main")]
    pub default_branch: String,
    /// The texts of its first commit by path; no commit when there are none.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// A clone or bare repository whose branches are copied in, in place of `files`.
    #[serde(default)]
    pub copy_from: Option<PathBuf>,
    /// How it wants pull requests merged.
    #[serde(default)]
    pub settings: Settings,
}

/// A repository as it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RepositoryView {
    /// `owner/name`.
    pub name: Key,
    /// Its number.
    pub id: u64,
    /// Where Git finds it.
    pub git_url: String,
    /// The bare repository on disk.
    pub directory: PathBuf,
    /// The branch that people see first.
    pub default_branch: String,
    /// All branches with the commit at their tip.
    pub branches: BTreeMap<String, Oid>,
    /// How it wants pull requests merged.
    pub settings: Settings,
    /// The protected branches.
    pub protection: BTreeMap<String, Protection>,
    /// The rulesets of branches.
    pub rules: BTreeMap<String, Rules>,
    /// Whether the App may use it.
    pub installed: bool,
}

/// A commit that somebody pushes, past all protection.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Push {
    /// The branch, which is made when it is not there.
    pub branch: String,
    /// Texts by path; `null` deletes a file.
    pub files: BTreeMap<String, Option<String>>,
    /// The message; a plain one when it is not given.
    pub message: Option<String>,
    /// The account that pushes; `octocat` when it is not given.
    pub author: Option<String>,
    /// The author's address; the account's own when it is not given.
    pub email: Option<String>,
    /// The commit's date in seconds since the epoch; now when it is not given.
    pub date: Option<i64>,
    /// The branch or commit that it is put on, in place of the branch's own tip (a force push).
    pub onto: Option<String>,
}

fn main() -> String {
    "main".to_owned()
}

impl NewRepository {
    /// A repository with a first commit on `main`.
    ///
    /// # Errors
    /// [`Error::Refused`] when the name is not `owner/name`.
    pub fn with_files<const N: usize>(name: &str, files: [(&str, &str); N]) -> Result<Self, Error> {
        let files = files.map(|(path, text)| (path.to_owned(), text.to_owned()));
        Ok(Self {
            name: key(name)?,
            default_branch: main(),
            files: files.into(),
            copy_from: None,
            settings: Settings::default(),
        })
    }
}

impl Push {
    /// A commit with these texts.
    #[must_use]
    pub fn new<const N: usize>(branch: &str, files: [(&str, &str); N]) -> Self {
        let files = files.map(|(path, text)| (path.to_owned(), Some(text.to_owned())));
        Self { branch: branch.to_owned(), files: files.into(), ..Self::default() }
    }

    /// The same on another branch's tip or a commit.
    #[must_use]
    pub fn onto(mut self, revision: &str) -> Self {
        self.onto = Some(revision.to_owned());
        self
    }

    /// The same with a message.
    #[must_use]
    pub fn message(mut self, message: &str) -> Self {
        self.message = Some(message.to_owned());
        self
    }
}

impl Control {
    /// Makes a repository on which the App is installed.
    ///
    /// # Errors
    /// [`Error::Refused`] when it exists already or its paths are not good, [`Error::Git`] when it can not be copied.
    pub async fn create_repository(&self, new: NewRepository) -> Result<RepositoryView, Error> {
        let made = self.shared.with(move |world| create(world, new)).await?;
        Ok(made)
    }

    /// All repositories.
    ///
    /// # Errors
    /// None that is expected.
    pub async fn repositories(&self) -> Result<Vec<RepositoryView>, Error> {
        let all = self.shared.see(|world| Ok(world.repositories.values().map(|it| view(world, it)).collect()));
        Ok(all.await?)
    }

    /// One repository.
    ///
    /// # Errors
    /// [`Error::Refused`] when it does not exist.
    pub async fn repository(&self, repository: &str) -> Result<RepositoryView, Error> {
        let key = key(repository)?;
        Ok(self.shared.see(move |world| Ok(view(world, world.repository(&key)?))).await?)
    }

    /// Changes how a repository wants its pull requests merged. Nothing is merged by this alone, as on GitHub.
    ///
    /// # Errors
    /// [`Error::Refused`] when the repository does not exist.
    pub async fn set_settings(&self, repository: &str, settings: Settings) -> Result<(), Error> {
        let key = key(repository)?;
        let set = self.shared.with(move |world| {
            world.repository_mut(&key)?.settings = settings;
            Ok(())
        });
        Ok(set.await?)
    }

    /// Protects a branch, or with `None` no longer. Nothing is merged by this alone, as on GitHub.
    ///
    /// # Errors
    /// [`Error::Refused`] when the repository does not exist.
    pub async fn protect(&self, repository: &str, branch: &str, protection: Option<Protection>) -> Result<(), Error> {
        let (key, branch) = (key(repository)?, branch.to_owned());
        let set = self.shared.with(move |world| {
            let protections = &mut world.repository_mut(&key)?.protections;
            match protection {
                Some(protection) => drop(protections.insert(branch, protection)),
                None => drop(protections.remove(&branch)),
            }
            Ok(())
        });
        Ok(set.await?)
    }

    /// Installs the App on a repository, or takes it away.
    ///
    /// # Errors
    /// [`Error::Refused`] when the repository does not exist.
    pub async fn set_installed(&self, repository: &str, installed: bool) -> Result<(), Error> {
        let key = key(repository)?;
        let set = self.shared.with(move |world| {
            world.repository_mut(&key)?.installed = installed;
            Ok(())
        });
        Ok(set.await?)
    }

    /// Pushes a commit as a person who may do everything: moves the base, or makes somebody's branch.
    ///
    /// # Errors
    /// [`Error::Refused`] when the repository or `onto` does not exist, or the branch's name is not good.
    pub async fn push(&self, repository: &str, push: Push) -> Result<Oid, Error> {
        let key = key(repository)?;
        Ok(self.shared.with(move |world| push_commit(world, &key, &push)).await?)
    }

    /// Deletes a branch as a person.
    ///
    /// # Errors
    /// [`Error::Refused`] when the repository or branch does not exist.
    pub async fn delete_branch(&self, repository: &str, branch: &str) -> Result<(), Error> {
        let (key, branch) = (key(repository)?, branch.to_owned());
        let deleted = self.shared.with(move |world| {
            let repository = world.repository(&key)?;
            if !repository.tips.contains_key(&branch) {
                return Err(Refusal::unprocessable("Reference does not exist"));
            }
            repository.git.delete_reference(&format!("refs/heads/{branch}"))?;
            world.settle(&key, PERSON)
        });
        Ok(deleted.await?)
    }

    /// The text of a file at a branch or commit; `None` when it is not there.
    ///
    /// # Errors
    /// [`Error::Refused`] when the repository or revision does not exist.
    pub async fn read_file(&self, repository: &str, revision: &str, path: &str) -> Result<Option<String>, Error> {
        let key = key(repository)?;
        let (revision, path) = (revision.to_owned(), path.to_owned());
        let read = self.shared.see(move |world| {
            let repository = world.repository(&key)?;
            let commit = repository.resolve(&revision)?.ok_or_else(Refusal::not_found)?;
            Ok(repository.git.read_file(&commit, &path)?)
        });
        Ok(read.await?)
    }

    /// Sets what a check says about the tip of a branch or a commit. What waits for it may be merged by this.
    ///
    /// # Errors
    /// [`Error::Refused`] when the repository or revision does not exist.
    pub async fn set_check(&self, repository: &str, revision: &str, report: Report) -> Result<(), Error> {
        let (key, revision) = (key(repository)?, revision.to_owned());
        let set = self.shared.with(move |world| {
            let commit = world.repository(&key)?.resolve(&revision)?.ok_or_else(Refusal::not_found)?;
            world.report(&key, &commit, &report)
        });
        Ok(set.await?)
    }

    /// Opens the repositories that an earlier run left in the data directory.
    pub(crate) async fn open_kept_repositories(&self) -> Result<(), Error> {
        let opened = self.shared.with(|world| {
            for key in kept(&world.data) {
                world.add_repository(key, "main")?;
            }
            Ok(())
        });
        Ok(opened.await?)
    }
}

/// The person who does what nobody is named for.
pub(super) const PERSON: &str = "octocat";

fn create(world: &mut World, new: NewRepository) -> Result<RepositoryView, Refusal> {
    let key = new.name;
    if world.repositories.contains_key(&key) {
        return Err(Refusal::custom("Repository", "name already exists on this account"));
    }
    world.add_repository(key.clone(), &new.default_branch)?;
    world.repository_mut(&key)?.settings = new.settings;
    if let Some(path) = &new.copy_from {
        let repository = world.repository_mut(&key)?;
        repository.git.copy_branches(path)?;
        let branches = repository.git.tips()?;
        if let Some(head) = Bare::head_of(path)?
            && !branches.contains_key(&repository.default_branch)
            && branches.contains_key(&head)
        {
            repository.git.set_default_branch(&head)?;
            repository.default_branch = head;
        }
        world.settle(&key, PERSON)?;
    } else if !new.files.is_empty() {
        let files = new.files.into_iter().map(|(path, text)| (path, Some(text))).collect();
        let message = Some("Initial commit".to_owned());
        push_commit(world, &key, &Push { branch: new.default_branch, files, message, ..Push::default() })?;
    }
    Ok(view(world, world.repository(&key)?))
}

fn push_commit(world: &mut World, key: &Key, push: &Push) -> Result<Oid, Refusal> {
    let invalid = |error| Refusal::unprocessable(format!("{:?}: {error}", push.branch));
    let branch: Branch = push.branch.parse().map_err(invalid)?;
    let repository = world.repository(key)?;
    let parent = match &push.onto {
        Some(revision) => Some(repository.resolve(revision)?.ok_or_else(Refusal::not_found)?),
        None => {
            // A new branch begins at the default one, if that has a commit.
            let tips = &repository.tips;
            tips.get(branch.as_str()).or_else(|| tips.get(&repository.default_branch)).cloned()
        }
    };
    let files = push.files.iter().map(|(path, text)| (path.clone(), text.clone().map(String::into_bytes)));
    let tree = repository.git.write_tree(parent.as_ref(), &files.collect(), Modes::Kept)?;
    let login = push.author.as_deref().unwrap_or(PERSON);
    let author = Signature {
        name: login.to_owned(),
        email: push.email.clone().unwrap_or_else(|| render::user::email(login)),
        when: push.date.and_then(|date| DateTime::from_timestamp(date, 0)).unwrap_or_else(|| world.now()),
    };
    let message = format!("{}\n", push.message.as_deref().unwrap_or("Change something").trim_end());
    let parents: Vec<&Oid> = parent.iter().collect();
    let new = NewCommit { tree: &tree, parents: &parents, message: &message, author: &author, committer: &author };
    let commit = repository.git.write_commit(&new)?;
    repository.git.set_reference(&branch.reference(), &commit)?;
    world.settle(key, login)?;
    Ok(commit)
}

fn view(world: &World, repository: &Repository) -> RepositoryView {
    RepositoryView {
        name: repository.key.clone(),
        id: repository.id,
        git_url: format!("{}/{}.git", world.url, repository.key),
        directory: repository.git.directory().to_owned(),
        default_branch: repository.default_branch.clone(),
        branches: repository.tips.clone(),
        settings: repository.settings.clone(),
        protection: repository.protections.clone(),
        rules: repository.rules.clone(),
        installed: repository.installed,
    }
}

fn kept(data: &Path) -> Vec<Key> {
    let inside = |directory: &Path| {
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        entries.filter_map(|entry| entry.file_name().into_string().ok()).collect::<Vec<_>>()
    };
    let owners = inside(data).into_iter();
    let named = owners.flat_map(|owner| {
        let repositories = inside(&data.join(&owner)).into_iter();
        repositories.filter_map(move |name| format!("{owner}/{}", name.strip_suffix(".git")?).parse().ok())
    });
    named.collect()
}
