//! Every GraphQL document of the adapter has been sent to a sandbox that is watched.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use domain::fault::Fault;
use sandbox::{MergeQueue, Protection, Push, Rules};

use crate::stage::{GITOPS, Stage, branch, ci};

/// How a document begins, before its name.
const BEGINNINGS: [&str; 3] = ["query ", "mutation ", "subscription "];

#[tokio::test]
async fn every_document_in_the_sources_is_one_that_github_understands() -> anyhow::Result<()> {
    let stage = Stage::set().await?;
    let nothing_required = Protection { require_pull_request: true, ..Protection::default() };
    stage.sandbox.protect(GITOPS, "main", Some(nothing_required)).await?;
    stage.push("images: [b]\n").await?;
    let open = stage.create().await??;
    // Nothing is required and nothing has run, which is found out by asking for the checks.
    assert_eq!(stage.arm(&open).await.unwrap_err().fault(), Fault::Transient);
    stage.require_ci().await?;
    stage.arm(&open).await?;
    stage.forge.disarm(&stage.repository, &open).await?;
    stage.forge.pull_request(&stage.repository, open.number).await?;
    stage.forge.pull_requests_of(&stage.repository, &branch()?).await?;
    assert_eq!(stage.forge.required_checks(&stage.repository, &stage.base).await?, ["ci"]);

    // A pull request in a queue is taken out of it.
    let required_checks = vec!["ci".to_owned()];
    let rules = Rules { required_checks, merge_queue: Some(MergeQueue::default()), ..Rules::default() };
    stage.sandbox.set_rules(GITOPS, "main", Some(rules)).await?;
    stage.sandbox.set_check(GITOPS, &open.head.to_string(), ci()).await?;
    stage.arm(&open).await?;
    stage.forge.disarm(&stage.repository, &stage.look(&open).await?).await?;

    // A commit that more branches may have than are shown at once, with its checks.
    stage.crowd("release/", 51).await?;
    let tip = stage.forge.tip(&stage.repository, &stage.base).await?;
    let tip = stage.sandbox.push(GITOPS, Push::new("aside", [("README", "z")]).onto(&tip.to_string())).await?;
    let tip = tip.to_string().parse()?;
    stage.forge.look_up(&stage.repository, tip, &["main".parse()?, "release/*-x".parse()?]).await?;
    stage.forge.checks(&stage.repository, tip).await?;

    let asked: BTreeSet<String> = stage.sandbox.asked_documents().into_iter().collect();
    let mut written = BTreeSet::new();
    for path in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))? {
        written.extend(names(&fs::read_to_string(path)?));
    }
    assert_eq!(asked, written, "asked here, and written in the sources");
    Ok(())
}

#[test]
fn the_names_of_documents_are_found_in_a_source() {
    let source =
        "const A: &str = \"query One($a: Int) { b }\";\nconst B: &str = \" mutation Two { b }\"; // a query of \"x\"";
    assert_eq!(names(source), ["One", "Two"]);
}

fn sources(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(sources(&path)?);
        } else {
            found.push(path);
        }
    }
    Ok(found)
}

/// The names of the documents that begin in string literals.
fn names(source: &str) -> Vec<String> {
    let mut names = Vec::new();
    for literal in source.split('"').skip(1) {
        let begun = BEGINNINGS.iter().find_map(|beginning| literal.trim_start().strip_prefix(beginning));
        let name = begun.and_then(|rest| rest.split(|it: char| !it.is_alphanumeric()).next());
        let is_operation = literal.contains('{') || literal.contains('(');
        names.extend(name.filter(|_| is_operation).map(str::to_owned));
    }
    names
}
