//! A good request of each kind, to be made wrong by the tests.

use std::sync::OnceLock;

use chrono::{DateTime, Utc};
use hmac::{Hmac, Mac as _};
use http::{HeaderMap, HeaderName, HeaderValue};
use registry::webhook::{
    Head, Kind, Options, Parsed, PubSub, PubSubSettings, Refused, Secrets, Sender, Topic, TopicSettings, Trust,
};
use sandbox::senders::{Google, Sns};
use serde_json::Value;
use sha1::Sha1;
use sha2::Sha256;

/// The secrets of every sender here: the second is the one that is rotated in.
pub(crate) const SECRETS: [&str; 2] = ["Bearer-old-4f1d", "Bearer-new-9c27"];

/// Where a kind has its credential.
#[derive(Clone, Copy, Debug)]
pub(crate) enum How {
    /// The secret in a header, behind this.
    Header(&'static str, &'static str),
    /// The secret in a parameter of the address.
    Query(&'static str),
    /// An HMAC in a header, behind this.
    Sha1(&'static str, &'static str),
    /// The same with the better hash function.
    Sha256(&'static str, &'static str),
    /// An identity token of Google's, behind `Bearer`.
    Token,
    /// A signature of Amazon SNS, in the body.
    Certificate,
}

/// What the tokens of the tests are made for, and whose they are.
pub(crate) const AUDIENCE: &str = "https://tagferry.example/v1/hooks/gar";
pub(crate) const ACCOUNT: &str = "tagferry-push@acme-prod.iam.gserviceaccount.com";

/// The topic of the tests.
pub(crate) const TOPIC: &str = "arn:aws:sns:eu-central-1:210987654321:ecr-push";

/// What all tests share: those who sign, and what lets a test wait for them.
pub(crate) struct World {
    pub(crate) runtime: tokio::runtime::Runtime,
    pub(crate) google: Google,
    pub(crate) sns: Sns,
}

pub(crate) fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let google = runtime.block_on(Google::start()).unwrap();
        let sns = runtime.block_on(Sns::start(TOPIC)).unwrap();
        World { runtime, google, sns }
    })
}

/// When everything happens.
pub(crate) fn now() -> DateTime<Utc> {
    "2026-07-01T12:01:00Z".parse().unwrap()
}

/// A kind with what makes a good request of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Known {
    pub(crate) kind: Kind,
    pub(crate) how: How,
    pub(crate) signing: bool,
    /// The host that is configured, where one must be.
    pub(crate) registry: Option<&'static str>,
    /// The file of `tests/fixtures`, without its ending.
    pub(crate) fixture: &'static str,
    /// Headers that the kind is read by.
    pub(crate) headers: &'static [(&'static str, &'static str)],
}

/// A request to be received.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) headers: HeaderMap,
    pub(crate) query: Option<String>,
    pub(crate) body: Vec<u8>,
}

const fn known(kind: Kind, how: How, fixture: &'static str) -> Known {
    Known { kind, how, signing: false, registry: None, fixture, headers: &[] }
}

const AUTHORIZATION: How = How::Header("authorization", "");

