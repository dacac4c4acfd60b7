//! As whom and how registries are asked.

use registry::{AwsSource, AzureSource, Credentials, GoogleSource};

use super::{Error, WHOLE, read, refusal};

fn with(settings: &str) -> String {
    WHOLE.replace(
        "{ plain_http: true, credentials: { username: u, password: { env: P } } }",
        &format!("{{ {settings} }}"),
    )
}

fn access(settings: &str) -> Result<registry::Access, Error> {
    let all = read(&with(settings)).unwrap().registries()?;
    Ok(all.into_values().next().unwrap())
}

#[test]
fn a_cloud_is_named_alone_or_with_what_differs() {
    let Credentials::Aws(aws) =
        access("credentials: { aws: { role_arn: r, token_file: /t, region: eu } }").unwrap().credentials
    else {
        panic!("a role was expected");
    };
    assert!(matches!(aws.source, AwsSource::WebIdentity { role_arn, .. } if role_arn == "r"));
    assert_eq!(aws.region.as_deref(), Some("eu"));
    let Credentials::Google(google) = access("credentials: { google: { external_account: /e } }").unwrap().credentials
    else {
        panic!("an account was expected");
    };
    assert_eq!(google.source, GoogleSource::ExternalAccount("/e".into()));
    let azure =
        "credentials: { azure: { tenant: t, client: c, token_file: /t, authority_url: 'https://login.example/' } }";
    let Credentials::Azure(azure) = access(azure).unwrap().credentials else { panic!("an identity was expected") };
    assert!(matches!(azure.source, AzureSource::WorkloadIdentity { tenant, .. } if tenant == "t"));
    let docker = access("credentials: { docker: /d/config.json }").unwrap().credentials;
    assert!(matches!(docker, Credentials::Docker { config } if config.ends_with("config.json")));
}

#[test]
fn what_is_no_credential_is_refused_without_repeating_it() {
    let forms = "credentials are docker, aws, google, azure, { docker: PATH }";
    for (settings, expected) in [
        ("credentials: hunter2", forms),
        ("credentials: {}", forms),
        ("credentials: { username: u }", forms),
        ("credentials: { username: u, password: { env: P }, docker: /d }", forms),
        ("credentials: { username: u, password: hunter2 }", "a secret is never written here"),
        ("credentials: { gcp: {} }", "unknown field `gcp`"),
        ("credentials: { aws: { role: r } }", "unknown field `role`"),
        ("credentials: { azure: { authority_url: x } }", "relative URL without a base"),
    ] {
        let said = refusal(&with(settings));
        assert!(said.contains(expected) && !said.contains("hunter2"), "{settings}: {said}");
    }
}

#[test]
fn an_identity_that_lacks_something_a_certificate_that_is_not_there_and_a_proxy_with_a_password_are_refused() {
    for (settings, expected) in [
        ("credentials: { azure: { token_file: /t } }", "credentials.azure needs tenant and client beside token_file"),
        ("ca: /nowhere.pem", "reading the certificates in /nowhere.pem (registries.registry.example:5000.ca)"),
        (
            "proxy: 'http://u:hunter2@proxy.example'",
            "registries.registry.example:5000.proxy: an address with a password",
        ),
    ] {
        let said = access(settings).unwrap_err().to_string();
        assert!(said.contains(expected) && !said.contains("hunter2"), "{settings}: {said}");
    }
    assert!(access("proxy: 'http://proxy.example:3128'").unwrap().proxy.is_some());
}

#[test]
fn a_mirror_needs_an_address_and_both_or_neither_of_a_user_and_a_password() {
    let mirrors = |git: &str| {
        let text = WHOLE.replace("branches: [main, release/1]", &format!("branches: [main], git: {{ {git} }}"));
        read(&text).unwrap().mirrors(std::path::Path::new("/data")).map(|all| all.len())
    };
    assert_eq!(mirrors("url: 'https://git.example/a/b.git'").unwrap(), 1);
    for (git, expected) in [
        ("url: 'https://git.example/a/b.git', username: u", "takes username and password, or neither"),
        (
            "url: 'https://u:hunter2@git.example/a/b.git'",
            "source.git.url is an address of http or https without a user",
        ),
        ("url: 'ssh://git.example/a/b.git'", "source.git.url is an address of http or https"),
    ] {
        let said = mirrors(git).unwrap_err().to_string();
        assert!(said.contains(expected) && !said.contains("hunter2"), "{git}: {said}");
    }
}
