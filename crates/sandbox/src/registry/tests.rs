//! The registry as clients meet it: over a socket.

#![expect(clippy::print_stderr, reason = "a test that can not run on this machine says so")]

mod announce;
mod converse;
mod skopeo;

use reqwest::{Client, Response, StatusCode};

use super::*;

/// A registry and a client that talks to it.
struct Scene {
    registry: SandboxRegistry,
    client: Client,
}

impl Scene {
    async fn new(options: Options) -> Self {
        Self { registry: SandboxRegistry::start(options).await.unwrap(), client: Client::new() }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.registry.host())
    }

    /// Sends a request and checks the status of the answer.
    async fn send(&self, method: &str, path: &str, body: &str, status: u16) -> Response {
        let method = method.parse().unwrap();
        let request = self.client.request(method, self.url(path));
        let response = request.body(body.to_owned()).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::from_u16(status).unwrap(), "{path}");
        response
    }

    /// Sends a request that is refused, and gives the code of the error.
    async fn refused(&self, method: &str, path: &str, body: &str, status: u16) -> String {
        let response = self.send(method, path, body, status).await;
        let error: serde_json::Value = response.json().await.unwrap();
        error["errors"][0]["code"].as_str().unwrap().to_owned()
    }
}

/// A header of an answer as text.
fn header<'a>(response: &'a Response, name: &str) -> &'a str {
    response.headers()[name].to_str().unwrap()
}

fn alice() -> User {
    User { name: "alice".to_owned(), password: "sesame".to_owned() }
}
