//! An experiment's model and objective over UM-Bridge, for programs on this machine.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use serde::Serialize;
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use wngd_experiment::offer::{Asked, Declined, Offer, Offered};

use crate::local::guard::{Askers, Guard, guard};
use crate::local::server::{self, Hold};

/// One answer may take so long to be computed and read.
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// Bytes of a request without its numbers, and of a number.
const WORDS: usize = 64 << 10;
const NUMBER: usize = 64;

struct Shared {
    offer: Arc<Offer>,
    /// Requests that compute at the same time; others wait.
    busy: Arc<Semaphore>,
}

type Site = State<Arc<Shared>>;

/// Answers requests until Ctrl-C, so many at the same time.
///
/// # Errors
/// Whatever keeps the listener from being used.
pub fn serve(listener: TcpListener, offer: Offer, requests: usize, ready: impl FnOnce()) -> io::Result<()> {
    let port = listener.local_addr()?.port();
    // A connection has one request, so that nobody holds a place without asking.
    server::serve(listener, router(offer, requests, port), Hold { keep_alive: false, longest: LONGEST }, ready)
}

fn router(offer: Offer, requests: usize, port: u16) -> Router {
    let (p, k) = offer.sizes();
    let most = WORDS + NUMBER * (2 * p + k);
    let shared = Shared { offer: Arc::new(offer), busy: Arc::new(Semaphore::new(requests)) };
    let support =
        json!({ "support": { "Evaluate": true, "Gradient": true, "ApplyJacobian": true, "ApplyHessian": false } });
    Router::new()
        .route("/Info", get(info))
        .route("/ModelInfo", endpoint(move |offer, asked| offer.model(asked).map(|_| support.clone())))
        .route("/InputSizes", endpoint(|offer, asked| Ok(json!({ "inputSizes": offer.inputs(asked)? }))))
        .route("/OutputSizes", endpoint(|offer, asked| Ok(json!({ "outputSizes": offer.outputs(asked)? }))))
        .route("/Evaluate", endpoint(|offer, asked| Ok(json!({ "output": offer.evaluate(asked)? }))))
        .route("/Gradient", endpoint(|offer, asked| Ok(json!({ "output": offer.gradient(asked)? }))))
        .route("/ApplyJacobian", endpoint(|offer, asked| Ok(json!({ "output": offer.apply_jacobian(asked)? }))))
        .fallback(async || refusal(StatusCode::NOT_FOUND, "UnsupportedFeature", "there is no such thing here"))
        .method_not_allowed_fallback(async || {
            refusal(StatusCode::METHOD_NOT_ALLOWED, "UnsupportedFeature", "not by this method")
        })
        .layer(middleware::from_fn_with_state(Arc::new(Guard::new(port, Askers::Programs, most)), guard))
        .with_state(Arc::new(shared))
}

async fn info() -> Response {
    Json(json!({ "protocolVersion": 1.0, "models": Offered::ALL.map(Offered::name) })).into_response()
}

/// What is asked by POST and computed on a thread of its own.
fn endpoint<T: Serialize + Send + 'static>(
    answer: impl Fn(&Offer, &Asked) -> Result<T, Declined> + Clone + Send + Sync + 'static,
) -> axum::routing::MethodRouter<Arc<Shared>> {
    post(async move |State(shared): Site, body: Result<Json<Asked>, JsonRejection>| {
        let asked = match body {
            Ok(Json(asked)) => asked,
            Err(rejection) => return refusal(rejection.status(), "InvalidInput", &rejection.body_text()),
        };
        let Ok(place) = shared.busy.clone().acquire_owned().await else {
            return refusal(StatusCode::SERVICE_UNAVAILABLE, "ModelFailure", "the server ends");
        };
        let offer = Arc::clone(&shared.offer);
        let work = move || {
            // What is computed counts, whether it is still waited for or not.
            let _place = place;
            answer(&offer, &asked)
        };
        match spawn_blocking(work).await {
            Ok(Ok(found)) => Json(found).into_response(),
            Ok(Err(declined)) => {
                let status =
                    if declined.is_asked_wrong() { StatusCode::BAD_REQUEST } else { StatusCode::INTERNAL_SERVER_ERROR };
                (status, Json(json!({ "error": declined }))).into_response()
            }
            Err(_) => {
                let text = "internal failure; please report it";
                refusal(StatusCode::INTERNAL_SERVER_ERROR, "ModelFailure", text)
            }
        }
    })
}

fn refusal(status: StatusCode, kind: &str, message: &str) -> Response {
    (status, Json(json!({ "error": { "type": kind, "message": message } }))).into_response()
}
