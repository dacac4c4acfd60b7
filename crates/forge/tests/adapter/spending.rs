//! What is asked of a forge that has limits: no more than is left, and merges before new proposals.

use conformance::Watched;
use std::time::Duration;

use domain::{
    commit::Commit,
    fault::Fault,
    forge::{Branch, MergeMethod, Number, Repository},
    proposal::ReleaseBranch,
};
use forge::{Armed, Credentials, Error, FileEdit, Forge, NewCommit, NewPullRequest, Order, Settings, Spending};
use sandbox::{Limits, NewRepository, Options, Protection};
use tempfile::TempDir;

/// A sandbox with repositories of two owners, and a forge that speaks to it as an App.
pub(crate) struct Scene {
    pub(crate) sandbox: Watched,
    pub(crate) forge: Forge,
    pub(crate) repository: Repository,
    pub(crate) base: Branch,
    _directory: TempDir,
}

pub(crate) const GITOPS: &str = "acme/trinity";
const OTHER: &str = "umbrella/corp";
const PATH: &str = "apps/aws/kustomization.yaml";

impl Scene {
    pub(crate) async fn set(prefix: &str, spending: Spending) -> anyhow::Result<Self> {
        let sandbox = Watched::start(Options::default()).await?;
        for name in [GITOPS, OTHER] {
            let mut new = NewRepository::with_files(name, [(PATH, "images: []\n")])?;
            new.settings.allow_auto_merge = true;
            sandbox.create_repository(new).await?;
            let required_checks = vec!["ci".to_owned()];
            let protection = Protection { required_checks, require_pull_request: true, ..Protection::default() };
            sandbox.protect(name, "main", Some(protection)).await?;
        }
        let credentials =
            Credentials::App { id: sandbox.app().await?.id.to_string(), private_key: sandbox.app_private_key().into() };
        let directory = tempfile::tempdir()?;
        let api_url = format!("{}{prefix}", sandbox.url()).parse()?;
        let mut settings = Settings::new(api_url, credentials, directory.path().to_owned());
        settings.spending = spending;
        let forge = Forge::new(settings)?;
        Ok(Self { sandbox, forge, repository: GITOPS.parse()?, base: "main".parse()?, _directory: directory })
    }

    /// Pushes the release branch of a commit with this byte.
    pub(crate) async fn push(&self, byte: u8) -> Result<Commit, Error> {
        let tip = self.forge.tip(&self.repository, &self.base).await?;
        let files = [FileEdit { path: PATH.to_owned(), bytes: format!("images: [{byte}]\n").into_bytes() }];
        let at = chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap_or_default();
        let branch = branch(byte);
        let new = NewCommit { branch: &branch, ours: &[], tip, files: &files, message: "release(x): y\n", at };
        let commit = self.forge.commit(&self.repository, &new).await?;
        self.forge.push(&self.repository, &branch, commit, &[commit]).await?;
        Ok(commit)
    }

    pub(crate) async fn create(&self, byte: u8) -> Result<domain::forge::PullRequest, Error> {
        let branch = branch(byte);
        let new = NewPullRequest { branch: &branch, base: &self.base, title: "release(x): y", body: "b" };
        self.forge.create_pull_request(&self.repository, &new).await
    }

    pub(crate) async fn arm(&self, open: &domain::forge::PullRequest) -> Result<Armed, Error> {
        let (head, base, method) = (open.head, &self.base, MergeMethod::Squash);
        let order = Order { head, base, method, headline: "release(x): y", body: "z", labels: &[] };
        let look = self.forge.look(&self.repository, open.number, &[]).await?;
        Ok(self.forge.arm(&self.repository, &look, &order).await?.armed)
    }

    /// How many requests came since the last look.
    pub(crate) fn count(&self) -> usize {
        let count = self.sandbox.requests().len();
        self.sandbox.clear_requests();
        count
    }

    /// Lets only so many requests more be made by the installation in this hour.
    fn leave(&self, core: u64, graphql: u64) {
        let used = self.sandbox.used();
        let used = used.iter().find(|(who, _)| who.starts_with("installation")).map(|(_, used)| used.clone());
        let used = used.unwrap_or_default();
        let limits = Limits { core: used.core + core, graphql: used.graphql + graphql, ..self.sandbox.limits() };
        self.sandbox.set_limits(limits);
    }
}

pub(crate) fn branch(byte: u8) -> ReleaseBranch {
    ReleaseBranch::new(&"mandelbrot".parse().expect("a name"), Commit::from_bytes([byte; 20]))
}

fn wait(error: &Error) -> anyhow::Result<Duration> {
    let Fault::Limited { retry_after: Some(wait) } = error.fault() else { anyhow::bail!("{error}") };
    Ok(wait)
}

#[tokio::test]
async fn what_is_spent_is_not_asked_for_again_and_other_installations_go_on() -> anyhow::Result<()> {
    let scene = Scene::set("", Spending::default()).await?;
    scene.push(1).await?;
    let open = scene.create(1).await?;
    scene.leave(9, 1);
    scene.forge.pull_request(&scene.repository, open.number).await?;
    scene.count();
    for _ in 0..3 {
        let error = scene.forge.pull_request(&scene.repository, open.number).await.unwrap_err();
        assert!((1..=3600).contains(&wait(&error)?.as_secs()), "{error}");
    }
    assert_eq!(scene.count(), 0);
    let of_others = scene.forge.pull_request(&OTHER.parse()?, Number(1)).await.unwrap_err();
    assert!(matches!(of_others, Error::NoPullRequest { .. }), "{of_others}");
    scene.forge.close(&scene.repository, open.number).await?;
    Ok(())
}

