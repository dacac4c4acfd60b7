//! Reading commits.

use chrono::{DateTime, Utc};

use super::{Bare, Error, Oid};

/// A commit as Git keeps it.
#[derive(Clone, Debug)]
pub(crate) struct CommitObject {
    pub(crate) oid: Oid,
    pub(crate) tree: Oid,
    pub(crate) parents: Vec<Oid>,
    pub(crate) author: Signature,
    pub(crate) committer: Signature,
    /// The whole message, without the newline at its end.
    pub(crate) message: String,
}

/// Who did something, and when.
#[derive(Clone, Debug)]
pub(crate) struct Signature {
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) when: DateTime<Utc>,
}

/// Fields end with the unit separator and commits with the record separator, which no message has.
const FORMAT: &str = "--format=%H%x1f%T%x1f%P%x1f%an%x1f%ae%x1f%at%x1f%cn%x1f%ce%x1f%ct%x1f%B%x1e";

impl Bare {
    /// One commit; `None` when the repository does not have it.
    pub(crate) fn commit(&self, oid: &Oid) -> Result<Option<CommitObject>, Error> {
        if self.resolve(oid.as_str())?.is_none() {
            return Ok(None);
        }
        Ok(self.log(&["-1", oid.as_str()])?.pop())
    }

    /// What `base..head` holds, oldest first.
    pub(crate) fn commits_between(&self, base: &Oid, head: &Oid) -> Result<Vec<CommitObject>, Error> {
        self.log(&["--reverse", "--topo-order", &format!("{base}..{head}")])
    }

    /// What leads to a commit, newest first.
    pub(crate) fn commits_to(&self, head: &Oid) -> Result<Vec<CommitObject>, Error> {
        self.log(&[head.as_str()])
    }

    fn log(&self, arguments: &[&str]) -> Result<Vec<CommitObject>, Error> {
        let mut all = vec!["--no-show-signature", FORMAT];
        all.extend(arguments);
        let printed = self.ask("log", &all)?;
        let records = printed.split('\u{1e}').map(str::trim_start);
        records.filter(|record| !record.is_empty()).map(parse).collect()
    }
}

impl CommitObject {
    /// The first line of the message.
    pub(crate) fn headline(&self) -> &str {
        self.message.lines().next().unwrap_or_default()
    }

    /// The message without its first line.
    pub(crate) fn body(&self) -> &str {
        self.message.split_once('\n').map_or("", |(_, body)| body.trim())
    }
}

fn parse(record: &str) -> Result<CommitObject, Error> {
    let unexpected = || Error::Unexpected { command: "log".to_owned(), answer: record.to_owned() };
    let mut fields = record.splitn(10, '\u{1f}');
    let mut next = || fields.next().ok_or_else(unexpected);
    let oid = |text: &str| text.parse::<Oid>().ok().ok_or_else(unexpected);
    Ok(CommitObject {
        oid: oid(next()?)?,
        tree: oid(next()?)?,
        parents: next()?.split_whitespace().map(oid).collect::<Result<_, _>>()?,
        author: signature(next()?, next()?, next()?),
        committer: signature(next()?, next()?, next()?),
        message: next()?.trim_end().to_owned(),
    })
}

fn signature(name: &str, email: &str, seconds: &str) -> Signature {
    let when = seconds.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
    Signature { name: name.to_owned(), email: email.to_owned(), when: when.unwrap_or_default() }
}
