//! One event.

use std::borrow::Cow;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use domain::{announcement::Pushed, image::Host};
use percent_encoding::percent_decode;

use crate::webhook::{Head, ecr, json::Object, names, reading::Meaning, unusable::Unusable};

/// The types that say that an image was pushed.
const PUSHES: [&str; 2] = ["container.image.push", "com.amazon.ecr.image.push"];

/// An event with the attributes that every one has, and what else an announcement may be read from.
pub(super) struct Event<'a> {
    pub(super) id: Cow<'a, str>,
    pub(super) source: Cow<'a, str>,
    kind: Cow<'a, str>,
    subject: Option<Cow<'a, str>>,
    data: Data<'a>,
}

/// What an event carries.
enum Data<'a> {
    None,
    Json(Cow<'a, str>),
}

/// The image repository and the tag, and what names the registry.
struct Named<'a> {
    repository: Cow<'a, str>,
    tag: Option<Cow<'a, str>>,
}

impl<'a> Event<'a> {
    /// An event that is written in one object.
    pub(super) fn of_object(object: &Object<'a>) -> Result<Self, Unusable> {
        let required = |name: &str| match object.string(name) {
            Ok(text) if text.is_empty() => Err(Unusable::not(&object.path_of(name), "text")),
            other => other,
        };
        if required("specversion")? != "1.0" {
            return Err(Unusable::not("specversion", "1.0"));
        }
        let data = match (object.field("data")?, object.optional_string("data_base64")?) {
            (Some(json), _) => Data::Json(json.get().into()),
            (None, Some(encoded)) => Data::Json(decoded(&encoded)?.into()),
            (None, None) => Data::None,
        };
        Ok(Self {
            id: required("id")?,
            source: required("source")?,
            kind: required("type")?,
            subject: object.optional_string("subject")?,
            data,
        })
    }

    /// An event whose attributes are headers and whose data is the body.
    pub(super) fn of_head(head: &Head<'_>, body: &'a [u8]) -> Result<Self, Unusable> {
        let required =
            |name: &str| attribute(head, name)?.ok_or_else(|| Unusable::Missing(format!("the header {name}")));
        if required("ce-specversion")? != "1.0" {
            return Err(Unusable::not("the header ce-specversion", "1.0"));
        }
        Ok(Self {
            id: required("ce-id")?.into(),
            source: required("ce-source")?.into(),
            kind: required("ce-type")?.into(),
            subject: attribute(head, "ce-subject")?.map(Cow::Owned),
            data: Data::Json(crate::webhook::json::text(body)?.into()),
        })
    }

    /// What it says.
    pub(super) fn meaning(&self, registry: Option<&Host>) -> Result<Meaning, Unusable> {
        if !PUSHES.contains(&self.kind.as_ref()) {
            return Ok(Meaning::Unwanted);
        }
        let Data::Json(json) = &self.data else { return Err(Unusable::Missing("data".to_owned())) };
        let data = Object::of_part("data", json)?;
        let Named { repository, tag } = self.named(&data)?;
        let Some(tag) = names::tag("the tag", tag.as_deref())? else {
            return Ok(Meaning::Unwanted);
        };
        let host = match registry {
            Some(host) => host.clone(),
            None => self.host(&data)?,
        };
        let repository = names::repository(host, "the repository", &repository)?;
        let claimed_digest = names::digest(data.hint("imageDigest").or_else(|| data.hint("digest")));
        Ok(Meaning::Pushed(Pushed { repository, tag, claimed_digest, run: None }))
    }

    fn named<'e>(&'e self, data: &Object<'e>) -> Result<Named<'e>, Unusable> {
        let repository = either(data, "repositoryName", "repository")?;
        let tag = either(data, "imageTag", "tag")?;
        if repository.is_none() && tag.is_none() {
            // More than one colon may be a port's.
            let subject = self.subject.as_deref().and_then(|subject| subject.split_once(':'));
            let (repository, tag) = subject
                .filter(|(_, tag)| !tag.contains(':'))
                .ok_or(Unusable::Contradiction("neither data nor subject name one repository and one tag"))?;
            return Ok(Named { repository: repository.into(), tag: Some(tag.into()) });
        }
        let repository = repository.ok_or_else(|| Unusable::Missing(data.path_of("repository")))?;
        Ok(Named { repository, tag })
    }

    fn host(&self, data: &Object<'_>) -> Result<Host, Unusable> {
        if let Some(named) = either(data, "registryUrl", "registry")? {
            let host = names::host_of_url(&named).or_else(|| named.to_ascii_lowercase().parse().ok());
            return host.ok_or(Unusable::Registry("data.registryUrl"));
        }
        match self.source.split(':').collect::<Vec<_>>().as_slice() {
            ["urn" | "arn", "aws", "ecr", region, account, ..] => {
                let registry = data.optional_string("registryId")?;
                ecr::host(registry.as_deref().unwrap_or(account), region)
            }
            _ => Err(Unusable::Registry("data.registryUrl")),
        }
    }
}

/// The text in the first of two fields that is there.
fn either<'a>(data: &Object<'a>, one: &str, other: &str) -> Result<Option<Cow<'a, str>>, Unusable> {
    match data.optional_string(one)? {
        None => data.optional_string(other),
        found => Ok(found),
    }
}

fn decoded(encoded: &str) -> Result<String, Unusable> {
    let bytes = STANDARD.decode(encoded).map_err(|_unhelpful| Unusable::not("data_base64", "base64"))?;
    String::from_utf8(bytes).map_err(|_unhelpful| Unusable::not("data_base64", "UTF-8 text"))
}

/// The attribute in a header, decoded once (section 3.1.3.2 of the binding); `None` when it is absent or empty.
fn attribute(head: &Head<'_>, name: &str) -> Result<Option<String>, Unusable> {
    let mut lines = head.lines(name);
    let Some(line) = lines.next() else { return Ok(None) };
    if lines.next().is_some() {
        return Err(Unusable::Twice(format!("the header {name}")));
    }
    let decoded = percent_decode(line).decode_utf8();
    let text = decoded.map_err(|_unhelpful| Unusable::not(&format!("the header {name}"), "percent-encoded UTF-8"))?;
    Ok(Some(text.into_owned()).filter(|text| !text.is_empty()))
}
