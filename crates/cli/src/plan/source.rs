//! What is planned for: a tag, or a saved body and whose it is.

use std::{
    collections::BTreeMap,
    ffi::OsStr,
    fs::File,
    io::{self, Read as _},
};

use anyhow::{Context as _, ensure};
use domain::announcement::{Announcement, Pushed};
use server::{
    Config,
    config::Reader,
    reading::{LARGEST_BODY, Said, read},
};
use store::Element;

use super::Arguments;
use crate::failure::Failure;

/// The header without which a body of GitHub says nothing.
const EVENT: &str = "x-github-event";

/// What is announced, and by whom.
#[derive(Debug)]
pub(super) struct Source {
    /// The sender's name; `None` for a tag of the command line.
    pub(super) sender: Option<String>,
    pub(super) said: Said,
}

impl Source {
    /// Takes the tag, or reads the body as its sender does.
    pub(super) fn read(arguments: &Arguments, config: &Config) -> anyhow::Result<Self> {
        if let Some(image) = &arguments.image {
            let (repository, tag) = (image.repository.clone(), image.tag.clone());
            let pushed = Pushed { repository, tag, claimed_digest: None, run: None };
            let said = Said { elements: vec![Element::Announced(Announcement::Pushed(pushed))], unwanted: 0 };
            return Ok(Self { sender: None, said });
        }
        let readers = config.readers()?;
        let mut sender = arguments.sender.as_deref().map(|name| named(&readers, name)).transpose()?;
        if sender.is_none() && readers.len() == 1 {
            sender = readers.iter().next();
        }
        let body = read_body(arguments.delivery.as_deref().unwrap_or(OsStr::new("-")))?;
        let (headers, watched) = (arguments.header_map(), config.watched()?);
        let said = |reader: &Reader| read(reader, &watched, &headers, &body);
        let Some((name, reader)) = sender else {
            return only_one_that_can(readers.iter().map(|(name, reader)| (name.as_str(), said(reader))));
        };
        if matches!(reader, Reader::GitHub) && !headers.contains_key(EVENT) {
            let sentence = format!("{name} says in a header what its body is: give --header 'X-GitHub-Event: …'");
            return Err(Failure::Usage(sentence).into());
        }
        Ok(Self { sender: Some(name.clone()), said: said(reader) })
    }
}

fn named<'a>(readers: &'a BTreeMap<String, Reader>, name: &str) -> Result<(&'a String, &'a Reader), Failure> {
    readers.get_key_value(name).ok_or_else(|| {
        let names: Vec<&str> = readers.keys().map(String::as_str).collect();
        let all = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        Failure::Usage(format!("the configuration has no sender {name}; it has {all}"))
    })
}

/// The only sender that understands the body.
fn only_one_that_can<'a>(all: impl Iterator<Item = (&'a str, Said)>) -> anyhow::Result<Source> {
    let is_announced = |element: &Element| matches!(element, Element::Announced(_));
    let mut able: Vec<(&str, Said)> = all.filter(|(_, said)| said.elements.iter().any(is_announced)).collect();
    match (able.pop(), able.as_slice()) {
        (Some((name, said)), []) => Ok(Source { sender: Some(name.to_owned()), said }),
        (None, _) => {
            Err(Failure::Usage("no sender can read the body as it is: name one with --sender".to_owned()).into())
        }
        (Some((last, _)), others) => {
            let names: Vec<&str> = others.iter().map(|(name, _)| *name).chain([last]).collect();
            let sentence = format!("several senders can read the body: name one of {} with --sender", names.join(", "));
            Err(Failure::Usage(sentence).into())
        }
    }
}

/// The bytes of a file or of standard input, no more than the service takes.
fn read_body(path: &OsStr) -> anyhow::Result<Vec<u8>> {
    let about = || format!("--delivery {}", path.display());
    let input: Box<dyn io::Read> =
        if path == "-" { Box::new(io::stdin()) } else { Box::new(File::open(path).with_context(about)?) };
    let mut body = Vec::new();
    let limit = u64::try_from(LARGEST_BODY).unwrap_or(u64::MAX);
    input.take(limit.saturating_add(1)).read_to_end(&mut body).with_context(about)?;
    ensure!(body.len() <= LARGEST_BODY, "{}: a delivery has at most {LARGEST_BODY} bytes", about());
    Ok(body)
}
