//! Amazon ECR through an API destination of Amazon EventBridge.
//!
//! The format: <https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html>. There is one event for each
//! tag, and one without a tag for each image of an index. The registry's host is not in it but follows from account and
//! region, which are checked first, as they would otherwise write a host of anybody's choice.

use domain::{announcement::Pushed, image::Host};

use super::{
    Declaration, Message, Parsed, Proof,
    credential::{Credential, Place},
    json::Object,
    names,
    reading::{self, Meaning},
    unusable::Unusable,
};

/// How ECR announces through EventBridge.
pub(super) const ECR: Declaration = Declaration {
    word: "ecr",
    place: "Amazon EventBridge > API destinations: endpoint, method POST; a rule for `ECR Image Action` has it as target",
    proof: Proof {
        credential: Credential::Secret(&[
            Place::Header("x-webhook-secret"),
            Place::Header("authorization"),
            Place::Basic,
        ]),
        hint: "the connection is an API key named X-Webhook-Secret whose value is one of the secrets",
    },
    signing: None,
    parse,
};

fn parse(message: &Message<'_>) -> Parsed {
    reading::identified(message.body, |event| pushed(event, message.registry))
}

/// What one event says, also for whoever else carries events of ECR.
pub(super) fn pushed(event: &Object<'_>, registry: Option<&Host>) -> Result<Meaning, Unusable> {
    if event.string("source")? != "aws.ecr" || event.string("detail-type")? != "ECR Image Action" {
        return Ok(Meaning::Unwanted);
    }
    let detail = event.object("detail")?;
    if detail.string("action-type")? != "PUSH" || detail.string("result")? != "SUCCESS" {
        return Ok(Meaning::Unwanted);
    }
    let tag = detail.optional_string("image-tag")?;
    let Some(tag) = names::tag("detail.image-tag", tag.as_deref())? else {
        return Ok(Meaning::Unwanted);
    };
    let host = match registry {
        Some(host) => host.clone(),
        None => host(&event.string("account")?, &event.string("region")?)?,
    };
    let repository = names::repository(host, "detail.repository-name", &detail.string("repository-name")?)?;
    Ok(Meaning::Pushed(Pushed {
        repository,
        tag,
        claimed_digest: names::digest(detail.hint("image-digest")),
        run: None,
    }))
}

/// The registry of an account in a region
/// (<https://docs.aws.amazon.com/AmazonECR/latest/userguide/Registries.html>).
pub(super) fn host(account: &str, region: &str) -> Result<Host, Unusable> {
    if account.len() != 12 || !account.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Unusable::not("account", "the 12 digits of an AWS account"));
    }
    if !is_region(region) {
        return Err(Unusable::not("region", "the name of an AWS region"));
    }
    let partition = if region.starts_with("cn-") { ".cn" } else { "" };
    let host = format!("{account}.dkr.ecr.{region}.amazonaws.com{partition}");
    host.parse().map_err(|_unhelpful| Unusable::not("region", "the name of an AWS region"))
}

/// As `us-gov-west-1`: two letters, words, a number.
pub(super) fn is_region(region: &str) -> bool {
    let parts: Vec<&str> = region.split('-').collect();
    let [country, words @ .., number] = parts.as_slice() else { return false };
    let is_word = |word: &&str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase());
    country.len() == 2
        && is_word(country)
        && !words.is_empty()
        && words.iter().all(is_word)
        && (1..=2).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_host_follows_from_account_and_region_and_from_nothing_else() {
        let host = |account, region| host(account, region).map(|host| host.to_string()).ok();
        let of = |region| host("123456789012", region);
        assert_eq!(of("us-west-2").as_deref(), Some("123456789012.dkr.ecr.us-west-2.amazonaws.com"));
        assert_eq!(of("us-gov-east-1").as_deref(), Some("123456789012.dkr.ecr.us-gov-east-1.amazonaws.com"));
        assert_eq!(of("cn-north-1").as_deref(), Some("123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn"));
        for region in ["", "us", "us-1", "us-west", "us-west-", "us-west-100", "US-west-1", "us-west-1.evil.example/"] {
            assert_eq!(of(region), None, "{region}");
        }
        for account in ["", "12345678901", "1234567890123", "12345678901x", "evil.example"] {
            assert_eq!(host(account, "us-west-2"), None, "{account}");
        }
    }
}
