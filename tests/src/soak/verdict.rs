//! Whether everything came out as if nothing had gone wrong.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use sandbox::PullRequestView;
use serde_json::Value;

use super::{Report, act::Released, deliveries::Accepted};
use crate::{
    Tagferry,
    fleet::{CLOUDS, Fleet},
    scene::GITOPS,
    tagferry::{field, text},
};

/// How long the last releases may take: a forge that was down a while is asked again after a minute at the latest.
const PATIENCE: Duration = Duration::from_secs(240);

/// How long to wait between two looks.
const PACE: Duration = Duration::from_millis(500);

/// Waits until everything is settled, and looks at all of it.
pub(super) async fn judge(
    fleet: &Fleet,
    released: &[Released],
    accepted: &[Accepted],
    report: &mut Report,
) -> Result<()> {
    let (_, tagferry) = fleet.running().next().context("no replica runs")?;
    let releases = settled(tagferry, released).await?;
    let pull_requests = fleet.forge.pull_requests(GITOPS).await?;
    let mut merged = 0;
    for release in &releases {
        merged += usize::from(one_release(release, &pull_requests)?);
    }
    ensure!(
        pull_requests.iter().filter(|one| one.state == "merged").count() == merged,
        "{merged} releases were merged, and not as many pull requests"
    );
    ensure!(pull_requests.iter().all(|one| one.state != "open"), "a pull request is left open: {pull_requests:#?}");
    let branches: BTreeSet<&str> = pull_requests.iter().map(|one| one.head_branch.as_str()).collect();
    ensure!(branches.len() == pull_requests.len(), "a release has two pull requests");
    last_of_each(fleet, released, &releases).await?;
    deliveries(tagferry, accepted).await?;
    (report.releases, report.merged, report.deliveries) = (releases.len(), merged, accepted.len());
    Ok(())
}

/// All releases, once each is settled.
async fn settled(tagferry: &Tagferry, released: &[Released]) -> Result<Vec<Value>> {
    let began = Instant::now();
    loop {
        let all = all(tagferry, "releases").await?;
        let waiting: Vec<&Value> = all.iter().filter(|one| field(one, "outcome").is_null()).collect();
        if all.len() == released.len() && waiting.is_empty() {
            let mut detailed = Vec::new();
            for one in &all {
                detailed.push(tagferry.get(&format!("/v1/releases/{}", text(field(one, "id")))).await?);
            }
            return Ok(detailed);
        }
        if began.elapsed() > PATIENCE {
            bail!("of {} releases {} are known, and these are not settled: {waiting:#?}", released.len(), all.len());
        }
        tokio::time::sleep(PACE).await;
    }
}

/// Looks at one release; whether it was merged.
fn one_release(release: &Value, pull_requests: &[PullRequestView]) -> Result<bool> {
    let promotions = field(release, "promotions").as_array().context("promotions is a list")?;
    let [promotion] = promotions.as_slice() else { bail!("not one promotion: {release:#}") };
    ensure!(field(release, "builds").as_array().map(Vec::len) == Some(CLOUDS.len()), "builds are missing: {release:#}");
    let outcome = text(field(promotion, "outcome"));
    ensure!(["merged", "superseded"].contains(&outcome.as_str()), "{outcome}: {release:#}");
    let number = promotion.pointer("/pull_request/number").and_then(Value::as_u64);
    let pull_request = pull_requests.iter().find(|one| Some(one.number) == number);
    let branch = text(field(promotion, "branch"));
    ensure!(
        pull_request.is_some() || pull_requests.iter().all(|one| one.head_branch != branch),
        "it does not know its pull request: {release:#}"
    );
    let is_merged = outcome == "merged";
    ensure!(
        pull_request.is_some_and(|one| one.state == "merged") == is_merged,
        "it says {outcome}, and the forge {pull_request:#?}"
    );
    let mut told = BTreeMap::<String, usize>::new();
    for row in field(release, "ledger").as_array().context("ledger is a list")? {
        *told.entry(text(field(row, "what"))).or_default() += 1;
    }
    for once in ["opened", "settled"] {
        ensure!(told.get(once) == Some(&1), "the ledger does not say {once} once: {release:#}");
    }
    ensure!(told.get("pull-request").is_none_or(|times| *times == 1), "it had two pull requests: {release:#}");
    ensure!(!told.contains_key("drift"), "nobody edited an overlay: {release:#}");
    ensure!(told.get("build") == Some(&CLOUDS.len()), "builds were found twice: {release:#}");
    Ok(is_merged)
}

/// The last release of each application is merged, and is what every overlay has.
async fn last_of_each(fleet: &Fleet, released: &[Released], releases: &[Value]) -> Result<()> {
    for application in fleet.applications() {
        let mine = released.iter().rev().find(|one| one.application == application);
        let last = &mine.with_context(|| format!("{application} was never released"))?.commit;
        let release = releases.iter().find(|one| text(field(one, "commit")) == *last).context("the release is gone")?;
        let outcome = release.pointer("/promotions/0/outcome");
        ensure!(outcome.is_some_and(|one| one == "merged"), "the last of {application} is not merged: {release:#}");
        for cloud in CLOUDS {
            let overlay = fleet.overlay(&application, cloud).await?;
            ensure!(
                overlay.contains(&format!("newTag: sha-{last} ")),
                "{application} in {cloud} is not at {last}: {overlay}"
            );
        }
    }
    Ok(())
}

/// Every delivery that was answered with 202 is there and was followed.
async fn deliveries(tagferry: &Tagferry, accepted: &[Accepted]) -> Result<()> {
    let all = all_followed(tagferry).await?;
    let known: BTreeMap<String, &Value> = all.iter().map(|one| (text(field(one, "id")), one)).collect();
    for Accepted { id, tag } in accepted {
        let delivery = known.get(id).with_context(|| format!("delivery {id} of {tag} was taken, and is lost"))?;
        let announcements = announcements(delivery)?;
        let is_followed =
            announcements.iter().all(|one| field(one, "verdict") == "accepted" && text(field(one, "tag")) == *tag);
        ensure!(is_followed && announcements.len() == 1, "delivery {id} of {tag} was not followed: {delivery:#}");
    }
    Ok(())
}

/// All deliveries, once nothing that they announced is pending: a release may be settled before its last announcement,
/// which is looked at again where a replica died between the two things that it records.
async fn all_followed(tagferry: &Tagferry) -> Result<Vec<Value>> {
    let began = Instant::now();
    loop {
        let all = all(tagferry, "deliveries").await?;
        let mut pending = Vec::new();
        for delivery in &all {
            if announcements(delivery)?.iter().any(|one| field(one, "verdict") == "pending") {
                pending.push(delivery);
            }
        }
        if pending.is_empty() {
            return Ok(all);
        }
        ensure!(began.elapsed() <= PATIENCE, "these deliveries are not followed: {pending:#?}");
        tokio::time::sleep(PACE).await;
    }
}

fn announcements(delivery: &Value) -> Result<&Vec<Value>> {
    field(delivery, "announcements").as_array().context("announcements is a list")
}

/// All rows of a list, page after page.
async fn all(tagferry: &Tagferry, what: &str) -> Result<Vec<Value>> {
    let (mut all, mut before) = (Vec::new(), String::new());
    loop {
        let answer = tagferry.get(&format!("/v1/{what}?limit=200{before}")).await?;
        all.extend(field(&answer, what).as_array().context("a list was expected")?.iter().cloned());
        match field(&answer, "next").as_str() {
            Some(next) => before = format!("&before={next}"),
            None => return Ok(all),
        }
    }
}
