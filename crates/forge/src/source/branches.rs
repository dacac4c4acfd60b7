//! On which of the branches a commit is.

use domain::{
    forge::{Branch, Repository},
    glob::Glob,
};
use serde::Deserialize;
use serde_json::json;

use super::{
    About, MOST_PAGES,
    document::{self, Seen, list, of_commit, parted},
};
use crate::{Error, Forge, address::escape, api::Request, client::Document};

/// As many branches are compared by REST with which GraphQL does not compare a commit. That it does so with any commit
/// of a fork is not documented.
const MOST_COMPARED: usize = 10;

/// A branch, with how a commit stands to it.
#[derive(Deserialize)]
pub(super) struct Shown {
    name: String,
    compare: Option<Compared>,
}

#[derive(Deserialize)]
struct Compared {
    status: String,
}

/// Some of the branches that begin like a pattern.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    page_info: PageInfo,
    nodes: Vec<Option<Shown>>,
}

/// Whether there is more, and where.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

impl PageInfo {
    /// Where the next page begins.
    pub(super) fn next(self) -> Option<String> {
        self.has_next_page.then(|| self.end_cursor.unwrap_or_default())
    }
}

/// The search for the first branch that has the commit.
#[derive(Default)]
struct Search {
    /// Those that nothing was said of.
    undecided: Vec<Branch>,
}

impl Search {
    /// Looks at a branch, and gives it back if it has the commit: it is the base of the comparison, and the commit, its
    /// head, is the same or behind.
    fn is_on(&mut self, shown: &Shown) -> Option<Branch> {
        let branch: Branch = shown.name.parse().ok()?;
        match shown.compare.as_ref().map(|compared| compared.status.as_str()) {
            Some("BEHIND" | "IDENTICAL") => return Some(branch),
            Some(_) => {}
            None => self.undecided.push(branch),
        }
        None
    }
}

/// A branch as REST lists it.
#[derive(Deserialize)]
struct Listed {
    r#ref: String,
}

impl Forge {
    /// The branches of a repository that have the name, or are like the pattern. One request.
    ///
    /// <https://docs.github.com/en/rest/git/refs#list-matching-references>
    ///
    /// # Errors
    ///
    /// [`Error::NoRepository`], and what any request can end with.
    pub async fn branches_like(&self, repository: &Repository, branches: &Glob) -> Result<Vec<Branch>, Error> {
        let path = format!("/repos/{repository}/git/matching-refs/heads/{}", escape(branches.prefix()));
        let request = Request::get(path, format!("looking for branch {branches} in {repository}"));
        let answer = self.client().send(repository, &request).await?;
        match answer.status {
            200 => {
                let listed: Vec<Listed> = answer.read(&request)?;
                let names = listed.iter().filter_map(|one| one.r#ref.strip_prefix("refs/heads/"));
                Ok(names.filter(|name| branches.matches(name)).filter_map(|name| name.parse().ok()).collect())
            }
            404 => Err(Error::NoRepository { repository: repository.clone() }),
            _ => Err(request.refused(answer.message())),
        }
    }

    /// The first of the branches that the commit is on.
    pub(super) async fn branch_of(
        &self,
        about: About<'_>,
        branches: &[Glob],
        seen: &mut Seen,
    ) -> Result<Option<Branch>, Error> {
        let (named, patterns) = parted(branches);
        let mut search = Search::default();
        let mut missing = None;
        for (place, name) in named.into_iter().enumerate() {
            match seen.branches::<Shown>(&format!("branch{place}"), about)? {
                Some(shown) => {
                    if let Some(branch) = search.is_on(&shown) {
                        return Ok(Some(branch));
                    }
                }
                None => missing = missing.or(Some(name)),
            }
        }
        for (place, pattern) in patterns.into_iter().enumerate() {
            let page = seen.page(&format!("like{place}"), about)?;
            if let Some(branch) = self.branch_like(about, pattern, (page, &mut search)).await? {
                return Ok(Some(branch));
            }
        }
        for branch in search.undecided.into_iter().take(MOST_COMPARED) {
            let compared = self.compare(about.repository, &about.commit.to_string(), branch.as_str(), 1).await?;
            if compared.is_ancestor() {
                return Ok(Some(branch));
            }
        }
        missing.map_or(Ok(None), |name| Err(no_branch(about.repository, name)))
    }

    /// The first branch like a pattern that the commit is on, from a page of those that begin like it.
    async fn branch_like(
        &self,
        about: About<'_>,
        pattern: &Glob,
        (mut page, search): (Page, &mut Search),
    ) -> Result<Option<Branch>, Error> {
        for _ in 0..MOST_PAGES {
            let mut shown = page.nodes.into_iter().flatten().filter(|shown| pattern.matches(&shown.name));
            if let Some(branch) = shown.find_map(|shown| search.is_on(&shown)) {
                return Ok(Some(branch));
            }
            let Some(after) = page.page_info.next() else { return Ok(None) };
            page = self.page_of_branches(about, pattern, after).await?;
        }
        let message = format!("too many of its branches begin like {pattern}");
        Err(Error::Refused { doing: about.doing.to_owned(), message })
    }

    async fn page_of_branches(&self, about: About<'_>, pattern: &Glob, after: String) -> Result<Page, Error> {
        let text = format!(
            "query Branches($owner: String!, $name: String!, $sha: String!, $like: String!, $after: String!) {{ \
             repository(owner: $owner, name: $name) {{ like: {} }} }}",
            list("$like", ", after: $after")
        );
        let mut variables = of_commit(about);
        if let Some(variables) = variables.as_object_mut() {
            variables.remove("oid");
            variables.insert("sha".to_owned(), json!(about.commit.to_string()));
            variables.insert("like".to_owned(), json!(pattern.prefix()));
            variables.insert("after".to_owned(), json!(after));
        }
        let document = Document { text: &text, variables: &variables, doing: about.doing };
        let reply = self.client().ask_reading(about.repository, document).await?;
        document::read(reply, about)?.page("like", about)
    }
}

fn no_branch(repository: &Repository, name: &str) -> Error {
    match name.parse() {
        Ok(branch) => Error::NoBranch { repository: repository.clone(), branch },
        Err(why) => Error::Settings { what: format!("{name} is {why}") },
    }
}
