//! Lists the tags of a repository, page by page
//! (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-tags>).
//!
//! Registries differ in nearly everything here. Amazon refuses to be asked for more than a thousand at once, Azure gives
//! no more, Quay a hundred whatever it is asked for, and CNCF Distribution 2 all of them. Most name the next page by a
//! link, some with a query of their own; one that does not is asked for what comes after the last tag that it gave, as
//! the specification allows. Azure wants another token to list than to pull, and says so.

mod link;
mod page;

use std::collections::{BTreeSet, HashSet};

use domain::{
    excerpt::excerpt,
    image::{Repository, Tag},
};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use oci_client::errors::{OciDistributionError, OciEnvelope};
use reqwest::{Client, Response};
use tracing::debug;
use url::{Url, form_urlencoded};

use crate::{
    Error, Registries, exchange,
    question::{Question, pull},
    resolve::absent_or,
};
use page::Page;

/// How many tags are asked for at once: the most that Amazon and Azure give
/// (<https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ListImages.html>).
const PAGE: usize = 1_000;

/// How many pages are read: at Quay, whose are the smallest, fifty thousand tags.
const MOST_PAGES: usize = 500;

/// How many tags are taken: those of some hundred builds a day for a year, in about ten megabytes.
const MOST_TAGS: usize = 100_000;

/// The largest page that is read, in bytes: a hundred thousand of the longest tags. Google adds some hundred bytes for
/// each image.
const LARGEST_PAGE: usize = 16 * 1024 * 1024;

/// How much of a refusal is read, in bytes.
const LARGEST_REFUSAL: usize = 64 * 1024;

/// How many characters of a refusal are shown.
const SHOWN: usize = 200;

/// The longest validator that is kept, in bytes; those of usual servers have some ten.
const LONGEST_VALIDATOR: usize = 1024;

/// What a registry says of the tags of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listing {
    /// The tags that it has.
    Tags(Tags),
    /// Those that it had when it gave the validator.
    Unchanged,
    /// It knows no such repository: nobody has pushed to it yet, or whoever asks is not to know.
    Absent,
}

/// The tags of a repository.
///
/// Registries list in the order of the alphabet, of pushes or in none, and tags may come and go between two pages; so
/// that which tags a truncated list has means nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tags {
    /// The tags, each once.
    pub tags: BTreeSet<Tag>,
    /// How many entries were no legal tags and are left out.
    pub dropped: usize,
    /// Whether there are, or may be, more than are read.
    pub is_truncated: bool,
    /// What to ask with the next time; `None` where the registry gives none, or the list has more than one page: a
    /// validator is about one page, and a tag that is pushed may be on another.
    pub validator: Option<Validator>,
}

/// What a registry recognises a list by that it gave (RFC 9110 section 8.8.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validator(HeaderValue);

/// What the answer to one request is.
enum Answer {
    Page(Vec<u8>, HeaderMap),
    Unchanged,
    Absent,
}

/// A walk through the pages.
struct Walk<'a> {
    question: &'a Question<'a>,
    theirs: oci_client::Reference,
    /// The scope of the token that is used, which the registry may ask to change.
    scope: String,
    /// What was asked for last.
    url: Url,
    /// How that is known.
    step: Step,
    tags: Tags,
}

/// How a page is known.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    First,
    /// The registry named it.
    Linked,
    /// It may be there.
    Guessed,
}

impl Registries {
    /// Lists the tags of a repository; their order means nothing.
    ///
    /// One request for a thousand tags, and at registries with smaller pages one for each, of which at most 500 are
    /// read, and 100,000 tags. Each page may take as long as any answer. Where a validator of an earlier list of the
    /// same repository is given, the registry may answer that nothing has changed.
    ///
    /// # Errors
    ///
    /// The registry did not say; [`Error::fault`] tells what that means. One page that fails makes the whole list fail,
    /// and so do pages that go in a circle or lead to another host or repository ([`Error::Unreadable`]).
    pub async fn tags(&self, repository: &Repository, known: Option<&Validator>) -> Result<Listing, Error> {
        let listing = self.in_turn(repository, Box::pin(self.list(repository, known))).await;
        debug!(image.repository = %repository, "asked a registry which tags there are");
        listing
    }

