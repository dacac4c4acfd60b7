//! The order to merge a pull request once it may be merged, and taking it back.

mod document;
mod look;
mod patience;
mod way;

use std::time::Instant;

use domain::{
    commit::Commit,
    fault::Fault,
    forge::{AutoMerge, Branch, MergeMethod, Number, PullRequest, PullRequestState, Repository, Requirements},
};
use serde::Deserialize;
use serde_json::json;

pub(crate) use patience::Patience;

use crate::{
    Error, Forge, Refusal,
    api::Request,
    pull_request::{View, commit, read},
    refusal::Meaning,
};
use document::{Answered, Outcome};
use look::Label;
pub use look::Look;
use patience::MOST_TRIES;
use way::{Blocked, Way, merge_now, way};

/// How a pull request is to be merged.
#[derive(Clone, Copy, Debug)]
pub struct Order<'a> {
    /// What must still be at the tip of its branch.
    pub head: Commit,
    /// What it is to be merged into.
    pub base: &'a Branch,
    /// How it becomes part of its base, unless that has a merge queue, which knows its own way.
    pub method: MergeMethod,
    /// The first line of the merge's message.
    pub headline: &'a str,
    /// The rest of the message.
    pub body: &'a str,
    /// The labels that it is to have.
    pub labels: &'a [String],
}

/// What became of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ordered {
    /// How the pull request is to be merged, or that it is.
    pub armed: Armed,
    /// Why labels could not be added, which keeps nothing from being merged.
    pub unlabelled: Option<String>,
}

/// How a pull request is to be merged, or that it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Armed {
    /// The forge merges it by itself once everything required is there.
    Armed,
    /// The forge puts it into the merge queue of its base once everything required is there.
    ForQueue,
    /// It is in the merge queue of its base.
    Queued,
    /// Everything was there: it is merged, by this commit when the forge names it.
    Merged(Option<Commit>),
    /// The forge takes no order, and this is missing: order it again later, and it is merged once all is there.
    Watching(Requirements),
}

const NEEDS_CHECKS: &str = "it needs Checks: read and Commit statuses: read";

#[derive(Deserialize)]
struct Merged {
    sha: String,
}

/// One order on its way, with what its errors name.
struct Attempt<'a> {
    forge: &'a Forge,
    repository: &'a Repository,
    pull_request: &'a PullRequest,
    order: &'a Order<'a>,
    doing: String,
}

impl Forge {
    /// Gives a pull request its labels and orders the forge to merge it once it may, puts it into the merge queue of its
    /// base, or merges at once what has everything that its base requires. Repeatable, each time after a look with the
    /// labels of the order.
    ///
    /// One request that changes something; another one to make a label, and to merge at once. What has become clean
    /// since the look is looked at again.
    ///
    /// # Errors
    ///
    /// [`Error::Unmergeable`]: the forge does not take the order, and why; a base that requires nothing is one reason,
    /// for nothing would have been checked. [`Error::Forbidden`]: we may not see the checks of what there is nothing
    /// left to wait for. And what any request can end with.
    pub async fn arm(&self, repository: &Repository, seen: &Look, order: &Order<'_>) -> Result<Ordered, Error> {
        let pull_request = &seen.pull_request;
        let doing = format!("ordering the merge of {repository}{}", pull_request.number);
        let attempt = Attempt { forge: self, repository, pull_request, order, doing };
        attempt.run(seen).await
    }

    /// Takes the order to merge back, or the pull request out of the merge queue. Repeatable. One request.
    ///
    /// Which of both is what was last seen of it: an order may have become a place in the queue since, which the next
    /// look shows.
    ///
    /// # Errors
    ///
    /// What any request can end with.
    pub async fn disarm(&self, repository: &Repository, pull_request: &PullRequest) -> Result<(), Error> {
        let doing = format!("taking back the merge of {repository}{}", pull_request.number);
        let document = match pull_request.auto_merge {
            AutoMerge::Queued => document::dequeue(pull_request),
            AutoMerge::Armed | AutoMerge::Unqueued | AutoMerge::Disarmed => document::disable(pull_request),
        };
        let reply = self.client().ask::<serde_json::Value>(repository, document.with(&doing)).await?;
        let message = reply.message();
        if message.is_empty() || is_disarmed_already(&message) {
            return Ok(());
        }
        Err(Error::Refused { doing, message })
    }
}