#[tokio::test]
async fn the_last_of_an_hour_is_kept_for_merging() -> anyhow::Result<()> {
    let scene = Scene::set("", Spending { kept_percent: 50, ..Spending::default() }).await?;
    scene.push(1).await?;
    let open = scene.create(1).await?;
    scene.leave(3, 4);
    // Any answer says what is left.
    scene.forge.add_labels(&scene.repository, open.number, &["x".to_owned()]).await?;
    scene.forge.pull_request(&scene.repository, open.number).await?;
    scene.count();
    for error in [scene.push(2).await.unwrap_err(), scene.create(2).await.unwrap_err()] {
        assert!(matches!(error, Error::Kept { .. }), "{error}");
        assert!(error.to_string().ends_with("is kept for merging (github.limits.kept_for_merging)"), "{error}");
        assert!(wait(&error)? <= Duration::from_secs(3600));
    }
    assert!(scene.sandbox.mutations().is_empty(), "{:?}", scene.sandbox.mutations());
    assert_eq!(scene.arm(&open).await?, Armed::Armed);
    scene.forge.disarm(&scene.repository, &open).await?;
    scene.forge.close(&scene.repository, open.number).await?;
    assert_eq!(scene.sandbox.used().values().map(|used| used.refused).sum::<u64>(), 0);
    Ok(())
}

#[tokio::test]
async fn changes_are_paced_before_the_forge_has_to_ask_for_it() -> anyhow::Result<()> {
    let spending = Spending { kept_percent: 50, changes_per_minute: 4, ..Spending::default() };
    let scene = Scene::set("", spending).await?;
    scene.sandbox.set_limits(Limits { changes_per_minute: Some(4), ..Limits::default() });
    scene.push(1).await?;
    scene.push(2).await?;
    let open = scene.create(1).await?;
    scene.arm(&open).await?;
    let error = scene.create(2).await.unwrap_err();
    assert!(matches!(error, Error::Kept { .. }) && wait(&error)? <= Duration::from_secs(60), "{error}");
    scene.forge.disarm(&scene.repository, &open).await?;
    scene.forge.close(&scene.repository, open.number).await?;
    let error = scene.forge.close(&scene.repository, open.number).await.unwrap_err();
    assert!(matches!(error, Error::Limited { .. }) && wait(&error)? <= Duration::from_secs(60), "{error}");
    scene.forge.pull_request(&scene.repository, open.number).await?;
    assert_eq!(scene.sandbox.used().values().map(|used| used.refused).sum::<u64>(), 0);
    Ok(())
}

#[tokio::test]
async fn a_pause_that_is_asked_for_by_one_interface_holds_for_the_other_and_not_for_git() -> anyhow::Result<()> {
    let scene = Scene::set("", Spending::default()).await?;
    scene.push(1).await?;
    let open = scene.create(1).await?;
    scene.sandbox.set_limits(Limits { changes_per_hour: Some(0), retry_after: false, ..Limits::default() });
    let error = scene.forge.close(&scene.repository, open.number).await.unwrap_err();
    assert_eq!(wait(&error)?, Duration::from_secs(60), "{error}");
    scene.count();
    let error = scene.forge.pull_request(&scene.repository, open.number).await.unwrap_err();
    assert!((50..=60).contains(&wait(&error)?.as_secs()), "{error}");
    assert!(matches!(scene.push(2).await, Err(Error::Limited { .. })), "nothing is pushed without a pull request");
    scene.forge.tip(&scene.repository, &scene.base).await?;
    assert_eq!(scene.count(), 2, "two fetches");
    Ok(())
}

#[tokio::test]
async fn a_pause_of_git_is_kept_to() -> anyhow::Result<()> {
    let scene = Scene::set("", Spending::default()).await?;
    let refs = format!("/{GITOPS}.git/info/refs");
    scene.sandbox.add_fault(sandbox::Fault::answer(&refs, 1, 429, &[("retry-after", "30")]));
    for least in [30, 25] {
        let error = scene.forge.tip(&scene.repository, &scene.base).await.unwrap_err();
        assert!((least..=30).contains(&wait(&error)?.as_secs()), "{error}");
    }
    let asked = scene.sandbox.requests();
    assert_eq!(asked.iter().filter(|one| one.path.ends_with("info/refs")).count(), 1);
    scene.forge.look_up(&scene.repository, Commit::from_bytes([1; 20]), &["main".parse()?]).await?;
    Ok(())
}

#[tokio::test]
async fn a_read_that_repeats_is_not_sent_again_and_costs_nothing() -> anyhow::Result<()> {
    let scene = Scene::set("", Spending::default()).await?;
    scene.forge.tip(&scene.repository, &scene.base).await?;
    let main = "main".parse()?;
    let look = async || scene.forge.branches_like(&scene.repository, &main).await;
    let first = look().await?;
    let cost = || scene.sandbox.used().values().map(|used| used.core).sum::<u64>();
    let spent = cost();
    scene.count();
    for _ in 0..3 {
        assert_eq!(look().await?, first);
    }
    let statuses: Vec<_> = scene.sandbox.requests().iter().map(|one| one.status).collect();
    assert_eq!((statuses, cost()), (vec![Some(304); 3], spent));

    // What changed is seen, and a new token begins anew.
    let push = sandbox::Push::new("main", [("README", "x")]);
    scene.sandbox.push(GITOPS, push).await?;
    assert_eq!(look().await?, first);
    scene.sandbox.expire_tokens().await?;
    assert_eq!(look().await?, first);
    let statuses: Vec<_> = scene.sandbox.requests().iter().skip(3).filter_map(|one| one.status).collect();
    assert_eq!(statuses, [200, 401, 200, 201, 200]);
    scene.sandbox.set_installed(GITOPS, false).await?;
    assert!(look().await.is_err(), "what may not be seen any more is not answered from memory");
    Ok(())
}
