//! Where commits are by a bare mirror: the sandbox's Git is real, and knows nothing but Git here.

use std::time::Duration;

use conformance::Watched;
use domain::{
    circuit::Patience,
    commit::Commit,
    evidence::Lookup,
    fault::{Chain, Fault},
    forge::{Ancestry, Branch},
    glob::Glob,
};
use forge::{Error, Mirror, MirrorSettings, Timeouts};
use sandbox::{Action, Match, NewRepository, Options, Push};
use tempfile::TempDir;

const SOURCE: &str = "acme/app";

struct Scene {
    sandbox: Watched,
    directory: TempDir,
}

impl Scene {
    async fn set() -> anyhow::Result<Self> {
        let sandbox = Watched::start(Options::default()).await?;
        sandbox.create_repository(NewRepository::with_files(SOURCE, [("README", "a")])?).await?;
        sandbox.add_personal_token("sesame", "octocat").await?;
        Ok(Self { sandbox, directory: TempDir::new()? })
    }

    fn settings(&self, password: &str) -> anyhow::Result<MirrorSettings> {
        Ok(MirrorSettings {
            repository: SOURCE.parse()?,
            url: self.sandbox.git_url(SOURCE).parse()?,
            login: Some(("tagferry".to_owned(), password.into())),
            commits_url: None,
            data_dir: self.directory.path().to_owned(),
            timeouts: Timeouts::default(),
            patience: Patience::default(),
        })
    }

    fn mirror(&self) -> anyhow::Result<Mirror> {
        Ok(Mirror::new(self.settings("sesame")?)?)
    }

    async fn push(&self, branch: &str, onto: Option<&str>, what: &str) -> anyhow::Result<Commit> {
        let push = Push::new(branch, [("src", what)]).message(&format!("{what}\n\nmore"));
        let push = onto.map_or_else(|| push.clone(), |onto| push.clone().onto(onto));
        Ok(self.sandbox.push(SOURCE, push).await?.to_string().parse()?)
    }

    /// How often the repository was asked for its branches.
    fn fetches(&self) -> usize {
        self.sandbox.requests().iter().filter(|one| one.path.ends_with("/info/refs")).count()
    }
}

fn globs(texts: &[&str]) -> anyhow::Result<Vec<Glob>> {
    Ok(texts.iter().map(|text| text.parse()).collect::<Result<_, _>>()?)
}

fn branch(lookup: &Lookup) -> Option<&str> {
    match lookup {
        Lookup::Present { branch, .. } => branch.as_ref().map(Branch::as_str),
        Lookup::Absent => None,
    }
}

#[tokio::test]
async fn a_commit_is_on_the_first_branch_that_has_it_and_an_ancestor_is_on_it_too() -> anyhow::Result<()> {
    let scene = Scene::set().await?;
    let first = scene.push("main", None, "First").await?;
    let tip = scene.push("main", None, "Tip").await?;
    let mended = scene.push("release/1", Some("main"), "Mended").await?;
    let mirror = scene.mirror()?;
    let allowed = globs(&["release/*", "main"])?;
    for (commit, expected) in [(first, "main"), (tip, "main"), (mended, "release/1")] {
        assert_eq!(branch(&mirror.look_up(commit, &allowed).await?), Some(expected));
    }
    assert_eq!(scene.fetches(), 1, "what is fresh is not fetched again");
    let Lookup::Present { subject, url, .. } = mirror.look_up(tip, &allowed).await? else { anyhow::bail!("absent") };
    let page = scene.sandbox.git_url(SOURCE).trim_end_matches(".git").to_owned();
    assert_eq!((subject.as_str(), url), ("Tip", format!("{page}/commit/{tip}")));
    let aside = scene.push("topic", Some("main"), "Aside").await?;
    let found = mirror.look_up(aside, &allowed).await?;
    assert!(matches!(found, Lookup::Present { branch: None, left: None, .. }), "{found:?}");
    let unknown = Commit::from_bytes([7; 20]);
    assert_eq!(mirror.look_up(unknown, &allowed).await?, Lookup::Absent);
    let error = mirror.look_up(aside, &globs(&["gone"])?).await.unwrap_err();
    assert_eq!(Chain(&error).to_string(), "the mirror of acme/app (source.git): acme/app has no branch gone");
    Ok(())
}

#[tokio::test]
async fn a_commit_that_is_pushed_after_the_fetch_is_fetched() -> anyhow::Result<()> {
    let scene = Scene::set().await?;
    let (mirror, main) = (scene.mirror()?, globs(&["main"])?);
    let first = scene.push("main", None, "First").await?;
    assert_eq!(branch(&mirror.look_up(first, &main).await?), Some("main"));
    let second = scene.push("main", None, "Second").await?;
    assert_eq!(branch(&mirror.look_up(second, &main).await?), Some("main"));
    assert_eq!(scene.fetches(), 2);
    // What is kept is used by the next one.
    let anew = scene.mirror()?;
    assert_eq!(branch(&anew.look_up(second, &main).await?), Some("main"));
    Ok(())
}