impl Attempt<'_> {
    async fn run(&self, seen: &Look) -> Result<Ordered, Error> {
        let way = self.judged(way(seen, self.order))?;
        let place = format!("{}{}", self.repository, self.pull_request.number);
        let of = format!("{way:?} {}", seen.fingerprint);
        let patience = self.forge.patience();
        if let Some(words) = patience.rests(&place, &of, Instant::now()) {
            return Err(self.unmergeable(Refusal::Resting { words, tries: MOST_TRIES }));
        }
        let carried_out = self.carry_out(seen, way).await;
        match &carried_out {
            Err(Error::Unmergeable { refusal: Refusal::Unknown(words), .. }) => {
                if patience.note(&place, (&of, words), Instant::now()) {
                    let refusal = Refusal::Resting { words: words.clone(), tries: MOST_TRIES };
                    return Err(self.unmergeable(refusal));
                }
            }
            Ok(_) => patience.forget(&place),
            Err(_) => {}
        }
        carried_out
    }

    async fn carry_out(&self, seen: &Look, way: Way) -> Result<Ordered, Error> {
        match way {
            Way::Enable => self.enable(seen).await,
            Way::Enqueue => self.enqueue(seen).await,
            Way::Merge => {
                let unlabelled = self.label(&seen.unlabelled).await?;
                Ok(Ordered { armed: self.merge().await?, unlabelled })
            }
            Way::Watch(missing) => {
                let unlabelled = self.label(&seen.unlabelled).await?;
                Ok(Ordered { armed: Armed::Watching(missing), unlabelled })
            }
            Way::Done(armed) => {
                let is_open = !matches!(armed, Armed::Merged(_));
                let labels = if is_open { seen.unlabelled.as_slice() } else { &[] };
                Ok(Ordered { armed, unlabelled: self.label(labels).await? })
            }
        }
    }

    /// `enablePullRequestAutoMerge`, which the forge itself refuses when the head is another one.
    async fn enable(&self, seen: &Look) -> Result<Ordered, Error> {
        let Answered { unlabelled, outcome } = self.order(seen, document::Order::Enable).await?;
        let armed = match outcome {
            Outcome::Shown(view) => self.read_back(&view)?,
            Outcome::Refused(message) => {
                let meaning = Meaning::of(&message);
                if meaning != Meaning::MergeNow {
                    return Err(self.refuse(meaning, message));
                }
                self.merge_if_clean(seen).await?
            }
            Outcome::Placed | Outcome::Nothing => return Err(self.nothing()),
        };
        Ok(Ordered { armed, unlabelled })
    }

    /// `enqueuePullRequest`, which the forge itself refuses when the head is another one, and while something is missing.
    async fn enqueue(&self, seen: &Look) -> Result<Ordered, Error> {
        let Answered { unlabelled, outcome } = self.order(seen, document::Order::Enqueue).await?;
        match outcome {
            Outcome::Placed => Ok(Ordered { armed: Armed::Queued, unlabelled }),
            Outcome::Shown(_) | Outcome::Nothing => Err(self.nothing()),
            Outcome::Refused(message) => {
                let meaning = Meaning::of(&message);
                if meaning != Meaning::Queued {
                    return Err(self.refuse(meaning, message));
                }
                Ok(Ordered { armed: Armed::Queued, unlabelled })
            }
        }
    }

    /// Sends an order, with the labels in the same document when the repository has them all.
    async fn order(&self, seen: &Look, order: document::Order) -> Result<Answered, Error> {
        let handles: Option<Vec<&str>> = seen.unlabelled.iter().map(|label| label.handle.as_deref()).collect();
        let (apart, handles) = match handles {
            Some(handles) => (None, handles),
            // A label that is to be made has no handle yet.
            None => (self.label(&seen.unlabelled).await?, Vec::new()),
        };
        let document = document::order(self.pull_request, self.order, (order, &handles));
        let reply = self.forge.client().ask(self.repository, document.with(&self.doing)).await?;
        let answered = document::answered(reply, order);
        Ok(Answered { unlabelled: apart.or(answered.unlabelled), ..answered })
    }

    /// Adds labels in a request of their own. That we may not is told, and keeps nothing from being merged.
    async fn label(&self, labels: &[Label]) -> Result<Option<String>, Error> {
        let names: Vec<String> = labels.iter().map(|label| label.name.clone()).collect();
        let (number, patience) = (self.pull_request.number, self.forge.patience());
        let place = format!("labels of {}{number}", self.repository);
        if let Some(why) = patience.rests(&place, &names.join("\n"), Instant::now()) {
            return Ok(Some(why));
        }
        match self.forge.add_labels(self.repository, number, &names).await {
            Ok(()) => Ok(None),
            Err(error) if error.fault() == Fault::Permanent => {
                let why = error.to_string();
                patience.note(&place, (&names.join("\n"), &why), Instant::now());
                Ok(Some(why))
            }
            Err(error) => Err(error),
        }
    }

    /// Believes an order only when the forge shows it: with a merge queue there may be no auto-merge to see.
    fn read_back(&self, view: &View) -> Result<Armed, Error> {
        let shown = read(view, &self.doing)?;
        match (shown.state, shown.auto_merge) {
            (PullRequestState::Merged(commit), _) => Ok(Armed::Merged(commit)),
            (PullRequestState::Closed, _) => Err(self.unmergeable(Refusal::WrongState)),
            (PullRequestState::Open, AutoMerge::Armed) if view.has_queue() => Ok(Armed::ForQueue),
            (PullRequestState::Open, AutoMerge::Armed) => Ok(Armed::Armed),
            (PullRequestState::Open, AutoMerge::Unqueued) => Ok(Armed::ForQueue),
            (PullRequestState::Open, AutoMerge::Queued) => Ok(Armed::Queued),
            (PullRequestState::Open, AutoMerge::Disarmed) => {
                Err(self.unmergeable(Refusal::Unknown("the forge took the order, but does not show it".to_owned())))
            }
        }
    }

    /// Merges by our own hand, but only what the forge itself calls clean and a check has looked at: a token that could
    /// merge more is no reason to.
    ///
    /// The forge takes an order with the head that was seen, but not with the base. An order that was given after a
    /// person chose another base is seen and taken back by the next look; a merge can not be taken back.
    async fn merge_if_clean(&self, seen: &Look) -> Result<Armed, Error> {
        if seen.is_clean() {
            return self.merge_as(merge_now(seen)).await;
        }
        let now = self.forge.look(self.repository, self.pull_request.number, &[]).await?;
        match self.judged(way(&now, self.order))? {
            Way::Done(armed) => Ok(armed),
            Way::Enable | Way::Enqueue | Way::Merge | Way::Watch(_) => self.merge_as(merge_now(&now)).await,
        }
    }

    async fn merge_as(&self, way: Result<Way, Blocked>) -> Result<Armed, Error> {
        self.judged(way)?;
        self.merge().await
    }

    /// `PUT /repos/{owner}/{repo}/pulls/{number}/merge` of exactly this head
    /// (<https://docs.github.com/en/rest/pulls/pulls#merge-a-pull-request>).
    async fn merge(&self) -> Result<Armed, Error> {
        let path = format!("/repos/{}/pulls/{}/merge", self.repository, self.pull_request.number.0);
        let body = json!({
            "sha": self.order.head.to_string(),
            "merge_method": self.order.method.as_str(),
            "commit_title": self.order.headline,
            "commit_message": self.order.body,
        });
        let request =
            Request::put(path, body, self.doing.clone()).needing("it needs Contents: write and Pull requests: write");
        let answer = self.forge.client().send(self.repository, &request).await?;
        match answer.status {
            200 => {
                let merged: Merged = answer.read(&request)?;
                let merge =
                    commit(&merged.sha).map_err(|why| Error::Misunderstood { doing: self.doing.clone(), why })?;
                Ok(Armed::Merged(Some(merge)))
            }
            // It was shown to us a moment ago: whoever may read but not merge is told that there is nothing.
            404 => Err(self.unmergeable(Refusal::Forbidden)),
            _ => {
                let message = answer.message();
                Err(self.refuse(Meaning::of(&message), message))
            }
        }
    }

    fn judged(&self, way: Result<Way, Blocked>) -> Result<Way, Error> {
        way.map_err(|blocked| match blocked {
            Blocked::Refused(refusal) => self.unmergeable(refusal),
            Blocked::Blind(why) => Error::Forbidden { doing: self.doing.clone(), why, needs: NEEDS_CHECKS },
        })
    }

    fn nothing(&self) -> Error {
        self.unmergeable(Refusal::Unknown("the forge answered the order with nothing".to_owned()))
    }

    fn refuse(&self, meaning: Meaning, message: String) -> Error {
        self.unmergeable(meaning.refusal(message, self.order.method, self.order.base))
    }

    fn unmergeable(&self, refusal: Refusal) -> Error {
        let number: Number = self.pull_request.number;
        Error::Unmergeable { repository: self.repository.clone(), number, refusal }
    }
}

/// Nothing to take back: it was never ordered, or it is merged or closed.
fn is_disarmed_already(message: &str) -> bool {
    let message = message.to_lowercase();
    ["can't disable auto-merge", "auto-merge is not enabled", "auto merge is not enabled", "is not in the merge queue"]
        .iter()
        .any(|text| message.contains(text))
}
