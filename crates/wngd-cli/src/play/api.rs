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
use serde::Deserialize;
use tokio::runtime::Handle;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_stream::StreamExt;
use tokio_stream::wrappers::ReceiverStream;

use super::descend::{Event, Order, Request};
use super::session::{Description, Map, Session, Shown};
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
const SCRIPT: &str = include_str!("../../assets/play/play.js");
/// The library of the chart, uPlot 1.6.32 (MIT), as it was published.
const CHART: &str = include_str!("../../assets/play/uplot/uPlot.iife.min.js");
const CHART_STYLE: &str = include_str!("../../assets/play/uplot/uPlot.min.css");

struct Shared {
    session: Session,
    map: OnceCell<Map>,
    busy: Arc<Semaphore>,
    descents: Arc<Semaphore>,
}

type Site = State<Arc<Shared>>;

/// All that is answered at this port.
pub fn router(session: Session, port: u16) -> Router {
    let semaphore = |places| Arc::new(Semaphore::new(places));
    let shared = Shared { session, map: OnceCell::new(), busy: semaphore(BUSY), descents: semaphore(DESCENTS) };
    let file =
        |kind: &'static str, text: &'static str| get(move || async move { ([(header::CONTENT_TYPE, kind)], text) });
    Router::new()
        .route("/", file("text/html; charset=utf-8", PAGE))
        .route("/play.css", file("text/css; charset=utf-8", STYLE))
        .route("/play.js", file("text/javascript; charset=utf-8", SCRIPT))
        .route("/uplot/uPlot.iife.min.js", file("text/javascript; charset=utf-8", CHART))
        .route("/uplot/uPlot.min.css", file("text/css; charset=utf-8", CHART_STYLE))
        .route("/api/experiment", get(experiment))
        .route("/api/map", get(map))
        .route("/api/data", get(data))
        .route("/api/density", post(density))
        .route("/api/descend", post(descend))
        .fallback(async || Refusal(StatusCode::NOT_FOUND, "there is no such thing here".into()))
        .method_not_allowed_fallback(async || Refusal(StatusCode::METHOD_NOT_ALLOWED, "not by this method".into()))
        .layer(middleware::from_fn_with_state(Arc::new(Guard::new(port, Askers::Page, MAX_BODY)), guard))
        .with_state(Arc::new(shared))
}

async fn experiment(State(shared): Site) -> Response {
    let description: Description<'_> = shared.session.describe();
    Json(description).into_response()
}

async fn map(State(shared): Site) -> Result<Response, Refusal> {
    let work = || async {
        let shared = shared.clone();
        compute(shared.busy.clone(), move || shared.session.map().map_err(|e| e.to_string())).await
    };
    Ok(Json(shared.map.get_or_try_init(work).await?).into_response())
}

async fn data(State(shared): Site) -> Json<Shown> {
    Json(shared.session.data())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Where {
    theta: Vec<f64>,
}

async fn density(State(shared): Site, body: Result<Json<Where>, JsonRejection>) -> Result<Json<Shown>, Refusal> {
    let Json(Where { theta }) = body.map_err(unreadable)?;
    let wanted = shared.session.experiment.theta0.len();
    if theta.len() != wanted {
        let text = format!("theta: {} values, {wanted} are needed", theta.len());
        return Err(Refusal(StatusCode::UNPROCESSABLE_ENTITY, text));
    }
    let busy = shared.busy.clone();
    compute(busy, move || shared.session.density(&theta).map_err(|e| format!("theta: {e}"))).await.map(Json)
}

async fn descend(State(shared): Site, body: Result<Json<Request>, JsonRejection>) -> Result<Response, Refusal> {
    let Json(request) = body.map_err(unreadable)?;
    let permit = Arc::new(enter(shared.descents.clone()).await?);
    let order = {
        let (shared, permit) = (shared.clone(), permit.clone());
        blocking(move || {
            let _permit = permit;
            Order::new(&shared.session, request)
        })
        .await?
    };
    let (sender, receiver) = mpsc::channel::<Event>(WAITING);
    let order = Arc::new(order);
    let until = Instant::now() + BUDGET;
    for k in 0..order.methods.len() {
        let (shared, order, sender, permit) = (shared.clone(), order.clone(), sender.clone(), permit.clone());
        let runtime = Handle::current();
        spawn_blocking(move || {
            // Whoever does not read is not descended for any longer.
            let tell = |event| runtime.block_on(timeout(UNREAD, sender.send(event))).is_ok_and(|sent| sent.is_ok());
            order.carry_out(&shared.session, &order.methods[k], until, &tell);
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