#[tokio::test]
async fn a_branch_that_was_moved_away_is_told_apart() -> anyhow::Result<()> {
    let scene = Scene::set().await?;
    let (mirror, main) = (scene.mirror()?, globs(&["main"])?);
    let first = scene.push("main", None, "First").await?;
    let gone = scene.push("main", None, "Gone").await?;
    assert_eq!(branch(&mirror.look_up(gone, &main).await?), Some("main"));
    scene.push("main", Some(&first.to_string()), "Other").await?;
    scene.push("doomed", Some("main"), "Doomed").await?;
    // Nobody waits for a fetch to be old; another mirror of the same directory has not fetched yet.
    let mirror = scene.mirror()?;
    let found = mirror.look_up(gone, &main).await?;
    let Lookup::Present { branch: None, left: Some(left), .. } = found else { anyhow::bail!("{found:?}") };
    assert_eq!(left.branch.as_str(), "main");
    assert!(chrono::Utc::now() - left.at < chrono::TimeDelta::minutes(5), "{}", left.at);
    // That of a branch that is not allowed does not count.
    scene.sandbox.delete_branch(SOURCE, "doomed").await?;
    let found = scene.mirror()?.look_up(gone, &globs(&["do*"])?).await?;
    assert!(matches!(found, Lookup::Present { branch: None, left: None, .. }), "{found:?}");
    Ok(())
}

#[tokio::test]
async fn those_who_ask_at_the_same_time_wait_for_one_fetch() -> anyhow::Result<()> {
    let scene = Scene::set().await?;
    let (mirror, main) = (scene.mirror()?, globs(&["main"])?);
    let tip = scene.push("main", None, "Tip").await?;
    let asked: Vec<_> = (0..8).map(|_| mirror.look_up(tip, &main)).collect();
    for found in futures_util::future::try_join_all(asked).await? {
        assert_eq!(branch(&found), Some("main"));
    }
    assert_eq!(scene.fetches(), 1);
    Ok(())
}

#[tokio::test]
async fn commits_stand_to_each_other_as_at_the_forge() -> anyhow::Result<()> {
    let scene = Scene::set().await?;
    let first = scene.push("main", None, "First").await?;
    let second = scene.push("main", None, "Second").await?;
    let third = scene.push("main", None, "Third").await?;
    let aside = scene.push("aside", Some(&first.to_string()), "Aside").await?;
    let mirror = scene.mirror()?;
    for (one, other, expected) in [
        (first, third, Some(Ancestry::Ancestor)),
        (third, first, Some(Ancestry::Descendant)),
        (third, third, Some(Ancestry::Same)),
        (third, aside, Some(Ancestry::Unrelated)),
        (third, Commit::from_bytes([7; 20]), None),
    ] {
        let found = mirror.comparison(one, other).await?;
        assert_eq!(found.map(|found| found.ancestry), expected);
    }
    let between = mirror.comparison(first, third).await?.and_then(|found| found.between).expect("there is something");
    let listed: Vec<_> = between.listed.iter().map(|one| (one.commit, one.subject.as_str())).collect();
    assert_eq!((between.count, listed), (2, vec![(second, "Second"), (third, "Third")]));
    Ok(())
}

#[tokio::test]
async fn a_mirror_that_is_damaged_is_made_anew() -> anyhow::Result<()> {
    let scene = Scene::set().await?;
    let main = globs(&["main"])?;
    let tip = scene.push("main", None, "Tip").await?;
    assert_eq!(branch(&scene.mirror()?.look_up(tip, &main).await?), Some("main"));
    let packs = scene.directory.path().join("acme/app.git/objects");
    std::fs::remove_dir_all(&packs)?;
    std::fs::create_dir_all(packs.join("pack"))?;
    assert_eq!(branch(&scene.mirror()?.look_up(tip, &main).await?), Some("main"));
    Ok(())
}

#[tokio::test]
async fn who_is_not_let_in_and_who_does_not_answer_is_told_apart() -> anyhow::Result<()> {
    let scene = Scene::set().await?;
    let (main, tip) = (globs(&["main"])?, scene.push("main", None, "Tip").await?);
    let stranger = Mirror::new(scene.settings("hunter2")?)?;
    let error = stranger.look_up(tip, &main).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Permanent);
    let said = format!("{} {error:?} {stranger:?}", Chain(&error));
    assert!(said.contains("source.git") && !said.contains("hunter2"), "{said}");

    let timeouts = Timeouts { idle: Duration::from_millis(200), ..Timeouts::default() };
    let impatient = Mirror::new(MirrorSettings { timeouts, ..scene.settings("sesame")? })?;
    let fetching = Match::request("GET", "/acme/app.git/info/refs");
    scene.sandbox.add_fault(sandbox::Fault::new(fetching, Action::Delay { milliseconds: 60_000 }));
    let error = impatient.look_up(tip, &main).await.unwrap_err();
    assert_eq!(error.fault(), Fault::Transient, "{error:?}");

    for url in ["ssh://git.example/app", "https://u:hunter2@git.example/app", "file:///app"] {
        let settings = MirrorSettings { url: url.parse()?, ..scene.settings("sesame")? };
        let error = Mirror::new(settings).unwrap_err();
        assert!(matches!(error, Error::Settings { .. }) && !error.to_string().contains("hunter2"), "{error}");
    }
    Ok(())
}
