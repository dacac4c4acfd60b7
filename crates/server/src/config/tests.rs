//! What the file takes, and how it says what it does not.

mod registries;
mod verify;

use std::io::Write as _;

use super::*;

const SMALLEST: &str = "
server: { listen: '127.0.0.1:0' }
store: { url: 'sqlite:///tmp/x.db' }
github: { token: { env: TOKEN } }
";

const WHOLE: &str = "
server: { listen: '127.0.0.1:8080', public_url: 'https://tagferry.example.com', data_dir: /data }
store: { url: 'sqlite:///data/tagferry.db' }
github:
  api_url: https://ghe.example.com/api/v3
  app: { id: 12345, private_key: { file: /etc/key.pem } }
  webhook_secrets: [{ env: HOOK }]
  poll_interval: 5m
api: { tokens: [{ name: ci, sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08, role: viewer }] }
senders:
  hub: { kind: distribution, secrets: { file: /etc/hook }, registry: 'registry.example:5000' }
registries:
  'registry.example:5000': { plain_http: true, credentials: { username: u, password: { env: P } } }
applications:
  mandelbrot:
    source: { repository: acme/mandelbrot, branches: [main, release/1] }
    gitops: { repository: acme/trinity, base: main }
    image: mandelbrot
    tag: 'sha-{commit}'
    targets:
      aws: { repository: 'registry.example:5000/aws/mandelbrot', overlay: apps/mandelbrot/overlays/aws }
    release: { wait_for: all, deadline: 10m, pin_digest: true }
    verify: { branch: required, immutable: off }
    pull_request: { auto_merge: rebase, labels: [release] }
";

fn read(text: &str) -> Result<Config, Error> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    Config::read(file.path())
}

/// The sentence that a configuration is refused with, without the file's name.
fn refusal(text: &str) -> String {
    match read(text) {
        Err(Error::Invalid { why, .. }) => why,
        other => panic!("not refused for what is in it: {other:?}"),
    }
}

fn with_secret(text: &str) -> SecretSource {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    SecretSource::File(file.into_temp_path().keep().unwrap())
}

#[test]
fn senders_registries_and_applications_may_be_left_out() {
    let config = read(SMALLEST).unwrap();
    assert!(config.applications().unwrap().is_empty());
    assert!(config.registries().unwrap().is_empty());
    assert!(config.senders().unwrap().is_empty());
    assert_eq!(config.github.api_url.as_str(), "https://api.github.com/");
}

#[test]
fn a_whole_configuration_becomes_an_application() {
    let config = read(WHOLE).unwrap();
    let applications = config.applications().unwrap();
    let [application] = applications.as_slice() else { panic!("one application was expected") };
    assert_eq!(application.source.branches.len(), 2);
    assert_eq!(application.release.deadline, Duration::from_secs(600));
    assert_eq!(application.release.pin, domain::application::Pin::TagAndDigest);
    assert_eq!(application.verify.immutable, domain::application::Demand::Off);
    assert_eq!(application.pull_request.merge_method, domain::forge::MergeMethod::Rebase);
    assert_eq!(config.github.poll_interval, Duration::from_secs(300));
}

#[test]
fn the_example_in_the_tree_is_good() {
    let example = include_str!("../../../../config/tagferry.example.yaml");
    let applications = read(example).unwrap().applications().unwrap();
    let [application] = applications.as_slice() else { panic!("one application was expected") };
    let targets: Vec<&str> = application.targets().iter().map(|target| target.name.as_str()).collect();
    assert_eq!(targets, ["aws", "gcp", "azure"], "targets stand in the order of the file");
    // What is commented out is right as well.
    let other = example
        .replace("  # token:", "  token:")
        .replace("  # git_url:", "  git_url:")
        .replace("  # author:", "  author:")
        .replace("  # signing:", "  signing:")
        .replace("# plain_http", "plain_http");
    let other: Vec<String> = other
        .lines()
        .map(|line| if line.contains(": { kind: ") { line.replacen("# ", "", 1) } else { line.to_owned() })
        .collect();
    let other = read(&other.join("\n")).unwrap();
    assert!(other.github.git_url.is_some() && other.github.author.is_some() && other.github.signing.is_some());
    let kinds: Vec<SenderKind> = other.senders.values().map(|sender| sender.kind).collect();
    let all = registry::webhook::Kind::ALL.map(SenderKind::Registry);
    for kind in all.into_iter().chain([SenderKind::GitHub]) {
        assert!(kinds.contains(&kind), "the example has no sender of kind {kind}");
    }
}