    async fn list(&self, repository: &Repository, known: Option<&Validator>) -> Result<Listing, Error> {
        let mut question = Question::new(self, repository).await?;
        loop {
            match Walk::new(&question)?.list(known).await {
                Err(failure) if question.renew(&failure).await? => {}
                answer => return answer,
            }
        }
    }
}

impl<'a> Walk<'a> {
    fn new(question: &'a Question<'a>) -> Result<Self, Error> {
        // Only the repository counts.
        let theirs = question.by_tag(String::new());
        let address = format!("{}/v2/{}/tags/list?n={PAGE}", question.base(&theirs), theirs.repository());
        let odd = |error: url::ParseError| Error::Unreadable {
            subject: question.subject.clone(),
            why: format!("its address is none: {error}"),
        };
        let url = address.parse().map_err(odd)?;
        Ok(Self { question, scope: pull(&theirs), theirs, url, step: Step::First, tags: Tags::default() })
    }

    async fn list(mut self, known: Option<&Validator>) -> Result<Listing, Error> {
        let (mut known, mut seen) = (known, HashSet::new());
        while seen.insert(self.query()) {
            if seen.len() > MOST_PAGES {
                return Ok(self.cut_off());
            }
            let (body, headers) = match self.page(known.take()).await {
                Ok(Answer::Page(body, headers)) => (body, headers),
                Ok(Answer::Unchanged) => return Ok(Listing::Unchanged),
                Ok(Answer::Absent) if self.step == Step::First => return Ok(Listing::Absent),
                // A place in the list need not be a tag: those of Amazon are not.
                Ok(Answer::Absent) | Err(Error::Refused { .. }) if self.step == Step::Guessed => {
                    return Ok(self.cut_off());
                }
                Ok(Answer::Absent) => return Err(self.unreadable("it names a page that is not there")),
                Err(error) => return Err(error),
            };
            let page = Page::read(&body).map_err(|why| self.unreadable(&shown(&why.to_string())))?;
            let linked = link::next(&headers, &self.url).map_err(|why| self.unreadable(why))?;
            let guessed = self.guess(&page);
            let is_whole = self.take(page);
            let (step, next) = match (linked, guessed) {
                (Some(query), _) => (Step::Linked, query),
                (None, Some(query)) => (Step::Guessed, query),
                (None, None) if !is_whole => return Ok(self.cut_off()),
                (None, None) => {
                    self.tags.validator = if self.step == Step::First { validator(&headers) } else { None };
                    return Ok(Listing::Tags(self.tags));
                }
            };
            if !is_whole || self.tags.tags.len() >= MOST_TAGS {
                return Ok(self.cut_off());
            }
            self.step = step;
            self.url.set_query(Some(&next));
        }
        Err(self.unreadable("its pages go in a circle"))
    }

    /// The list as far as it was read.
    fn cut_off(self) -> Listing {
        Listing::Tags(Tags { is_truncated: true, ..self.tags })
    }

    /// Takes what a page has; whether that was all of it.
    fn take(&mut self, page: Page) -> bool {
        let is_whole = page.entries == page.tags.len() + page.dropped;
        self.tags.dropped += page.dropped;
        self.tags.tags.extend(page.tags);
        let mut is_kept = true;
        while self.tags.tags.len() > MOST_TAGS {
            self.tags.tags.pop_last();
            is_kept = false;
        }
        is_whole && is_kept
    }