pub(crate) const DISTRIBUTION: Known = known(Kind::Distribution, AUTHORIZATION, "distribution-v2-push");
pub(crate) const DOCKER_HUB: Known = known(Kind::DockerHub, How::Query("secret"), "docker-hub-push");
pub(crate) const GHCR: Known = Known {
    headers: &[("x-github-event", "package"), ("x-github-delivery", "6a1f0d0e-1111-4e5c-8a55-0c1b2a3d4e5f")],
    ..known(Kind::Ghcr, How::Sha256("x-hub-signature-256", "sha256="), "ghcr-push")
};
pub(crate) const ECR: Known = known(Kind::Ecr, How::Header("x-webhook-secret", ""), "ecr-push");
pub(crate) const ECR_SNS: Known = known(Kind::EcrSns, How::Certificate, "ecr-sns-push");
pub(crate) const ARTIFACT_REGISTRY: Known = known(Kind::ArtifactRegistry, How::Token, "artifact-registry-push");
pub(crate) const ARTIFACT_REGISTRY_UNWRAPPED: Known = Known {
    headers: &[("x-goog-pubsub-message-id", "11894027355410723")],
    ..known(Kind::ArtifactRegistry, How::Token, "artifact-registry-insert")
};
pub(crate) const ACR_EVENT_GRID: Known = Known {
    headers: &[("content-type", "application/json; charset=utf-8"), ("aeg-event-type", "Notification")],
    ..known(Kind::AcrEventGrid, How::Query("secret"), "acr-event-grid-push")
};
pub(crate) const ACR_EVENT_GRID_CLOUDEVENTS: Known = Known {
    headers: &[("content-type", "application/cloudevents+json; charset=utf-8")],
    ..known(Kind::AcrEventGrid, How::Query("code"), "acr-event-grid-push-cloudevent")
};
pub(crate) const ACR: Known = known(Kind::Acr, AUTHORIZATION, "acr-push");
pub(crate) const HARBOR: Known = known(Kind::Harbor, AUTHORIZATION, "harbor-push");
pub(crate) const HARBOR_CLOUDEVENTS: Known = Known {
    headers: &[("content-type", "application/cloudevents+json")],
    ..known(Kind::Harbor, AUTHORIZATION, "harbor-push-cloudevent")
};
pub(crate) const QUAY: Known = known(Kind::Quay, How::Query("secret"), "quay-push");
pub(crate) const GITLAB: Known = known(Kind::GitLab, AUTHORIZATION, "gitlab-push");
pub(crate) const GITEA: Known = Known {
    headers: &[("x-gitea-event", "package"), ("x-gitea-delivery", "f0a1f0d0-2222-4e5c-8a55-0c1b2a3d4e5f")],
    ..known(Kind::Gitea, How::Sha256("x-gitea-signature", ""), "gitea-push")
};
pub(crate) const FORGEJO: Known = Known {
    headers: &[("x-forgejo-event", "package"), ("x-forgejo-delivery", "f0a1f0d0-3333-4e5c-8a55-0c1b2a3d4e5f")],
    ..known(Kind::Gitea, How::Sha256("x-forgejo-signature", ""), "gitea-push")
};
pub(crate) const JFROG: Known = known(Kind::JFrog, How::Header("x-jfrog-event-auth", ""), "jfrog-push");
pub(crate) const JFROG_SIGNING: Known =
    Known { signing: true, ..known(Kind::JFrog, How::Sha256("x-jfrog-event-auth", ""), "jfrog-push") };
pub(crate) const NEXUS: Known = Known {
    registry: Some("nexus.example:8083"),
    headers: &[
        ("x-nexus-webhook-id", "rm:repository:component"),
        ("x-nexus-webhook-delivery", "0d5f0d0e-4444-4e5c-8a55-0c1b2a3d4e5f"),
    ],
    ..known(Kind::Nexus, How::Sha1("x-nexus-webhook-signature", ""), "nexus-push")
};
pub(crate) const ALIYUN: Known = known(Kind::Aliyun, How::Query("secret"), "aliyun-push");
pub(crate) const CLOUDEVENTS: Known = Known {
    headers: &[("content-type", "application/cloudevents+json; charset=utf-8")],
    ..known(Kind::CloudEvents, How::Header("authorization", "Bearer "), "cloudevents-push")
};
pub(crate) const CLOUDEVENTS_SIGNING: Known =
    Known { signing: true, how: How::Sha256("x-hub-signature-256", "sha256="), ..CLOUDEVENTS };

/// Every kind in each of its ways to prove itself.
pub(crate) const ALL: [Known; 31] = [
    DISTRIBUTION,
    DOCKER_HUB,
    Known { how: How::Query("token"), ..DOCKER_HUB },
    GHCR,
    ECR,
    Known { how: AUTHORIZATION, ..ECR },
    ECR_SNS,
    ARTIFACT_REGISTRY,
    ARTIFACT_REGISTRY_UNWRAPPED,
    ACR_EVENT_GRID,
    ACR_EVENT_GRID_CLOUDEVENTS,
    Known { how: How::Header("x-webhook-secret", ""), ..ACR_EVENT_GRID },
    Known { how: AUTHORIZATION, ..ACR_EVENT_GRID },
    Known { how: How::Header("authorization", "Bearer "), ..ACR_EVENT_GRID_CLOUDEVENTS },
    ACR,
    Known { how: How::Query("secret"), ..ACR },
    HARBOR,
    HARBOR_CLOUDEVENTS,
    QUAY,
    GITLAB,
    Known { how: How::Header("x-gitlab-token", ""), ..GITLAB },
    GITEA,
    FORGEJO,
    JFROG,
    JFROG_SIGNING,
    NEXUS,
    ALIYUN,
    CLOUDEVENTS,
    Known { how: How::Header("x-webhook-secret", ""), ..CLOUDEVENTS },
    Known { how: How::Query("access_token"), ..CLOUDEVENTS },
    CLOUDEVENTS_SIGNING,
];

impl Known {
    pub(crate) fn options(&self) -> Options {
        let registry = self.registry.map(|host| host.parse().unwrap());
        Options { registry, signing: self.signing, ..Options::default() }
    }

    pub(crate) fn sender(&self) -> Sender {
        self.sender_with(self.options())
    }

    pub(crate) fn sender_with(&self, options: Options) -> Sender {
        Sender::new(self.kind, self.trust(), options).unwrap()
    }