#[test]
fn releases_are_written_by_git_or_by_the_api_and_signed_only_by_one_of_us() {
    let github = |more: &str| {
        let text = SMALLEST.replace("github: {", &format!("github: {{ {more},"));
        assert!(text.contains(more), "{text}");
        read(&text).unwrap().github
    };
    assert!(matches!(read(SMALLEST).unwrap().github.write(), Ok(forge::Write::Git(None))));
    assert!(matches!(github("write: git").write(), Ok(forge::Write::Git(None))));
    assert!(matches!(github("write: api").write(), Ok(forge::Write::Api)));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "a key").unwrap();
    let signing = format!("signing: {{ format: ssh, key: {{ file: '{}' }} }}", file.path().display());
    assert!(matches!(github(&signing).write(), Ok(forge::Write::Git(Some(forge::Signing::Ssh(_))))));
    let both = github(&format!("write: api, {signing}")).write().unwrap_err();
    assert_eq!(
        both.to_string(),
        "github.signing goes with github.write: git; with api GitHub signs the commits itself"
    );
    let gone = github("signing: { format: ssh, key: { file: /nonexistent/key } }").write().unwrap_err();
    assert_eq!(gone.to_string(), "github.signing.key");
    assert_eq!(github("write: git").author(), forge::Author::default());
    let author = github("author: { name: Release Bot, email: bot@example.com }").author();
    assert_eq!((author.name.as_str(), author.email.as_str()), ("Release Bot", "bot@example.com"));
}

#[test]
fn a_mistake_is_reported_with_its_line_and_column() {
    for (right, wrong, expected) in [
        ("deadline: 10m", "deadline: soon", "\"soon\" is not a duration like 30m"),
        ("deadline: 10m", "deadline: 0s", "a duration is longer than nothing"),
        ("deadline: 10m", "dedline: 10m", "unknown field `dedline`, expected one of"),
        ("tag: 'sha-{commit}'", "tag: latest", "a tag pattern contains {commit} exactly once"),
        ("acme/trinity", "trinity", "a repository is written owner/name"),
        ("overlays/aws", "../aws", "an overlay is a directory inside the repository"),
        ("  mandelbrot:", "  Mandelbrot:", "a name is 1 to 63 lower-case letters"),
        ("branches: [main, release/1]", "branches: ['a b']", "not a branch name"),
        ("branches: [main, release/1]", "branches: ['a..*']", "not a branch name that Git accepts, nor a pattern"),
        (
            "kind: distribution",
            "kind: carrier-pigeon",
            "\"carrier-pigeon\": no kind of sender; there are distribution, docker-hub",
        ),
        ("secrets: { file: /etc/hook }", "secrets: hunter2", "{ env: NAME } or { file: PATH }"),
        ("immutable: off", "immutable: maybe", "evidence is either required or off"),
        ("auto_merge: rebase", "auto_merge: force", "pull requests are merged by merge, squash or rebase"),
        ("9f86d081", "9f86", "sha256 is 64 hexadecimal digits"),
        ("  poll_interval: 5m", "  write: ftp", "unknown variant `ftp`, expected `git` or `api`"),
        ("  poll_interval: 5m", "  author: { name: 'A <b>', email: c }", "text without < and > was expected"),
        (
            "  poll_interval: 5m",
            "  signing: { format: openpgp, key: { env: K } }",
            "unknown variant `openpgp`, expected `ssh`",
        ),
        ("image: mandelbrot", "image: 'mandel.*'", "\"mandel.*\""),
    ] {
        assert!(WHOLE.contains(right), "{right} is not in the sample");
        let why = refusal(&WHOLE.replace(right, wrong));
        assert!(why.contains(expected), "{wrong}: {why}");
        assert!(why.contains(" at line "), "{wrong}: {why}");
    }
}

/// What nobody may read in a log, in the forms that YAML has for it.
const SECRETS: [&str; 9] = [
    "hunter2",
    "'Bearer hunter2, expected struct x'",
    "20000000000000000000000000000000000002",
    "-20000000000000000000000000000000000002",
    "2.5e2",
    "true",
    "[hunter2]",
    "{ hunter2: ~ }",
    "\"-----BEGIN RSA PRIVATE KEY-----\\nhunter2\\n\"",
];

