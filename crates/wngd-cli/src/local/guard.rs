//! Only what was meant may ask: the page itself, in a browser on this machine, or a program on it.
//!
//! A page from elsewhere can send requests to 127.0.0.1 through the browser of whoever reads it. It cannot forge
//! `Host`, `Origin` and `Sec-Fetch-Site`, so these decide.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use serde_json::json;

/// Requests per second in the long run.
const RATE: NonZeroU32 = NonZeroU32::new(100).expect("positive");
/// Requests at once.
const BURST: NonZeroU32 = NonZeroU32::new(200).expect("positive");
/// Time that a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(5);
/// Least bytes per second of a longer one.
const PACE: usize = 1 << 20;
/// The page loads nothing but its own files and is shown in no other page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Who may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Askers {
    /// The page that is served here, not more often than a page does.
    Page,
    /// Programs, as often as they like: no page at all.
    Programs,
}

/// What is let in.
pub struct Guard {
    hosts: [String; 2],
    askers: Askers,
    most: usize,
    limiter: DefaultDirectRateLimiter,
}

/// A request that is not answered.
pub struct Refusal(pub StatusCode, pub String);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

fn refuse<T>(status: StatusCode, text: &str) -> Result<T, Refusal> {
    Err(Refusal(status, text.into()))
}

impl Guard {
    /// Lets in what is meant for this port of this machine, with bodies of so many bytes at most.
    pub fn new(port: u16, askers: Askers, most: usize) -> Self {
        let limiter = RateLimiter::direct(Quota::per_second(RATE).allow_burst(BURST));
        Self { hosts: ["127.0.0.1", "localhost"].map(|name| format!("{name}:{port}")), askers, most, limiter }
    }

    fn is_host(&self, host: &str) -> bool {
        self.hosts.iter().any(|h| h.eq_ignore_ascii_case(host))
    }

    fn check(&self, request: &Request) -> Result<(), Refusal> {
        let page = self.askers == Askers::Page;
        let headers = request.headers();
        let host = only(headers, header::HOST)?;
        let target = request.uri().authority().map(|a| a.as_str());
        if !host.is_some_and(|h| self.is_host(h)) || !target.is_none_or(|t| self.is_host(t)) {
            return refuse(StatusCode::FORBIDDEN, "Host: this is at 127.0.0.1 only");
        }
        match only(headers, header::ORIGIN)? {
            Some(origin) if !(page && origin.strip_prefix("http://").is_some_and(|h| self.is_host(h))) => {
                return refuse(StatusCode::FORBIDDEN, "Origin: another page may not ask");
            }
            None if page && request.method() == Method::POST => {
                return refuse(StatusCode::FORBIDDEN, "Origin: it is missing");
            }
            _ => {}
        }
        match only(headers, HeaderName::from_static("sec-fetch-site"))? {
            None => {}
            Some("same-origin" | "none") if page => {}
            Some(_) => return refuse(StatusCode::FORBIDDEN, "Sec-Fetch-Site: another page may not ask"),
        }
        // Last, so that strangers do not use up what the page may ask.
        if page && self.limiter.check().is_err() {
            return refuse(StatusCode::TOO_MANY_REQUESTS, "too many requests; wait a second");
        }
        Ok(())
    }
}

/// The value of a header that may come once.
fn only(headers: &HeaderMap, name: HeaderName) -> Result<Option<&str>, Refusal> {
    let mut values = headers.get_all(&name).iter();
    match (values.next().map(HeaderValue::to_str), values.next()) {
        (None, _) => Ok(None),
        (Some(Ok(value)), None) => Ok(Some(value)),
        _ => refuse(StatusCode::BAD_REQUEST, &format!("{name}: it is to come once, in ASCII")),
    }
}

/// Refuses foreign requests, reads bodies within their limits, and locks every answer down.
pub async fn guard(State(guard): State<Arc<Guard>>, request: Request, next: Next) -> Response {
    let mut response = match admit(&guard, request).await {
        Ok(request) => next.run(request).await,
        Err(refusal) => {
            // A stranger does not keep the connection; the page does, and reads what it was told.
            let stranger = refusal.0 == StatusCode::FORBIDDEN;
            let mut response = refusal.into_response();
            if stranger {
                response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
            }
            response
        }
    };
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn admit(guard: &Guard, request: Request) -> Result<Request, Refusal> {
    guard.check(&request)?;
    let (parts, body) = request.into_parts();
    let patience = PATIENCE + Duration::from_secs((guard.most / PACE) as u64);
    match tokio::time::timeout(patience, to_bytes(body, guard.most)).await {
        Ok(Ok(bytes)) => Ok(Request::from_parts(parts, Body::from(bytes))),
        Ok(Err(_)) => refuse(StatusCode::PAYLOAD_TOO_LARGE, "the body is cut short or too large"),
        Err(_) => refuse(StatusCode::REQUEST_TIMEOUT, "the body took too long"),
    }
}
