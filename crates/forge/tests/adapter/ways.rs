//! What is so whichever way a release is written: by Git, or by the forge's interfaces. The repository is a real one
//! behind the sandbox, and is looked at with `git`.

mod lost;
mod reading;
mod writing;

use anyhow::Context as _;
use conformance::Watched;
use domain::{commit::Commit, forge::Repository, proposal::ReleaseBranch};
use forge::{Credentials, Error, FileEdit, Forge, NewCommit, Settings, Write};
use sandbox::{NewRepository, Options, Push};

use crate::host::Host;

const GITOPS: &str = "acme/trinity";

const STAGING: &str = "mandelbrot/deploy-tagferry-staging";

/// A repository of the sandbox with any files, and forges that write it.
struct Ground {
    sandbox: Watched,
    host: Host,
    repository: Repository,
}

/// A way, and what it is called.
type Way = (&'static str, Write);

/// Both ways.
fn ways() -> [Way; 2] {
    [("git", Write::Git(None)), ("api", Write::Api)]
}

impl Ground {
    /// Files as [`Host::repository`] takes them.
    async fn lay(files: &[(&str, &str)]) -> anyhow::Result<Self> {
        let (sandbox, host) = (Watched::start(Options::default()).await?, Host::start().await?);
        let repository = host.repository(GITOPS, files).await?;
        let mut new = NewRepository::with_files(GITOPS, [])?;
        new.copy_from = Some(host.bare(GITOPS));
        sandbox.create_repository(new).await?;
        Ok(Self { sandbox, host, repository })
    }

    /// A forge that writes so, as an App.
    async fn forge(&self, (name, write): &Way) -> anyhow::Result<Forge> {
        let id = self.sandbox.app().await?.id.to_string();
        let credentials = Credentials::App { id, private_key: self.sandbox.app_private_key().into() };
        let data_dir = self.host.directory.path().join(name);
        let mut settings = Settings::new(self.sandbox.url().parse()?, credentials, data_dir);
        settings.write = write.clone();
        Ok(Forge::new(settings)?)
    }

    /// Runs `git` in the sandbox's repository.
    async fn git(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let directory = self.sandbox.repository(GITOPS).await?.directory;
        let output = crate::host::git(&directory).args(arguments).output().await?;
        anyhow::ensure!(output.status.success(), "git {arguments:?}: {output:?}");
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    }

    /// Somebody else puts a commit onto a branch; without `onto`, on its tip.
    async fn push(&self, branch: &str, path: &str, text: &str) -> anyhow::Result<Commit> {
        Ok(self.sandbox.push(GITOPS, Push::new(branch, [(path, text)])).await?.to_string().parse()?)
    }

    /// The branches but `main`.
    async fn branches(&self) -> anyhow::Result<Vec<String>> {
        let branches = self.sandbox.repository(GITOPS).await?.branches;
        Ok(branches.into_keys().filter(|branch| branch != "main").collect())
    }

    /// The requests to the interfaces since the last look: the fields at the top of each document.
    fn documents(&self) -> Vec<String> {
        let requests = self.sandbox.requests();
        self.sandbox.clear_requests();
        requests.iter().filter(|one| one.path == "/graphql").map(|one| one.operations.join(" ")).collect()
    }
}

fn branch() -> anyhow::Result<ReleaseBranch> {
    Ok(ReleaseBranch::new(&"mandelbrot".parse()?, Commit::from_bytes([0x1f; 20])))
}

fn edit(path: &str, text: &str) -> FileEdit {
    FileEdit { path: path.to_owned(), bytes: text.as_bytes().to_vec() }
}

/// A commit on the tip of `main`.
async fn commit(
    forge: &Forge,
    repository: &Repository,
    files: &[FileEdit],
    ours: &[Commit],
) -> anyhow::Result<Result<Commit, Error>> {
    let tip = forge.tip(repository, &"main".parse()?).await?;
    let branch = branch()?;
    let at = chrono::DateTime::from_timestamp(1_800_000_000, 0).context("a time")?;
    let message = "release(mandelbrot): Zoom\n\nSource-Commit: 1f1f\nImage-Digest-aws: sha256:0\n";
    let new = NewCommit { branch: &branch, ours, tip, files, message, at };
    Ok(forge.commit(repository, &new).await)
}
