//! The sandbox with a repository, and a forge that speaks to it as an App.

use anyhow::Context as _;
use conformance::Watched;
use domain::{
    commit::Commit,
    forge::{Branch, MergeMethod, PullRequest, Repository},
    proposal::ReleaseBranch,
};
use forge::{Armed, Credentials, Error, FileEdit, Forge, NewCommit, NewPullRequest, Order, Ordered, Settings};
use sandbox::{NewRepository, Options, Protection, Push, Report};
use tempfile::TempDir;

use crate::host::git;

pub(crate) const GITOPS: &str = "acme/trinity";
pub(crate) const PATH: &str = "apps/aws/kustomization.yaml";

/// A sandbox with one repository, and a forge that speaks to it as an App.
pub(crate) struct Stage {
    pub(crate) sandbox: Watched,
    pub(crate) forge: Forge,
    pub(crate) repository: Repository,
    pub(crate) base: Branch,
    _directory: TempDir,
}

impl Stage {
    pub(crate) async fn set() -> anyhow::Result<Self> {
        let sandbox = Watched::start(Options::default()).await?;
        let mut new = NewRepository::with_files(GITOPS, [(PATH, "images: []\n"), ("README", "x")])?;
        new.settings.allow_auto_merge = true;
        sandbox.create_repository(new).await?;
        let credentials =
            Credentials::App { id: sandbox.app().await?.id.to_string(), private_key: sandbox.app_private_key().into() };
        let directory = tempfile::tempdir()?;
        let settings = Settings::new(sandbox.url().parse()?, credentials, directory.path().to_owned());
        let forge = Forge::new(settings)?;
        let (repository, base) = (GITOPS.parse()?, "main".parse()?);
        Ok(Self { sandbox, forge, repository, base, _directory: directory })
    }

    /// Nothing is merged into the base before the check `ci` is good.
    pub(crate) async fn require_ci(&self) -> anyhow::Result<()> {
        let required_checks = vec!["ci".to_owned()];
        let protection = Protection { required_checks, require_pull_request: true, ..Protection::default() };
        Ok(self.sandbox.protect(GITOPS, "main", Some(protection)).await?)
    }

    /// Edits the file at the base's tip and pushes the commit.
    pub(crate) async fn push(&self, content: &str) -> anyhow::Result<Commit> {
        self.push_instead(content, &[]).await
    }

    /// The same in place of an earlier commit of ours.
    pub(crate) async fn push_over(&self, content: &str, earlier: Commit) -> anyhow::Result<Commit> {
        self.push_instead(content, &[earlier]).await
    }

    async fn push_instead(&self, content: &str, replaced: &[Commit]) -> anyhow::Result<Commit> {
        let tip = self.forge.tip(&self.repository, &self.base).await?;
        let read = self.forge.read_directories(&self.repository, tip, &["apps/aws"], &["kustomization.yaml"]).await?;
        anyhow::ensure!(read.iter().all(Option::is_some), "{read:?}");
        let files = [FileEdit { path: PATH.to_owned(), bytes: content.as_bytes().to_vec() }];
        let at = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap_or_default();
        let branch = branch()?;
        let new = NewCommit { branch: &branch, ours: replaced, tip, files: &files, message: "release(x): y\n", at };
        let commit = self.forge.commit(&self.repository, &new).await?;
        self.forge.push(&self.repository, &branch, commit, replaced).await?;
        Ok(commit)
    }

    pub(crate) async fn create(&self) -> anyhow::Result<Result<PullRequest, Error>> {
        let branch = branch()?;
        let new = NewPullRequest { branch: &branch, base: &self.base, title: "release(x): y", body: "b" };
        Ok(self.forge.create_pull_request(&self.repository, &new).await)
    }

    pub(crate) async fn arm(&self, open: &PullRequest) -> Result<Armed, Error> {
        Ok(self.arm_with(open, MergeMethod::Squash, &[]).await?.armed)
    }

    pub(crate) async fn arm_with(
        &self,
        open: &PullRequest,
        method: MergeMethod,
        labels: &[String],
    ) -> Result<Ordered, Error> {
        let base = &self.base;
        let order = Order { head: open.head, base, method, headline: "release(x): y", body: "z", labels };
        let look = self.forge.look(&self.repository, open.number, labels).await?;
        self.forge.arm(&self.repository, &look, &order).await
    }

    /// Makes as many branches with this beginning at the tip of `main`, and then a commit on `main`.
    pub(crate) async fn crowd(&self, beginning: &str, count: usize) -> anyhow::Result<()> {
        let view = self.sandbox.repository(GITOPS).await?;
        let tip = view.branches.get("main").context("main is there")?;
        for place in 0..count {
            let name = format!("refs/heads/{beginning}{place:03}");
            let made = git(&view.directory).args(["update-ref", &name, tip.as_str()]).status().await?;
            anyhow::ensure!(made.success(), "{name}");
        }
        self.sandbox.push(GITOPS, Push::new("main", [("README", "crowded")])).await?;
        Ok(())
    }

    /// The pull request as it is now.
    pub(crate) async fn look(&self, open: &PullRequest) -> Result<PullRequest, Error> {
        self.forge.pull_request(&self.repository, open.number).await
    }

    /// The requests since the last look.
    pub(crate) fn requests(&self) -> Vec<String> {
        let requests = self.sandbox.requests();
        self.sandbox.clear_requests();
        let line = |one: &sandbox::Recorded| format!("{} {} {}", one.method, one.path, one.operations.join(" "));
        requests.iter().map(|one| line(one).trim_end().to_owned()).collect()
    }
}

pub(crate) fn branch() -> anyhow::Result<ReleaseBranch> {
    Ok(ReleaseBranch::new(&"mandelbrot".parse()?, Commit::from_bytes([0x1f; 20])))
}

pub(crate) fn branch_name() -> anyhow::Result<String> {
    Ok(branch()?.branch().to_string())
}

pub(crate) fn ci() -> Report {
    Report { name: "ci".to_owned(), outcome: sandbox::Outcome::Success, kind: sandbox::Kind::CheckRun }
}