#[test]
fn a_secret_that_is_written_in_the_file_is_refused_by_the_name_of_its_setting_and_never_repeated() {
    const TOKEN: &str = "github.token: ";
    for (right, setting) in [
        ("private_key: { file: /etc/key.pem }", "github.app.private_key: "),
        ("webhook_secrets: [{ env: HOOK }]", "github.webhook_secrets"),
        ("secrets: { file: /etc/hook }", "senders.hub.secrets"),
        ("password: { env: P }", "registries.registry.example:5000.credentials.password: "),
        ("app: { id: 12345, private_key: { file: /etc/key.pem } }", TOKEN),
    ] {
        assert!(WHOLE.contains(right), "{right}");
        for secret in SECRETS {
            let key = if setting == TOKEN { "token" } else { right.split(':').next().unwrap_or_default() };
            for place in [secret.to_owned(), format!("{{ env: {secret} }}"), format!("{{ value: {secret} }}")] {
                // A name, as far as anybody can tell.
                if place == "{ env: hunter2 }" || place == "{ env: true }" {
                    continue;
                }
                let why = refusal(&WHOLE.replace(right, &format!("{key}: {place}")));
                assert!(why.starts_with(setting), "{key}: {place}: {why}");
                assert!(why.contains("say where it is, as { env: NAME } or { file: PATH }"), "{place}: {why}");
                assert!(why.contains(" at line "), "{place}: {why}");
                for part in ["hunter2", "0000", "250", "2.5", "true", "BEGIN"] {
                    assert!(!why.contains(part), "{place}: {why}");
                }
            }
        }
    }
}

