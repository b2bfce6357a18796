//! The page's files and the answers to its questions.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use serde::{Deserialize, Serialize};
use tokio::runtime::Handle;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use super::descend::{Event, Order, Request};
use super::scenes::{Offer, Scene, Scenes, Stage};
use super::session::{Session, Shown};
use crate::local::guard::{Askers, Guard, Refusal, guard};

/// Requests that descend at the same time, those that nobody reads any more included; others wait.
const DESCENTS: usize = 4;
/// Densities and maps that are computed at the same time.
const BUSY: usize = 8;
/// Time that a request waits for its turn.
const TURN: Duration = Duration::from_secs(20);
/// Time that a reader may leave its events unread.
const UNREAD: Duration = Duration::from_secs(15);
/// Time that the descents of one request may take.
const BUDGET: Duration = Duration::from_secs(30);
/// Events that may wait for a slow reader.
const WAITING: usize = 256;

/// Bytes of a request's body.
const MAX_BODY: usize = 16 << 10;

const PAGE: &str = include_str!("../../assets/play/index.html");
const STYLE: &str = include_str!("../../assets/play/play.css");
/// The page's scripts: modules, a file for each job.
const SCRIPTS: [(&str, &str); 4] = [
    ("/play.js", include_str!("../../assets/play/play.js")),
    ("/server.js", include_str!("../../assets/play/server.js")),
    ("/plots.js", include_str!("../../assets/play/plots.js")),
    ("/hand.js", include_str!("../../assets/play/hand.js")),
];
/// The library of the chart, uPlot 1.6.32 (MIT), as it was published.
const CHART: &str = include_str!("../../assets/play/uplot/uPlot.iife.min.js");
const CHART_STYLE: &str = include_str!("../../assets/play/uplot/uPlot.min.css");

struct Shared {
    scenes: Scenes,
    experiments: OnceCell<Vec<Offer>>,
    busy: Arc<Semaphore>,
    descents: Arc<Semaphore>,
}

type Site = State<Arc<Shared>>;

/// All that is answered at this port.
pub fn router(scenes: Scenes, port: u16) -> Router {
    let semaphore = |places| Arc::new(Semaphore::new(places));
    let shared = Shared { scenes, experiments: OnceCell::new(), busy: semaphore(BUSY), descents: semaphore(DESCENTS) };
    let file =
        |kind: &'static str, text: &'static str| get(move || async move { ([(header::CONTENT_TYPE, kind)], text) });
    let scripts = SCRIPTS
        .into_iter()
        .fold(Router::new(), |router, (path, text)| router.route(path, file("text/javascript; charset=utf-8", text)));
    scripts
        .route("/", file("text/html; charset=utf-8", PAGE))
        .route("/play.css", file("text/css; charset=utf-8", STYLE))
        .route("/uplot/uPlot.iife.min.js", file("text/javascript; charset=utf-8", CHART))
        .route("/uplot/uPlot.min.css", file("text/css; charset=utf-8", CHART_STYLE))
        // Without a body they are about what was opened.
        .route("/api/experiment", get(experiment).post(experiment_of))
        .route("/api/choices", post(choices))
        .route("/api/map", get(map).post(map_of))
        .route("/api/data", get(data).post(data_of))
        .route("/api/density", post(density))
        .route("/api/descend", post(descend))
        .fallback(async || Refusal(StatusCode::NOT_FOUND, "there is no such thing here".into()))
        .method_not_allowed_fallback(async || Refusal(StatusCode::METHOD_NOT_ALLOWED, "not by this method".into()))
        .layer(middleware::from_fn_with_state(Arc::new(Guard::new(port, Askers::Page, MAX_BODY)), guard))
        .with_state(Arc::new(shared))
}

/// What a body says.
type Said<T> = Result<Json<T>, JsonRejection>;

async fn experiment(State(shared): Site) -> Result<Response, Refusal> {
    described(&shared, &Scene::default()).await
}

async fn experiment_of(State(shared): Site, body: Said<Scene>) -> Result<Response, Refusal> {
    described(&shared, &body.map_err(unreadable)?.0).await
}

async fn described(shared: &Arc<Shared>, scene: &Scene) -> Result<Response, Refusal> {
    let stage = staged(shared, scene).await?;
    Ok(Json(built(&stage)?.describe()).into_response())
}

#[derive(Serialize)]
struct Choices<'a> {
    experiments: &'a [Offer],
    objectives: Vec<&'static str>,
}

async fn choices(State(shared): Site, body: Said<Scene>) -> Result<Response, Refusal> {
    let Json(scene) = body.map_err(unreadable)?;
    let offered = shared.clone();
    let experiments = || {
        compute(offered.busy.clone(), {
            let shared = offered.clone();
            move || Ok(shared.scenes.experiments())
        })
    };
    let experiments = shared.experiments.get_or_try_init(experiments).await?;
    let asked = shared.clone();
    let objectives = compute(shared.busy.clone(), move || asked.scenes.objectives(&scene)).await?;
    Ok(Json(Choices { experiments, objectives }).into_response())
}