    /// What the kind is known by.
    pub(crate) fn trust(&self) -> Trust {
        match self.how {
            How::Token => PubSub::new(self.pub_sub()).unwrap().into(),
            How::Certificate => Topic::new(self.topic()).unwrap().into(),
            How::Header(..) | How::Query(_) | How::Sha1(..) | How::Sha256(..) => {
                Secrets::new(SECRETS.map(Into::into).to_vec()).unwrap().into()
            }
        }
    }

    pub(crate) fn pub_sub(&self) -> PubSubSettings {
        PubSubSettings {
            audience: AUDIENCE.to_owned(),
            service_account: ACCOUNT.to_owned(),
            subscription: None,
            keys_url: Some(world().google.keys_url().parse().unwrap()),
        }
    }

    pub(crate) fn topic(&self) -> TopicSettings {
        TopicSettings {
            arn: TOPIC.parse().unwrap(),
            allow_sha1: false,
            endpoint: Some(world().sns.endpoint().parse().unwrap()),
        }
    }

    pub(crate) fn body(&self) -> Vec<u8> {
        let path = format!("{}/tests/fixtures/{}.json", env!("CARGO_MANIFEST_DIR"), self.fixture);
        std::fs::read(&path).unwrap()
    }

    /// The body with other values in some places.
    pub(crate) fn edited(&self, edits: &[(&str, Value)]) -> Vec<u8> {
        let mut body: Value = serde_json::from_slice(&self.body()).unwrap();
        for (place, value) in edits {
            *body.pointer_mut(place).unwrap() = value.clone();
        }
        body.to_string().into_bytes()
    }

    /// A request with this body, whose credential is made with that secret.
    pub(crate) fn request(&self, secret: &str, body: Vec<u8>) -> Request {
        let mut request = Request { headers: HeaderMap::new(), query: None, body };
        for (name, value) in self.headers {
            request.headers.append(*name, HeaderValue::from_static(value));
        }
        match self.how {
            How::Header(name, before) => request.append(name, &format!("{before}{secret}")),
            How::Query(name) => request.query = Some(format!("{name}={secret}")),
            How::Sha1(name, before) => {
                let mac = Hmac::<Sha1>::new_from_slice(secret.as_bytes()).unwrap().chain_update(&request.body);
                request.append(name, &format!("{before}{}", hex::encode(mac.finalize().into_bytes())));
            }
            How::Sha256(name, before) => {
                let mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(&request.body);
                request.append(name, &format!("{before}{}", hex::encode(mac.finalize().into_bytes())));
            }
            How::Token => {
                let claims = Google::claims(AUDIENCE, ACCOUNT, now());
                let google = &world().google;
                let token = match secret {
                    old if old == SECRETS[0] => google.sign(&claims),
                    new if new == SECRETS[1] => google.sign_with_new_key(&claims),
                    _ => google.forge(&claims),
                };
                request.append("authorization", &format!("Bearer {}", token.unwrap()));
            }
            How::Certificate => {
                if let Ok(mut message) = serde_json::from_slice::<Value>(&request.body) {
                    message["SignatureVersion"] = "2".into();
                    let signed = world().sns.sign(&message).unwrap();
                    let is_good = SECRETS.contains(&secret);
                    // Another message's signature.
                    let other =
                        if is_good { signed } else { signed.replace("\"Type\":", "\"Subject\":\"s\",\"Type\":") };
                    request.body = other.into_bytes();
                }
            }
        }
        request
    }

    /// The header that has the credential, and what stands before it there.
    pub(crate) const fn header(&self) -> Option<(&'static str, &'static str)> {
        match self.how {
            How::Header(name, before) | How::Sha1(name, before) | How::Sha256(name, before) => Some((name, before)),
            How::Token => Some(("authorization", "Bearer ")),
            How::Query(_) | How::Certificate => None,
        }
    }

    /// Whether the body is signed.
    pub(crate) const fn is_signed(&self) -> bool {
        matches!(self.how, How::Sha1(..) | How::Sha256(..))
    }
}

impl Request {
    pub(crate) fn append(&mut self, name: &'static str, value: &str) {
        self.headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }

    /// Receives it as the server would.
    pub(crate) fn to(&self, sender: &Sender) -> Result<Parsed, Refused> {
        self.to_at(sender, now())
    }

    /// The same at another time.
    pub(crate) fn to_at(&self, sender: &Sender, now: DateTime<Utc>) -> Result<Parsed, Refused> {
        let head = Head { headers: &self.headers, query: self.query.as_deref() };
        world().runtime.block_on(async {
            let admitted = sender.admit(&head, now).await?;
            let verified = admitted.vouch_for(&self.body, now).await?;
            Ok(sender.parse(&verified, &head))
        })
    }
}
