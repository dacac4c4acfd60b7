//! That links between documents lead somewhere.

use std::path::{Component, Path, PathBuf};

use crate::tree::{self, File};

/// The targets of a Markdown text's links, without what stands in code.
fn targets(markdown: &str) -> Vec<&str> {
    let mut targets = Vec::new();
    let mut in_code = false;
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        } else if !in_code {
            // The even parts of a line lie outside its code marks.
            for prose in line.split('`').step_by(2) {
                targets.extend(prose.split("](").skip(1).filter_map(|rest| rest.split(')').next()));
            }
            if let Some((_, target)) = line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")) {
                targets.push(target.trim());
            }
        }
    }
    targets
}

/// The path from the root that a link leads to; `None` when it leads outside the repository.
fn destination(from: &str, target: &str) -> Option<PathBuf> {
    if target.contains("://") || target.starts_with("mailto:") {
        return None;
    }
    let path = target.split('#').next().unwrap_or_default();
    if path.is_empty() {
        return Some(PathBuf::from(from));
    }
    let mut destination = PathBuf::new();
    let start = Path::new(from).parent().unwrap_or(Path::new(""));
    for component in start.join(path).components() {
        match component {
            Component::ParentDir if destination.pop() => {}
            other @ (Component::ParentDir | Component::RootDir | Component::Prefix(_) | Component::Normal(_)) => {
                destination.push(other);
            }
            Component::CurDir => {}
        }
    }
    Some(destination)
}

/// The heading that a link leads to, as the forge and mdBook spell it.
fn anchor(target: &str) -> Option<&str> {
    target.split_once('#').map(|(_, anchor)| anchor)
}

/// Whether a Markdown text has a heading that is spelt so in links.
fn has_heading(markdown: &str, anchor: &str) -> bool {
    markdown
        .lines()
        .filter_map(|line| line.strip_prefix('#'))
        .map(|heading| slug(heading.trim_start_matches('#').trim()))
        .any(|slug| slug == anchor)
}

fn slug(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter))
        .map(|letter| if letter == ' ' { '-' } else { letter })
        .collect()
}

fn complaints(file: &File, tracked: &[String], documents: &[File]) -> Vec<String> {
    let is_there = |destination: &Path| tracked.iter().any(|path| Path::new(path).starts_with(destination));
    let mut complaints = Vec::new();
    for target in targets(&file.text) {
        let Some(destination) = destination(&file.path, target) else {
            continue;
        };
        let document = documents.iter().find(|document| Path::new(&document.path) == destination);
        let complaint = match (anchor(target), document) {
            _ if !is_there(&destination) => "leads nowhere",
            (Some(anchor), Some(document)) if !has_heading(&document.text, anchor) => "names no heading",
            _ => continue,
        };
        complaints.push(format!("{}: the link {target} {complaint}", file.path));
    }
    complaints
}

/// Every chapter of the book, that is every document beside its summary, must be in the summary.
fn chapters_missing(summary: &File, documents: &[File]) -> Vec<String> {
    let listed: Vec<PathBuf> =
        targets(&summary.text).into_iter().filter_map(|target| destination(&summary.path, target)).collect();
    documents
        .iter()
        .filter(|document| document.path.starts_with("docs/") && document.path != summary.path)
        .filter(|document| !listed.contains(&PathBuf::from(&document.path)))
        .map(|document| format!("{} lacks {}", summary.path, document.path))
        .collect()
}

#[test]
fn every_link_between_documents_leads_somewhere() -> anyhow::Result<()> {
    let (tracked, documents) = (tree::tracked()?, tree::files(".md")?);
    let complaints: Vec<String> =
        documents.iter().flat_map(|document| complaints(document, &tracked, &documents)).collect();
    tree::assert_none(&complaints);
    Ok(())
}

#[test]
fn every_chapter_is_in_the_summary_of_the_book() -> anyhow::Result<()> {
    let documents = tree::files(".md")?;
    for summary in tree::files("docs/SUMMARY.md")? {
        tree::assert_none(&chapters_missing(&summary, &documents));
    }
    Ok(())
}

fn document(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let documents = [document("docs/b.md", "# One `Two`: three\n")];
    let tracked = ["docs/a.md".to_owned(), "docs/b.md".to_owned(), "src/c/d.rs".to_owned()];
    let check = |text: &str, expected: &[&str]| {
        let from = document("docs/a.md", text);
        assert_eq!(complaints(&from, &tracked, &documents), expected, "{text}");
    };
    check("[b](b.md), [c](../src/c) and [x](https://example.com/x)", &[]);
    check("[b](b.md#one-two-three)", &[]);
    check("`[b](x.md)`\n```\n[b](x.md)\n```\n", &[]);
    check("[b](b.md#four)", &["docs/a.md: the link b.md#four names no heading"]);
    check("[b](b.md) [x](x.md)", &["docs/a.md: the link x.md leads nowhere"]);
    check("[x]: ../x.md", &["docs/a.md: the link ../x.md leads nowhere"]);
    check("[x](../../b.md)", &["docs/a.md: the link ../../b.md leads nowhere"]);
}

#[test]
fn a_chapter_that_the_summary_lacks_is_found() {
    let summary = document("docs/SUMMARY.md", "- [A](a.md)\n");
    let documents = [document("docs/a.md", ""), document("docs/b/c.md", ""), document("README.md", "")];
    assert_eq!(chapters_missing(&summary, &documents), ["docs/SUMMARY.md lacks docs/b/c.md"]);
}