#[test]
fn a_secret_in_the_place_of_a_name_or_a_line_too_high_is_not_repeated_either() {
    for (right, wrong, expected) in [
        (
            "credentials: { username: u, password: { env: P } }",
            "credentials: 'u:hunter2'",
            "credentials: credentials are docker, aws, google, azure, ",
        ),
        (
            "credentials: { username: u, password: { env: P } }",
            "credentials: 2000000000002",
            "credentials: invalid type: integer, expected a text or a map",
        ),
        (
            "app: { id: 12345, private_key: { file: /etc/key.pem } }",
            "app: hunter2",
            "github.app: invalid type: string, expected struct",
        ),
        (
            "https://ghe.example.com/api/v3",
            "https://u:hunter2@ghe.example.com:99999",
            "\"…@ghe.example.com:99999\": invalid port number",
        ),
        (
            "repository: acme/trinity",
            "repository: 'https://u:hunter2@github.com/acme/trinity'",
            "\"…@github.com/acme/trinity\": a repository",
        ),
        ("  'registry.example:5000':", "  'u:hunter2@registry.example':", "\"…@registry.example\": "),
        ("url: 'sqlite:///data/tagferry.db'", "url: ['postgres://u:hunter2@db']", "store.url: invalid type: sequence"),
        ("sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "sha256: hunter2", "sha256 is 64"),
    ] {
        assert!(WHOLE.contains(right), "{right} is not in the sample");
        let why = refusal(&WHOLE.replace(right, wrong));
        assert!(why.contains(expected), "{wrong}: {why}");
        assert!(!why.contains("hunter2") && !why.contains("0002"), "{wrong}: {why}");
    }
    let missing = SecretSource::Environment("ghp_hunter2".to_owned()).read().unwrap_err();
    assert_eq!(missing.to_string(), "the environment has no variable of that name with text in it");
}

#[test]
fn the_place_of_a_secret_is_one_variable_or_one_file() {
    for place in [
        "{}",
        "~",
        "{ env: A, file: /b }",
        "{ env: A, env: B }",
        "{ env: A, [x]: y }",
        "{ env: A, ? , }",
        "{ env: }",
        "{ env: A B }",
        "{ env: 1A }",
        "{ file: '' }",
        "{ file: [a] }",
        "[]",
        "[{ env: A }]",
        "!secret A",
    ] {
        let why = refusal(&WHOLE.replace("{ file: /etc/key.pem }", place));
        assert!(why.contains("github.app.private_key: a secret is never written here"), "{place}: {why}");
    }
}

#[test]
fn the_places_of_secrets_are_one_or_a_list() {
    let sources = |written: &str| {
        let text = WHOLE.replace("webhook_secrets: [{ env: HOOK }]", &format!("webhook_secrets: {written}"));
        read(&text).unwrap().github.webhook_secrets.to_vec()
    };
    let (variable, file) = (SecretSource::Environment("A_1".to_owned()), SecretSource::File("/b c".into()));
    assert_eq!(sources("{ env: A_1 }"), std::slice::from_ref(&variable));
    assert_eq!(sources("[{ env: A_1 }, { file: /b c }]"), [variable, file]);
    assert_eq!(sources("[]"), []);
}

#[test]
fn a_key_that_stands_twice_is_refused() {
    let twice = WHOLE.replace("release: {", "release: { deadline: 1m, ");
    assert!(refusal(&twice).contains("duplicate field `deadline`"), "{}", refusal(&twice));
    let hosts = WHOLE.replace("senders:\n", "senders:\n  hub: { kind: distribution, secrets: { env: X } }\n");
    assert!(refusal(&hosts).contains("\"hub\" stands here twice"), "{}", refusal(&hosts));
}

#[test]
fn an_application_needs_a_target_and_a_branch() {
    let without = |right: &str, wrong: &str| {
        let error = read(&WHOLE.replace(right, wrong)).unwrap().applications().unwrap_err();
        format!("{error}: {}", std::error::Error::source(&error).unwrap())
    };
    assert_eq!(
        without("branches: [main, release/1]", "branches: []"),
        "applications.mandelbrot: source.branches is empty: name at least one branch that releases come from"
    );
    let target =
        "      aws: { repository: 'registry.example:5000/aws/mandelbrot', overlay: apps/mandelbrot/overlays/aws }\n";
    let other = target.replace("aws:", "gcp:");
    assert_eq!(
        without(target, &format!("{target}{other}")),
        "applications.mandelbrot: two targets have the overlay apps/mandelbrot/overlays/aws"
    );
}

#[test]
fn a_secret_is_read_without_the_white_space_at_its_end() {
    use secrecy::ExposeSecret as _;
    assert_eq!(with_secret("hunter2\n").read().unwrap().expose_secret(), "hunter2");
}

#[test]
fn a_secret_that_is_empty_or_missing_is_refused_by_the_name_of_its_setting() {
    let empty = with_secret("\n").read_for("senders.hub.secrets").unwrap_err();
    assert_eq!(empty.to_string(), "senders.hub.secrets");
    assert!(std::error::Error::source(&empty).unwrap().to_string().contains("is empty"));
    let missing = SecretSource::Environment("TAGFERRY_NO_SUCH_VARIABLE".to_owned());
    assert!(matches!(missing.read(), Err(SecretUnavailable::NoVariable(_))));
    let none = read(&SMALLEST.replace("}\ngithub", "}\nsenders: { hub: { kind: distribution, secrets: [] } }\ngithub"));
    assert!(matches!(none.unwrap().senders(), Err(Error::Secret { source: SecretUnavailable::None, .. })));
}

#[test]
fn the_limits_of_the_forge_are_githubs_unless_others_are_set() {
    let usual = read(SMALLEST).unwrap().github.limits;
    assert_eq!(forge::Spending::from(usual), forge::Spending::default());
    let set =
        SMALLEST.replace("{ env: TOKEN } }", "{ env: TOKEN }, limits: { kept_for_merging: 25, changes_per_hour: 9 } }");
    let spending = forge::Spending::from(read(&set).unwrap().github.limits);
    assert_eq!((spending.kept_percent, spending.changes_per_minute, spending.changes_per_hour), (25, 80, 9));
    assert!(read(&set.replace("changes_per_hour: 9", "changes_per_hour: 0")).is_err());
}

#[test]
fn the_forge_is_reached_by_an_app_or_a_token() {
    let neither = read(&SMALLEST.replace("{ token: { env: TOKEN } }", "{}")).unwrap();
    assert_eq!(neither.github.credentials().unwrap_err().to_string(), "github needs either app or token");
    let both = WHOLE.replace("webhook_secrets", "token: { env: T }\n  webhook_secrets");
    assert_eq!(
        read(&both).unwrap().github.credentials().unwrap_err().to_string(),
        "github takes app or token, not both"
    );
}
