//! Every combination of what a repository allows and requires, by both ways to write: the release lands, or it waits
//! and says what to change. What is expected is written down here for itself, from what GitHub documents.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Write as _},
};

use anyhow::{Context as _, Result, ensure};
use sandbox::{
    AutomaticCheck, Kind, MergeQueue, NewRepository, Outcome, Protection, Report, Rules, Settings, registry::Image,
};
use serde_json::Value;
use testkit::{
    Scene, SceneOptions, Tagferry, overlays,
    scene::{CHECK, SOURCE, Way},
    tagferry::{field, text},
    until,
};

/// Where the required check is required.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Protected {
    Nowhere,
    Classic,
    Ruleset,
}

const METHOD: &str = "the merge method squash is not allowed there";

/// One combination.
#[derive(Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "these are GitHub's own settings")]
struct Combination {
    protected: Protected,
    auto_merge: bool,
    queue: bool,
    squash: bool,
    strict: bool,
    signatures: bool,
}

/// What becomes of a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Lands,
    /// It waits, and the sentence has these words.
    Waits(&'static str),
}

impl Combination {
    /// All that go with that protection.
    fn all(protected: Protected) -> Vec<Self> {
        let is_chosen = |bits: u32, place: u32| bits >> place & 1 == 1;
        let combination = |bits| Self {
            protected,
            auto_merge: is_chosen(bits, 0),
            queue: is_chosen(bits, 1),
            squash: is_chosen(bits, 2),
            strict: is_chosen(bits, 3),
            signatures: is_chosen(bits, 4),
        };
        (0..32).map(combination).collect()
    }

    fn expected(self, commits_are_signed: bool) -> Expected {
        let is_checked = self.protected != Protected::Nowhere;
        match self {
            // The order itself is refused, whatever else is missing.
            Self { squash: false, auto_merge: true, queue: false, .. } => Expected::Waits(METHOD),
            Self { signatures: true, .. } if !commits_are_signed => Expected::Waits("a verified signature"),
            // A queue merges by its own method, whatever the repository allows.
            Self { queue: true, .. } => Expected::Lands,
            // Nothing that is merged could have been waited for.
            _ if !(is_checked || self.signatures && self.auto_merge) => Expected::Waits("requires no check"),
            Self { squash: false, .. } => Expected::Waits(METHOD),
            _ => Expected::Lands,
        }
    }

    async fn make(self, scene: &Scene, repository: &str) -> Result<()> {
        let mut new = NewRepository::with_files(repository, overlays::files())?;
        new.settings = Settings {
            allow_auto_merge: self.auto_merge,
            allow_squash_merge: self.squash,
            delete_branch_on_merge: true,
            automatic_checks: vec![AutomaticCheck { report: check(), after_ms: 50 }],
            ..Settings::default()
        };
        scene.forge.create_repository(new).await?;
        let required_checks = vec![CHECK.to_owned()];
        let protection = Protection {
            required_checks: required_checks.clone(),
            strict: self.strict,
            require_pull_request: true,
            ..Protection::default()
        };
        if self.protected == Protected::Classic {
            scene.forge.protect(repository, "main", Some(protection)).await?;
        }
        let by_ruleset = self.protected == Protected::Ruleset;
        let rules = Rules {
            required_checks: if by_ruleset { required_checks } else { Vec::new() },
            strict: by_ruleset && self.strict,
            require_pull_request: by_ruleset,
            required_signatures: self.signatures,
            merge_queue: self.queue.then(MergeQueue::default),
            ..Rules::default()
        };
        if rules != Rules::default() {
            scene.forge.set_rules(repository, "main", Some(rules)).await?;
        }
        Ok(())
    }
}

impl fmt::Debug for Combination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { protected, auto_merge, queue, squash, strict, signatures } = self;
        write!(f, "the check is required {protected:?}, auto-merge {auto_merge}, queue {queue}, squash {squash}, ")?;
        write!(f, "strict {strict}, signatures {signatures}")
    }
}

fn check() -> Report {
    Report { name: CHECK.to_owned(), outcome: Outcome::Success, kind: Kind::CheckRun }
}

fn repository(number: usize) -> String {
    format!("acme/gitops-{number}")
}

/// An application for each combination, beside the scene's own.
fn configure(scene: &Scene, count: usize) -> Result<()> {
    let image = scene.image("azure")?;
    let host = image.split_once('/').map(|(host, _)| host).context("an image repository has a host")?;
    let mut config = std::fs::read_to_string(scene.config())?;
    for number in 0..count {
        write!(
            config,
            "  app-{number}:
    source: {{ repository: {SOURCE}, branches: [main] }}
    gitops: {{ repository: {}, base: main }}
    image: mandelbrot
    targets:
      aws: {{ repository: '{host}/app-{number}', overlay: apps/mandelbrot/overlays/aws }}
    pull_request: {{ auto_merge: squash }}
",
            repository(number)
        )?;
    }
    std::fs::write(scene.config(), config)?;
    Ok(())
}