async fn map(State(shared): Site) -> Result<Response, Refusal> {
    mapped(&shared, &Scene::default(), false).await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MapOf {
    #[serde(default)]
    scene: Scene,
    #[serde(default)]
    coarse: bool,
}

async fn map_of(State(shared): Site, body: Said<MapOf>) -> Result<Response, Refusal> {
    let Json(MapOf { scene, coarse }) = body.map_err(unreadable)?;
    mapped(&shared, &scene, coarse).await
}

async fn mapped(shared: &Arc<Shared>, scene: &Scene, coarse: bool) -> Result<Response, Refusal> {
    let stage = staged(shared, scene).await?;
    let drawn = || {
        let stage = stage.clone();
        compute(shared.busy.clone(), move || session(&stage)?.map(coarse).map_err(|e| e.to_string()))
    };
    if coarse && !stage.map.initialized() {
        return Ok(Json(drawn().await?).into_response());
    }
    Ok(Json(stage.map.get_or_try_init(drawn).await?).into_response())
}

async fn data(State(shared): Site) -> Result<Json<Shown>, Refusal> {
    data_in(&shared, &Scene::default()).await
}

async fn data_of(State(shared): Site, body: Said<Scene>) -> Result<Json<Shown>, Refusal> {
    data_in(&shared, &body.map_err(unreadable)?.0).await
}

async fn data_in(shared: &Arc<Shared>, scene: &Scene) -> Result<Json<Shown>, Refusal> {
    let stage = staged(shared, scene).await?;
    Ok(Json(built(&stage)?.data()))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Where {
    #[serde(default)]
    scene: Scene,
    theta: Vec<f64>,
}

async fn density(State(shared): Site, body: Said<Where>) -> Result<Json<Shown>, Refusal> {
    let Json(Where { scene, theta }) = body.map_err(unreadable)?;
    let stage = staged(&shared, &scene).await?;
    let wanted = built(&stage)?.experiment.theta0.len();
    if theta.len() != wanted {
        let text = format!("theta: {} values, {wanted} are needed", theta.len());
        return Err(Refusal(StatusCode::UNPROCESSABLE_ENTITY, text));
    }
    let busy = shared.busy.clone();
    compute(busy, move || session(&stage)?.density(&theta).map_err(|e| format!("theta: {e}"))).await.map(Json)
}

/// A scene that is built, by this request or by an earlier one.
async fn staged(shared: &Arc<Shared>, scene: &Scene) -> Result<Arc<Stage>, Refusal> {
    let stage = shared.scenes.stage(scene);
    let build = || {
        let (shared, scene) = (shared.clone(), scene.clone());
        compute(shared.busy.clone(), move || shared.scenes.build(&scene))
    };
    stage.session.get_or_try_init(build).await?;
    Ok(stage)
}

fn session(stage: &Stage) -> Result<&Session, String> {
    stage.session.get().ok_or_else(|| "a scene was not built; please report it".into())
}

fn built(stage: &Stage) -> Result<&Session, Refusal> {
    session(stage).map_err(|text| Refusal(StatusCode::INTERNAL_SERVER_ERROR, text))
}

async fn descend(State(shared): Site, body: Said<Request>) -> Result<Response, Refusal> {
    let Json(request) = body.map_err(unreadable)?;
    let stage = staged(&shared, &request.scene).await?;
    let permit = Arc::new(enter(shared.descents.clone()).await?);
    let order = {
        let (stage, permit) = (stage.clone(), permit.clone());
        blocking(move || {
            let _permit = permit;
            Order::new(session(&stage)?, request)
        })
        .await?
    };
    let (sender, receiver) = mpsc::channel::<Event>(WAITING);
    let order = Arc::new(order);
    let until = Instant::now() + BUDGET;
    // Threads of their own: a descent that waits for its reader holds nobody up, and many short tasks handed to a pool
    // from outside take longer than they do inside it.
    let each = (rayon::current_num_threads() / order.methods.len()).max(1);
    for k in 0..order.methods.len() {
        let (stage, order, sender, permit) = (stage.clone(), order.clone(), sender.clone(), permit.clone());
        let runtime = Handle::current();
        spawn_blocking(move || {
            // Whoever does not read is not descended for any longer.
            let heard = async |event| timeout(UNREAD, sender.send(event)).await.is_ok_and(|sent| sent.is_ok());
            let tell = |event| runtime.block_on(heard(event));
            if let Some(session) = stage.session.get() {
                let descend = || order.carry_out(session, &order.methods[k], until, &tell);
                match rayon::ThreadPoolBuilder::new().num_threads(each).build() {
                    Ok(pool) => pool.install(descend),
                    // No threads to be had: slower, and the same bits.
                    Err(_) => descend(),
                }
            }
            drop(permit);
        });
    }
    let lines = ReceiverStream::new(receiver).map(|event| {
        let mut line = serde_json::to_vec(&event)?;
        line.push(b'\n');
        Ok::<Bytes, serde_json::Error>(line.into())
    });
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response())
}

fn unreadable(rejection: JsonRejection) -> Refusal {
    Refusal(rejection.status(), rejection.body_text())
}

async fn enter(busy: Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Refusal> {
    match timeout(TURN, busy.acquire_owned()).await {
        Ok(Ok(permit)) => Ok(permit),
        _ => Err(Refusal(StatusCode::TOO_MANY_REQUESTS, "too much is being computed; wait a moment".into())),
    }
}

/// Computes on a thread of its own, if not too many do; a text for an error is the page's fault.
async fn compute<T: Send + 'static>(
    busy: Arc<Semaphore>,
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, Refusal> {
    let permit = enter(busy).await?;
    // The work goes on when the page does not wait for it any more, and still counts.
    blocking(move || {
        let _permit = permit;
        work()
    })
    .await
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, String> + Send + 'static) -> Result<T, Refusal> {
    match spawn_blocking(work).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(text)) => Err(Refusal(StatusCode::UNPROCESSABLE_ENTITY, text)),
        Err(_) => Err(Refusal(StatusCode::INTERNAL_SERVER_ERROR, "internal failure; please report it".into())),
    }
}
