//! A service of somebody else on loopback: it answers what it is told to, and remembers what it was asked.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use anyhow::{Context as _, Result};
use reqwest::Url;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A request that came.
#[derive(Clone, Debug)]
pub struct Asked {
    /// `GET /path?query`
    pub line: String,
    /// By names in lower case.
    pub headers: BTreeMap<String, String>,
    /// What was sent with it.
    pub body: String,
}

/// What a service says.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    headers: String,
    body: String,
}

/// A service; it ends with the test.
#[derive(Debug)]
pub struct Service {
    /// Where it is.
    pub url: Url,
    asked: Arc<Mutex<Vec<Asked>>>,
    serving: JoinHandle<()>,
}

impl Service {
    /// One that gives these answers, one after the other: a status and a body; the last one again and again.
    ///
    /// # Errors
    ///
    /// There is no port for it.
    pub async fn answering(answers: &[(u16, &str)]) -> Result<Self> {
        Self::saying(answers.iter().map(|(status, body)| Answer::new(*status, body)).collect()).await
    }

    /// One that gives these answers, one after the other; the last one again and again.
    ///
    /// # Errors
    ///
    /// There is no port for it.
    pub async fn saying(answers: Vec<Answer>) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/", listener.local_addr()?).parse()?;
        let asked = Arc::new(Mutex::new(Vec::new()));
        let mut answers = VecDeque::from(answers);
        let log = Arc::clone(&asked);
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
                let Some(answer) = answer else { return };
                if let Ok(request) = answer_one(stream, answer).await {
                    log.lock().unwrap_or_else(PoisonError::into_inner).push(request);
                }
            }
        });
        Ok(Self { url, asked, serving })
    }

    /// What it was asked so far.
    #[must_use]
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Answer {
    /// One with a status and a body.
    #[must_use]
    pub fn new(status: u16, body: &str) -> Self {
        Self { status, headers: String::new(), body: body.to_owned() }
    }

    /// With a header besides.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.extend([name, ": ", value, "\r\n"]);
        self
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Asked {
    /// A field of the form in its body.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        // A form is written as a query is.
        let url = Url::parse(&format!("http://form.example/?{}", self.body)).ok()?;
        url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// A header, by its name in lower case; empty where it has none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

async fn answer_one(stream: TcpStream, answer: Answer) -> Result<Asked> {
    let mut stream = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        if line.trim().is_empty() {
            break;
        }
        head.push(line.trim().to_owned());
    }
    let line = head.first().context("a request has a first line")?;
    let line = line.rsplit_once(' ').map_or(line.as_str(), |(line, _)| line).to_owned();
    let header = |line: &String| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    let headers: BTreeMap<String, String> = head.iter().skip(1).filter_map(header).collect();
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut bytes = vec![0; length];
    stream.read_exact(&mut bytes).await?;
    let Answer { status, headers: more, body } = answer;
    // What has no body may not say how long it is.
    let length = if status == 304 { String::new() } else { format!("content-length: {}\r\n", body.len()) };
    let answer = format!("HTTP/1.1 {status} X\r\n{more}{length}connection: close\r\n\r\n{body}");
    stream.get_mut().write_all(answer.as_bytes()).await?;
    stream.get_mut().shutdown().await?;
    Ok(Asked { line, headers, body: String::from_utf8(bytes)? })
}
