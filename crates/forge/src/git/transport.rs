//! libgit2's way to our HTTP client: a transport for addresses of our own scheme.
//!
//! libgit2's own HTTP client hides statuses, can not be cancelled, knows no limit of time for the whole, and would
//! bring a second TLS library.

use std::{
    cell::RefCell,
    io::{Cursor, Read, Write},
    rc::Rc,
    sync::{Arc, OnceLock},
};

use git2::{
    ErrorClass, ErrorCode, Remote,
    transport::{Service, SmartSubtransport, SmartSubtransportStream, Transport},
};
use reqwest::Response;

use super::session::Session;

/// The address that libgit2 sees; where the repository really is only the session knows, so that neither the user's
/// Git configuration nor an error text has anything to do with it.
pub(super) const URL: &str = "tagferry://repository";

const SCHEME: &str = "tagferry";

thread_local! {
    /// The session of the work that this thread does: libgit2 makes its transport on the thread that it was called on.
    static CURRENT: RefCell<Option<Arc<Session>>> = const { RefCell::new(None) };
}

/// While it lives, transports that this thread makes speak in a session.
#[derive(Debug)]
pub(super) struct Entered {
    // A thread's own: dropping it on another would leave the session behind.
    _not_send: std::marker::PhantomData<Rc<()>>,
}

/// Makes the session the one of this thread.
pub(super) fn enter(session: Arc<Session>) -> Result<Entered, git2::Error> {
    register()?;
    CURRENT.with_borrow_mut(|current| *current = Some(session));
    Ok(Entered { _not_send: std::marker::PhantomData })
}

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.with_borrow_mut(|current| *current = None);
    }
}

/// Tells libgit2 of our scheme, once in the life of the process.
#[expect(
    unsafe_code,
    reason = "git2 offers registration only as an unsafe function: it must not run beside itself, which the lock sees to"
)]
fn register() -> Result<(), git2::Error> {
    static REGISTERED: OnceLock<Result<(), String>> = OnceLock::new();
    let registered = REGISTERED.get_or_init(|| {
        // SAFETY: `get_or_init` runs this once, and nothing else in this program registers transports.
        unsafe { git2::transport::register(SCHEME, connect) }.map_err(|error| error.to_string())
    });
    registered.clone().map_err(|text| net_error(&text))
}

fn connect(remote: &Remote<'_>) -> Result<Transport, git2::Error> {
    let session = CURRENT.with_borrow(Clone::clone).ok_or_else(|| net_error("no session is open on this thread"))?;
    Transport::smart(remote, true, Http { session })
}

fn net_error(text: &str) -> git2::Error {
    git2::Error::new(ErrorCode::GenericError, ErrorClass::Net, text)
}

struct Http {
    session: Arc<Session>,
}

/// One request and its answer: libgit2 writes all of the first, then reads the second.
struct Exchange {
    session: Arc<Session>,
    service: Service,
    request: Vec<u8>,
    response: Option<Response>,
    chunk: Cursor<Vec<u8>>,
}

impl SmartSubtransport for Http {
    fn action(&self, _url: &str, service: Service) -> Result<Box<dyn SmartSubtransportStream>, git2::Error> {
        Ok(Box::new(Exchange {
            session: Arc::clone(&self.session),
            service,
            request: Vec::new(),
            response: None,
            chunk: Cursor::default(),
        }))
    }

    fn close(&self) -> Result<(), git2::Error> {
        Ok(())
    }
}

impl Write for Exchange {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.request.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Read for Exchange {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let response = match &mut self.response {
            Some(response) => response,
            None => {
                let body = std::mem::take(&mut self.request);
                self.response.insert(self.session.request(self.service, body)?)
            }
        };
        loop {
            let count = self.chunk.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            match self.session.next(response)? {
                Some(chunk) => self.chunk = Cursor::new(chunk),
                None => return Ok(0),
            }
        }
    }
}
