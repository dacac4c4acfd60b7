//! The answers to reads, so that an older one can be given once more.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse as _, Response},
};

/// What a read asks: the method, path and query, and the document of a GraphQL request. Not by whom.
pub(super) type Question = (String, Bytes);

/// The answers of one server.
#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    answers: HashMap<Question, Two>,
    /// The first one to be asked first.
    order: VecDeque<Question>,
}

/// The last answer to a question, and the last one that was another.
#[derive(Debug)]
struct Two {
    last: Bytes,
    before: Option<Bytes>,
}

/// How many questions are remembered; a sandbox that stays up for days shall not grow by them.
const MOST_QUESTIONS: usize = 500;

/// The largest answer that is remembered, in bytes.
const LARGEST: usize = 1_000_000;

impl Memory {
    /// Remembers an answer, and gives it back with the one before the last change of it.
    pub(super) async fn remember(&self, question: Question, response: Response) -> (Response, Option<Response>) {
        if response.status() != StatusCode::OK || !is_json(response.headers()) {
            return (response, None);
        }
        let (parts, body) = response.into_parts();
        let bytes = match axum::body::to_bytes(body, usize::MAX).await {
            Ok(bytes) => bytes,
            Err(error) => return ((StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(), None),
        };
        let older = (bytes.len() <= LARGEST).then(|| self.kept().exchange(question, &bytes)).flatten();
        let older = older.map(|bytes| {
            let mut response = Response::new(Body::from(bytes));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
            response
        });
        (Response::from_parts(parts, Body::from(bytes)), older)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn exchange(&mut self, question: Question, bytes: &Bytes) -> Option<Bytes> {
        if let Some(two) = self.answers.get_mut(&question) {
            if two.last != *bytes {
                two.before = Some(std::mem::replace(&mut two.last, bytes.clone()));
            }
            return two.before.clone();
        }
        self.order.push_back(question.clone());
        self.answers.insert(question, Two { last: bytes.clone(), before: None });
        if self.order.len() > MOST_QUESTIONS
            && let Some(oldest) = self.order.pop_front()
        {
            self.answers.remove(&oldest);
        }
        None
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/json"))
}
