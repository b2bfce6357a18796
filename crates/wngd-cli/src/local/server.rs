//! Connections, each with limits of its own.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;

use axum::Router;

use super::places::Places;

/// Threads that compute.
const WORKERS: usize = 48;
/// Time that the head of a request may take to arrive.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes of the head of a request.
const MAX_HEAD: usize = 16 << 10;
/// Pause after a connection could not be accepted, when files run out for example.
const PAUSE: Duration = Duration::from_millis(100);

/// How connections are held.
#[derive(Debug, Clone, Copy)]
pub struct Hold {
    /// Whether one may have several requests.
    pub keep_alive: bool,
    /// Longest life: one that does not read must not keep work waiting for ever.
    pub longest: Duration,
}

/// Answers requests until Ctrl-C; `ready` is called once it does and Ctrl-C is listened to.
///
/// # Errors
/// Whatever keeps the listener from being used.
pub fn serve(listener: TcpListener, router: Router, hold: Hold, ready: impl FnOnce()) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(WORKERS).build()?;
    let outcome = runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let service = TowerToHyperService::new(router);
        let places = Arc::new(Places::default());
        let accept = async {
            loop {
                let Ok((stream, _)) = listener.accept().await else {
                    tokio::time::sleep(PAUSE).await;
                    continue;
                };
                let place = places.enter();
                let (number, known, inner) = (place.number(), places.clone(), service.clone());
                let asked = service_fn(move |request| {
                    known.asked(number);
                    inner.call(request)
                });
                let connection = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .keep_alive(hold.keep_alive)
                    .header_read_timeout(PATIENCE)
                    .max_buf_size(MAX_HEAD)
                    .serve_connection(TokioIo::new(stream), asked);
                tokio::spawn(async move {
                    // How a connection ends is the other side's affair, unless its place is needed.
                    let _ = tokio::time::timeout(hold.longest, place.held(connection)).await;
                });
            }
        };
        let mut pressed = std::pin::pin!(tokio::signal::ctrl_c());
        // It listens from the first time on that it is asked.
        let early = std::future::poll_fn(|context| Poll::Ready(pressed.as_mut().poll(context))).await;
        if let Poll::Ready(pressed) = early {
            return pressed;
        }
        ready();
        tokio::select! {
            () = accept => Ok(()),
            pressed = pressed => pressed,
        }
    });
    // Descents under way are nobody's any more.
    runtime.shutdown_background();
    outcome
}