    /// What comes after a page that is as long as asked for, at a registry that names no next page though there may be
    /// one. One that ignores how many are asked for gives all, or again what it gave before.
    fn guess(&self, page: &Page) -> Option<String> {
        let is_new = page.tags.iter().any(|tag| !self.tags.tags.contains(tag));
        if page.entries != PAGE || self.step == Step::Linked || !is_new {
            return None;
        }
        let (n, last) = (PAGE.to_string(), page.tags.last()?);
        let pairs = [("n", n.as_str()), ("last", last.as_str())];
        Some(form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
    }

    fn query(&self) -> String {
        self.url.query().unwrap_or_default().to_owned()
    }

    /// Asks for one page, unless the registry was asked too often meanwhile.
    async fn page(&mut self, known: Option<&Validator>) -> Result<Answer, Error> {
        let question = self.question;
        question.may_ask()?;
        question.registries.in_time(&question.subject, self.ask(known)).await?
    }

    async fn ask(&mut self, known: Option<&Validator>) -> Result<Answer, Error> {
        let subject = &self.question.subject;
        let sent = match self.send(known).await {
            Ok(sent) => sent,
            Err(error) => return absent_or(subject, error).map(|_none: Option<()>| Answer::Absent),
        };
        let (status, headers) = (sent.status(), sent.headers().clone());
        match status {
            StatusCode::OK => match body(sent, LARGEST_PAGE).await {
                Ok((bytes, true)) => Ok(Answer::Page(bytes, headers)),
                Ok((_, false)) => Err(self.unreadable(&format!("a page has more than {LARGEST_PAGE} bytes"))),
                Err(error) => absent_or(subject, error).map(|_none: Option<()>| Answer::Absent),
            },
            StatusCode::NOT_MODIFIED if known.is_some() => Ok(Answer::Unchanged),
            StatusCode::NOT_FOUND => Ok(Answer::Absent),
            StatusCode::TOO_MANY_REQUESTS => Err(self.question.limited(&headers)),
            _ => absent_or(subject, refused(sent).await).map(|_none: Option<()>| Answer::Absent),
        }
    }

    /// Sends the request, and once more where the registry wants a token of another scope.
    async fn send(&mut self, known: Option<&Validator>) -> Result<Response, OciDistributionError> {
        let url = self.url.clone();
        let request = |client: &Client| {
            let request = client.get(url.clone()).header(header::ACCEPT, "application/json");
            match known {
                Some(Validator(value)) => request.header(header::IF_NONE_MATCH, value),
                None => request,
            }
        };
        let answer = self.question.send(&self.scope, &self.theirs, request).await?;
        if answer.status() == StatusCode::UNAUTHORIZED
            && let Some(scope) = wanted(answer.headers(), self.theirs.repository())
            && scope != self.scope
        {
            self.scope = scope;
            return self.question.send(&self.scope, &self.theirs, request).await;
        }
        Ok(answer)
    }

    fn unreadable(&self, why: &str) -> Error {
        Error::Unreadable { subject: self.question.subject.clone(), why: why.to_owned() }
    }
}

/// The body of an answer up to so many bytes, and whether that is all of it.
async fn body(mut answer: Response, most: usize) -> Result<(Vec<u8>, bool), OciDistributionError> {
    let mut bytes = Vec::new();
    while let Some(more) = answer.chunk().await? {
        if bytes.len() + more.len() > most {
            return Ok((bytes, false));
        }
        bytes.extend_from_slice(&more);
    }
    Ok((bytes, true))
}

/// What a refusal says, as the client library would report it.
async fn refused(answer: Response) -> OciDistributionError {
    let (status, url) = (answer.status(), answer.url().to_string());
    if status == StatusCode::UNAUTHORIZED {
        return OciDistributionError::UnauthorizedError { url };
    }
    let bytes = match body(answer, LARGEST_REFUSAL).await {
        Ok((bytes, _is_all)) => bytes,
        Err(error) => return error,
    };
    let envelope = serde_json::from_slice::<OciEnvelope>(&bytes);
    match envelope {
        Ok(envelope) if status.is_client_error() => OciDistributionError::RegistryError { envelope, url },
        _ => {
            let message = shown(&String::from_utf8_lossy(&bytes));
            OciDistributionError::ServerError { code: status.as_u16(), url, message }
        }
    }
}

/// The beginning of what a registry wrote.
fn shown(text: &str) -> String {
    excerpt(text).chars().take(SHOWN).collect()
}

/// The scope that a registry wants a token to have, where that is one to read from the repository: Azure's
/// `repository:NAME:metadata_read` (<https://github.com/goharbor/harbor/pull/16947>).
fn wanted(headers: &HeaderMap, repository: &str) -> Option<String> {
    let challenges = headers.get_all(header::WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    let scope = challenges.filter_map(exchange::challenge_of).find_map(|mut challenge| challenge.remove("scope"))?;
    let actions = scope.strip_prefix("repository:")?.strip_prefix(repository)?.strip_prefix(':')?;
    actions.split(',').all(|action| matches!(action, "pull" | "metadata_read")).then(|| scope.clone())
}

fn validator(headers: &HeaderMap) -> Option<Validator> {
    let value = headers.get(header::ETAG).filter(|value| value.len() <= LONGEST_VALIDATOR)?;
    value.to_str().ok().filter(|text| !text.is_empty())?;
    Some(Validator(value.clone()))
}
