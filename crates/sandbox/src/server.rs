//! Starting and stopping a sandbox.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    routing::{get, post},
};
use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    actions,
    clock::Clock,
    control::{self, Control},
    error::Error,
    graphql,
    key::{self, AppKey},
    options::Options,
    rest,
    shared::Shared,
    smart_http,
    traffic::{self, Traffic},
    webhook::{self, Delivery},
    world::{Beginning, Timer, World, app},
};

/// A running forge.
///
/// It offers everything that [`Control`] can do. It ends when it is dropped; [`Sandbox::shutdown`] also waits for it.
#[derive(Debug)]
pub struct Sandbox {
    control: Control,
    stop: CancellationToken,
    tasks: TaskTracker,
    /// Goes with the sandbox when it was made for it.
    _temporary: Option<TempDir>,
}

/// What becomes tasks, once the world is there.
struct Queues {
    outbox: UnboundedReceiver<Delivery>,
    timers: UnboundedReceiver<Timer>,
    outbox_sender: UnboundedSender<Delivery>,
}

/// What the App may do, as the operator's manual asks for it and a little more for the tests.
const PERMISSIONS: [(&str, &str); 9] = [
    ("metadata", "read"),
    ("attestations", "read"),
    ("contents", "write"),
    ("pull_requests", "write"),
    ("checks", "write"),
    ("statuses", "write"),
    ("issues", "write"),
    ("deployments", "write"),
    ("workflows", "write"),
];

impl Sandbox {
    /// Starts a forge.
    ///
    /// # Errors
    /// [`Error::Listen`] when the address can not be had, [`Error::File`] for the data directory,
    /// [`Error::Key`] and [`Error::Client`] when cryptography does not work here.
    pub async fn start(options: Options) -> Result<Self, Error> {
        let (data, temporary) = directory(options.data.clone())?;
        let key = match &options.data {
            Some(data) => AppKey::read_or_write(&data.join(key::FILE))?,
            None => AppKey::of_process()?,
        };
        let failed = |source| Error::Listen { address: options.listen, source };
        let listener = TcpListener::bind(options.listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (world, queues) = world(&options, &key, data.join("repositories"), address);
        let traffic = Traffic { latency: options.latency, tap: options.tap.clone(), ..Traffic::default() };
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let shared = Arc::new(Shared::new(world, traffic, stop.clone()));
        let client = webhook::client().map_err(Error::Client)?;
        let control = Control::new(Arc::clone(&shared), address, key.private_pem, queues.outbox_sender);
        tasks.spawn(until(stop.clone(), webhook::deliver_all(client, queues.outbox, Arc::clone(&shared))));
        tasks.spawn(until(stop.clone(), control::run_timers(queues.timers, Arc::clone(&shared))));
        tasks.spawn(traffic::serve(listener, router(&shared, &control), shared.record().gate().clone(), stop.clone()));
        tasks.close();
        let sandbox = Self { control, stop, tasks, _temporary: temporary };
        sandbox.control.open_kept_repositories().await?;
        Ok(sandbox)
    }

    /// The handle that controls it, which can be cloned.
    #[must_use]
    pub const fn control(&self) -> &Control {
        &self.control
    }

    /// Stops answering and waits until nothing runs any more.
    pub async fn shutdown(self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }
}

impl std::ops::Deref for Sandbox {
    type Target = Control;

    fn deref(&self) -> &Control {
        &self.control
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn directory(kept: Option<PathBuf>) -> Result<(PathBuf, Option<TempDir>), Error> {
    match kept {
        Some(path) => match std::fs::create_dir_all(&path).and_then(|()| path.canonicalize()) {
            Ok(absolute) => Ok((absolute, None)),
            Err(source) => Err(Error::File { path, source }),
        },
        None => {
            let made = tempfile::Builder::new().prefix("tagferry-sandbox-").tempdir();
            let made = made.map_err(|source| Error::File { path: std::env::temp_dir(), source })?;
            Ok((made.path().to_owned(), Some(made)))
        }
    }
}

fn world(options: &Options, key: &AppKey, data: PathBuf, address: SocketAddr) -> (World, Queues) {
    let (outbox_sender, outbox) = mpsc::unbounded_channel();
    let (timers_sender, timers) = mpsc::unbounded_channel();
    let permissions = PERMISSIONS.map(|(name, access)| (name.to_owned(), access.to_owned()));
    let world = World::new(Beginning {
        url: format!("http://{address}"),
        data,
        clock: Clock::default(),
        app: app::App {
            id: options.app_id,
            slug: options.app_slug.clone(),
            public_key: key.public.clone(),
            token_format: options.token_format,
            permissions: permissions.into(),
            events: ["check_run", "merge_group", "pull_request", "push", "status"].map(str::to_owned).into(),
            installations: std::collections::BTreeMap::new(),
        },
        personal_tokens: options.personal_tokens.clone(),
        target: options.webhook.clone(),
        outbox: outbox_sender.clone(),
        timers: timers_sender,
    });
    (world, Queues { outbox, timers, outbox_sender })
}

fn router(shared: &Arc<Shared>, control: &Control) -> Router {
    let rest = Router::new()
        .route("/rate_limit", get(traffic::rate_limit))
        .route("/app/hook/deliveries", get(rest::deliveries))
        .route("/app/hook/deliveries/{id}", get(rest::delivery))
        .route("/app/hook/deliveries/{id}/attempts", post(rest::redeliver))
        .fallback(rest::answer);
    let forge = Router::new()
        .route("/graphql", post(graphql::answer))
        // Where GitHub Enterprise Server has its interfaces.
        .route("/api/graphql", post(graphql::answer))
        .nest("/api/v3", rest.clone())
        .route("/{owner}/{repository}/info/refs", get(smart_http::info_refs))
        .route("/{owner}/{repository}/git-upload-pack", post(smart_http::upload_pack))
        .route("/{owner}/{repository}/git-receive-pack", post(smart_http::receive_pack))
        .route("/_attestations/{id}", get(rest::bundle))
        .merge(rest)
        .with_state(Arc::clone(shared));
    Router::new()
        .route("/_sim/", get(control::list))
        .nest("/_sim", control::router(control.clone()))
        .merge(actions::router(control.clone()))
        .merge(forge)
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(Arc::clone(shared), traffic::follow_conventions))
        .layer(middleware::from_fn_with_state(Arc::clone(shared), traffic::observe))
}

async fn until(stop: CancellationToken, work: impl Future<Output = ()>) {
    if stop.run_until_cancelled(work).await.is_none() {
        tracing::debug!("a task ends with the sandbox");
    }
}