/// What became of each application's release so far: an outcome, or what it waits for.
async fn seen(tagferry: &Tagferry, wanted: &BTreeSet<usize>) -> Result<BTreeMap<usize, (String, String)>> {
    let answer = tagferry.get("/v1/releases?limit=200").await?;
    let mut seen = BTreeMap::new();
    for release in field(&answer, "releases").as_array().into_iter().flatten() {
        let number = text(field(release, "application")).strip_prefix("app-").and_then(|number| number.parse().ok());
        let Some(number) = number.filter(|number| wanted.contains(number)) else { continue };
        let release = tagferry.get(&format!("/v1/releases/{}", text(field(release, "id")))).await?;
        let promotion = release.pointer("/promotions/0").cloned().unwrap_or(Value::Null);
        seen.insert(number, (text(field(&promotion, "outcome")), text(field(&promotion, "waiting"))));
    }
    Ok(seen)
}

/// Lets more be asked than of GitHub, for so many releases at once.
const LIMITS: &str = "  limits: { changes_per_minute: 100000, changes_per_hour: 100000 }\n";

/// Lets what is in a queue pass its checks there.
async fn conclude_in_queue(scene: &Scene, repository: &str) -> Result<()> {
    for (branch, commit) in scene.forge.repository(repository).await?.branches {
        if branch.starts_with("gh-readonly-queue/") {
            scene.forge.set_check(repository, &commit.to_string(), check()).await?;
        }
    }
    Ok(())
}

async fn every_combination(protected: Protected, way: Way) -> Result<()> {
    let SceneOptions { github, .. } = way.options();
    let scene = Scene::start(SceneOptions { github: github + LIMITS, ..SceneOptions::default() }).await?;
    let (combinations, commits_are_signed) = (Combination::all(protected), way == Way::Api);
    configure(&scene, combinations.len())?;
    for (number, combination) in combinations.iter().enumerate() {
        combination.make(&scene, &repository(number)).await?;
    }
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit("Everywhere").await?;
    for number in 0..combinations.len() {
        let image = Image::default().label("org.opencontainers.image.revision", &commit);
        scene.registry.push_image(&format!("app-{number}"), &format!("sha-{commit}"), &image)?;
    }

    let mut open: BTreeSet<usize> = (0..combinations.len()).collect();
    let mut last = BTreeMap::new();
    let settled = until("every release to land, or to say what it waits for", async || {
        last = seen(&tagferry, &open).await?;
        for (number, (outcome, waiting)) in &last {
            let Some(combination) = combinations.get(*number) else { continue };
            let is_so = match combination.expected(commits_are_signed) {
                Expected::Lands => outcome == "merged",
                Expected::Waits(words) => {
                    ensure!(outcome.is_empty(), "{combination:?}: {outcome} and was to wait for {words:?}");
                    waiting.contains(words)
                }
            };
            if is_so {
                open.remove(number);
            } else if combination.queue {
                conclude_in_queue(&scene, &repository(*number)).await?;
            }
        }
        Ok(open.is_empty().then_some(()))
    })
    .await;
    let told = |number: &usize| Some(format!("{:?}: {:?}", combinations.get(*number)?, last.get(number)?));
    settled.with_context(|| open.iter().filter_map(told).collect::<Vec<_>>().join("\n"))?;

    for (number, combination) in combinations.iter().enumerate() {
        let landed = scene.forge.read_file(&repository(number), "main", &overlays::path("aws")).await?;
        let is_there = landed.is_some_and(|overlay| overlay.contains(&commit));
        let expected = combination.expected(commits_are_signed) == Expected::Lands;
        ensure!(is_there == expected, "{combination:?}: the overlay has the release: {is_there}");
        let all = scene.forge.pull_requests(&repository(number)).await?;
        ensure!(all.len() == 1, "{combination:?}: {} pull requests", all.len());
    }
    scene.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_into_an_unprotected_base_lands_or_says_what_to_change() -> Result<()> {
    every_combination(Protected::Nowhere, Way::Git).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_into_a_base_with_classic_protection_lands_or_says_what_to_change() -> Result<()> {
    every_combination(Protected::Classic, Way::Git).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_into_a_base_with_a_ruleset_lands_or_says_what_to_change() -> Result<()> {
    every_combination(Protected::Ruleset, Way::Git).await
}

#[tokio::test(flavor = "multi_thread")]
async fn made_by_the_forge_a_release_into_an_unprotected_base_lands_or_says_what_to_change() -> Result<()> {
    every_combination(Protected::Nowhere, Way::Api).await
}

#[tokio::test(flavor = "multi_thread")]
async fn made_by_the_forge_a_release_into_a_base_with_classic_protection_lands_or_says_what_to_change() -> Result<()> {
    every_combination(Protected::Classic, Way::Api).await
}

#[tokio::test(flavor = "multi_thread")]
async fn made_by_the_forge_a_release_into_a_base_with_a_ruleset_lands_or_says_what_to_change() -> Result<()> {
    every_combination(Protected::Ruleset, Way::Api).await
}
