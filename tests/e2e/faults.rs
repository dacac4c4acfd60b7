//! Everything that can go wrong with a request to the forge goes wrong with every one of a release's requests in turn:
//! each time it ends as if nothing had been, with one pull request and nothing done twice.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use futures_util::future::try_join_all;
use sandbox::{Action, Answer, Fate, Fault, Match, Recorded, Settings, Target};
use testkit::{
    Scene, SceneOptions,
    scene::{FORGE_SECRET, GITOPS, TARGETS, Way},
};

/// A release takes fewer requests than this.
const MOST_REQUESTS: u64 = 60;

/// A name of what goes wrong, and what it is.
type Trouble = (&'static str, Action);

/// What comes before an effect: it may be done again.
fn without_effect() -> Vec<Trouble> {
    let limited = |status, message: &str, headers: [(&str, &str); 2]| {
        let headers = headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let body = serde_json::json!({ "message": message, "status": status });
        Action::Answer(Answer { status, body, headers })
    };
    let primary = "API rate limit exceeded for installation ID 1.";
    let secondary = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
    vec![
        ("reset before the effect", Action::DropBefore),
        ("500", Action::answer(500, "Server Error")),
        ("a page with 502", Action::bad_gateway()),
        ("a primary limit", limited(403, primary, [("retry-after", "1"), ("x-ratelimit-remaining", "0")])),
        ("a secondary limit", limited(429, secondary, [("retry-after", "1"), ("x-ratelimit-remaining", "9")])),
        ("a read from before the last change", Action::StaleRead),
    ]
}

/// What comes in place of the answer, after the effect: it is to be found out what was done.
fn after_the_effect() -> Vec<Trouble> {
    vec![
        ("reset after the effect", Action::ApplyThenDrop),
        ("an answer broken off", Action::Truncate { bytes: 20 }),
        ("a page with 502 after the effect", Action::ApplyThenAnswer(Answer::bad_gateway())),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_fails_before_its_effect_is_done_once() -> Result<()> {
    at_every_request_of_each(Way::Git, without_effect()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_fails_after_its_effect_is_not_done_again() -> Result<()> {
    at_every_request_of_each(Way::Git, after_the_effect()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_fails_before_its_effect_is_done_once_though_the_forge_makes_the_commits() -> Result<()> {
    at_every_request_of_each(Way::Api, without_effect()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_fails_after_its_effect_is_not_done_again_though_the_forge_makes_the_commits() -> Result<()> {
    at_every_request_of_each(Way::Api, after_the_effect()).await
}

async fn at_every_request_of_each(way: Way, troubles: Vec<Trouble>) -> Result<()> {
    let each = troubles
        .into_iter()
        .map(async |(name, action)| at_every_request(way, &action).await.with_context(|| format!("{name}, {way:?}")));
    try_join_all(each).await?;
    Ok(())
}

/// Lets the first request of a release fail, in the next one the second, and so on until a release needs fewer.
async fn at_every_request(way: Way, action: &Action) -> Result<()> {
    let scene = Scene::start(way.options()).await?;
    let mut failures = 0;
    for nth in 1.. {
        ensure!(nth < MOST_REQUESTS, "a release that takes {nth} requests");
        let fault = Fault::new(Match { nth, ..Match::any() }, action.clone());
        let what = format!("request {nth}: {action:?}");
        if !released(&scene, Some(fault), &what).await.with_context(|| what.clone())? {
            break;
        }
        failures += 1;
    }
    ensure!(failures >= 8, "a release takes at least eight requests, {failures} failed");
    let branches = scene.forge.repository(GITOPS).await?.branches;
    ensure!(branches.keys().collect::<Vec<_>>() == ["main"], "branches are left behind: {branches:?}");
    scene.end().await;
    Ok(())
}

/// One release from its push to its merge by a service of its own, during which the fault is met or not: whether it was.
async fn released(scene: &Scene, fault: Option<Fault>, what: &str) -> Result<bool> {
    let before = scene.pull_requests().await?.len();
    scene.forge.clear_requests();
    if let Some(fault) = fault {
        scene.forge.add_fault(fault);
    }
    let tagferry = scene.tagferry().await?;
    let commit = scene.commit(&format!("Released though {what}")).await?;
    scene.push_to_all(&commit)?;
    let (outcome, reason) = tagferry.outcome(&commit).await?;
    ensure!(outcome == "merged", "{outcome}: {reason}");
    tagferry.kill().await?;
    scene.forge.clear_faults();
    for (target, _) in TARGETS {
        ensure!(scene.overlay(target).await?.contains(&commit), "{target} is not at {commit}");
    }
    let all = scene.pull_requests().await?;
    ensure!(all.len() == before + 1, "not one pull request for the release: {all:#?}");
    let labels = all.last().map(|one| one.labels.as_slice());
    ensure!(labels == Some(&["release".to_owned()]), "its labels are {labels:?}");
    let requests = scene.forge.requests();
    let twice = done_twice(&requests);
    ensure!(twice.is_empty(), "{twice:?} was done twice:\n{}", told(&requests));
    Ok(requests.iter().any(|one| one.fault.is_some()))
}

/// One line for each request.
fn told(requests: &[Recorded]) -> String {
    let line = |one: &Recorded| {
        let Recorded { method, path, operations, status, fault, .. } = one;
        format!("{method} {path} {operations:?} {status:?} {fault:?}")
    };
    requests.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// What was done more than once.
fn done_twice(requests: &[Recorded]) -> Vec<String> {
    let changes: Vec<&Recorded> = requests.iter().filter(|one| one.mutating).collect();
    let mut counts = BTreeMap::<String, usize>::new();
    for (place, one) in changes.iter().enumerate() {
        // An order to merge what is ready already is answered 200, too, and not taken: we merge it next by ourselves.
        let is_order = one.operations.iter().any(|name| name == "enablePullRequestAutoMerge");
        let is_not_taken = is_order && changes.get(place + 1).is_some_and(|next| next.path.ends_with("/merge"));
        if is_not_taken || !had_effect(one) {
            continue;
        }
        let name = if one.operations.is_empty() { &one.path } else { &one.operations.join(" ") };
        *counts.entry(format!("{} {name}", one.method)).or_default() += 1;
    }
    counts.into_iter().filter(|(_, count)| *count > 1).map(|(name, _)| name).collect()
}

/// Whether it changed something, whatever the answer was.
fn had_effect(request: &Recorded) -> bool {
    // Commits and branches are made and deleted by the same requests: whether too many were is seen by what they leave
    // behind.
    let moves_branches = request.operations.iter().any(|name| name == "updateRefs");
    let counts = request.mutating && !moves_branches && !request.path.ends_with("/git-receive-pack");
    counts
        && match &request.fault {
            Some(Action::ApplyThenDrop | Action::ApplyThenAnswer(_) | Action::Truncate { .. }) => true,
            Some(Action::DropBefore | Action::Answer(_)) => false,
            Some(Action::Delay { .. } | Action::StaleRead) | None => {
                request.status.is_some_and(|status| (200..300).contains(&status))
            }
        }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_not_answered_in_time_is_given_up_and_the_release_goes_on() -> Result<()> {
    let requests = [Way::Git, Way::Api].into_iter().flat_map(|way| (1..=16).map(move |nth| (way, nth)));
    let each = requests.map(async |(way, nth)| {
        let scene = Scene::start(way.options()).await?;
        let silence = Action::Delay { milliseconds: 60_000 };
        let fault = Fault::new(Match { nth, ..Match::any() }, silence);
        let met = released(&scene, Some(fault), &format!("nobody answers request {nth}")).await;
        let met = met.with_context(|| format!("request {nth}, {way:?}"))?;
        scene.end().await;
        anyhow::Ok(usize::from(met))
    });
    let met: usize = try_join_all(each).await?.into_iter().sum();
    ensure!(met >= 16, "only {met} requests were not answered");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_connections_are_refused_the_release_goes_on() -> Result<()> {
    for way in [Way::Git, Way::Api] {
        let scene = Scene::start(way.options()).await?;
        for refused in 1..=8 {
            scene.forge.refuse_connections(refused);
            let what = format!("{refused} connections are refused");
            released(&scene, None, &what).await.with_context(|| what.clone())?;
        }
        scene.end().await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forge_that_takes_its_time_to_say_whether_it_can_merge_is_asked_again() -> Result<()> {
    for way in [Way::Git, Way::Api] {
        for reads in 1..=4 {
            let scene = Scene::start(SceneOptions { poll_interval: "1s", ..way.options() }).await?;
            let view = scene.forge.repository(GITOPS).await?;
            let settings = Settings { mergeable_unknown_reads: reads, ..view.settings };
            scene.forge.set_settings(GITOPS, settings).await?;
            let what = format!("it is unknown for {reads} reads");
            released(&scene, None, &what).await.with_context(|| what.clone())?;
            scene.end().await;
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn webhooks_that_are_lost_doubled_or_overtaken_change_nothing() -> Result<()> {
    let fates = [Fate::Drop, Fate::Duplicate, Fate::Reorder];
    let each = [Way::Git, Way::Api].into_iter().flat_map(|way| fates.map(move |fate| (way, fate)));
    let each = each.map(async |(way, fate)| {
        let scene = Scene::start(SceneOptions { poll_interval: "1s", ..way.options() }).await?;
        let secret = Some(FORGE_SECRET.to_owned());
        scene.forge.set_webhook(Some(Target { url: scene.hook("github"), secret, fate })).await?;
        for nth in 1..=3 {
            let what = format!("{fate:?}, release {nth}");
            released(&scene, None, &what).await.with_context(|| what.clone())?;
        }
        scene.end().await;
        anyhow::Ok(())
    });
    try_join_all(each).await?;
    Ok(())
}
