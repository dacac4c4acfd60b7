//! Many pieces of work in the store of one repository at once.

use chrono::DateTime;
use domain::{commit::Commit, proposal::ReleaseBranch};
use forge::{FileEdit, NewCommit};
use futures_util::future::try_join_all;

use crate::host::Host;

const FILES: &[(&str, &str)] = &[("apps/aws/kustomization.yaml", "images: []\n")];

#[tokio::test(flavor = "multi_thread")]
async fn releases_of_many_applications_are_read_committed_and_pushed_at_once() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let repository = host.repository("acme/trinity", FILES).await?;
    let forge = host.forge()?;
    let release = async |number: u8| {
        let branch = ReleaseBranch::new(&format!("app{number}").parse()?, Commit::from_bytes([number; 20]));
        let tip = forge.tip(&repository, &"main".parse()?).await?;
        forge.read_directories(&repository, tip, &["apps/aws"], &["kustomization.yaml"]).await?;
        let path = format!("apps/aws/{number}.yaml");
        let files = [FileEdit { path, bytes: vec![number; 10] }];
        let at = DateTime::UNIX_EPOCH;
        let new = NewCommit { branch: &branch, ours: &[], tip, files: &files, message: "m", at };
        let commit = forge.commit(&repository, &new).await?;
        forge.push(&repository, &branch, commit, &[]).await?;
        anyhow::Ok((branch, commit))
    };
    for (branch, commit) in try_join_all((0..24).map(release)).await? {
        let name = branch.branch().to_string();
        assert_eq!(host.ask("acme/trinity", &["rev-parse", &name]).await?.trim(), commit.to_string());
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_asks_for_a_tip_while_another_looks_waits_for_the_next_look_and_shares_it() -> anyhow::Result<()> {
    let host = Host::start().await?;
    let repository = host.repository("acme/trinity", FILES).await?;
    let forge = host.forge()?;
    let main = "main".parse()?;
    let first = forge.tip(&repository, &main).await?;
    host.lines()?;
    let tips = try_join_all((0..24).map(|_| forge.tip(&repository, &main))).await?;
    assert!(tips.iter().all(|tip| *tip == first));
    let looks = host.lines()?.iter().filter(|line| line.contains("info/refs")).count();
    assert!((1..=2).contains(&looks), "{looks} looks");
    Ok(())
}
