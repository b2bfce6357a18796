//! Requests with limits: of time, of bytes, of repetitions, and of how many are under way.

use std::io;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use ureq::Agent;

use crate::error::Fault;

/// Time to be connected in; a server that is there accepts at once.
const CONNECT: Duration = Duration::from_secs(10);
/// Bytes of the head of an answer.
const MAX_HEAD: usize = 64 << 10;
/// Pause before the first repetition; each later one is twice as long, up to the longest.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Letters of a strange answer that are shown.
const SHOWN: usize = 200;

/// Why there is no answer.
pub(crate) struct Failure {
    pub(crate) fault: Fault,
    pub(crate) cause: String,
    pub(crate) remedy: String,
}

/// An answer: its status and its body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

/// Asks one server.
pub(crate) struct Line {
    agent: Agent,
    url: String,
    timeout: Duration,
    retries: usize,
    places: Places,
}

/// Requests that may still begin.
struct Places {
    free: Mutex<usize>,
    freed: Condvar,
}

/// One request under way.
struct Place<'a>(&'a Places);

impl Places {
    fn enter(&self) -> Place<'_> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        while *free == 0 {
            free = self.freed.wait(free).unwrap_or_else(PoisonError::into_inner);
        }
        *free -= 1;
        Place(self)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.freed.notify_one();
    }
}

impl Line {
    pub(crate) fn new(url: &str, timeout: Duration, retries: usize, requests: usize) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            // An answer elsewhere is not the answer of the server that was named.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .max_response_header_size(MAX_HEAD)
            .timeout_global(Some(timeout))
            .timeout_connect(Some(CONNECT.min(timeout)))
            .user_agent("wngd")
            .build()
            .new_agent();
        let places = Places { free: Mutex::new(requests), freed: Condvar::new() };
        Self { agent, url: url.to_string(), timeout, retries, places }
    }

    /// Asks once: a server that is not there is told at once.
    pub(crate) fn get(&self, endpoint: &str, most: u64) -> Result<Answer, Failure> {
        self.once(endpoint, None, most)
    }

    /// Asks, and again where the connection broke.
    pub(crate) fn post(&self, endpoint: &str, body: &[u8], most: u64) -> Result<Answer, Failure> {
        let _place = self.places.enter();
        let mut pause = PAUSE;
        for _ in 0..self.retries {
            match self.once(endpoint, Some(body), most) {
                Err(Failure { fault: Fault::Connection, .. }) => {}
                Ok(answer) if (502..=504).contains(&answer.status) => {}
                other => return other,
            }
            std::thread::sleep(pause);
            pause = LONGEST_PAUSE.min(2 * pause);
        }
        let last = self.once(endpoint, Some(body), most);
        last.map_err(|failure| match failure.fault {
            Fault::Connection if self.retries > 0 => {
                Failure { cause: format!("{}, {} times", failure.cause, self.retries + 1), ..failure }
            }
            _ => failure,
        })
    }

    fn once(&self, endpoint: &str, body: Option<&[u8]>, most: u64) -> Result<Answer, Failure> {
        let url = format!("{}/{endpoint}", self.url);
        let answer = match body {
            None => self.agent.get(&url).call(),
            Some(body) => self.agent.post(&url).header("Content-Type", "application/json").send(body),
        };
        let mut answer = answer.map_err(|error| self.failure(&error, most))?;
        let status = answer.status().as_u16();
        if (300..400).contains(&status) {
            let to = answer.headers().get("location").and_then(|to| to.to_str().ok()).unwrap_or("nowhere");
            return Err(Failure {
                fault: Fault::Answer,
                cause: format!("it redirects to {}", shown(to)),
                remedy: "redirects are not followed; give the model's own address".into(),
            });
        }
        let body = answer.body_mut().with_config().limit(most).read_to_vec();
        Ok(Answer { status, body: body.map_err(|error| self.failure(&error, most))? })
    }

    fn failure(&self, error: &ureq::Error, most: u64) -> Failure {
        let told = |fault, cause: String, remedy: &str| Failure { fault, cause, remedy: remedy.into() };
        let broken = |cause: String| {
            let remedy = "see whether the server runs at this address, and what it printed";
            told(Fault::Connection, cause, remedy)
        };
        match error {
            ureq::Error::Timeout(ureq::Timeout::Connect) => broken("it cannot be connected to in time".into()),
            ureq::Error::Timeout(_) => told(
                Fault::Time,
                format!("no answer within {} s", self.timeout.as_secs_f64()),
                "see what the server is at, or give a longer timeout",
            ),
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                broken("nothing listens there (connection refused)".into())
            }
            ureq::Error::Io(error) => broken(format!("the connection broke ({error})")),
            ureq::Error::HostNotFound => told(
                Fault::Settings,
                "there is no such host".into(),
                "give the address of the server, as http://127.0.0.1:4242",
            ),
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => {
                told(Fault::Settings, format!("{error}"), "give an address as http://127.0.0.1:4242")
            }
            ureq::Error::BodyExceedsLimit(_) => told(
                Fault::Answer,
                format!("the answer has more than {most} bytes, which its numbers cannot need"),
                "see what the server sends, and whether the sizes that it states are right",
            ),
            ureq::Error::LargeResponseHeader(..) => told(
                Fault::Answer,
                format!("the answer's head has more than {MAX_HEAD} bytes"),
                "see whether a UM-Bridge server is at this address",
            ),
            ureq::Error::ConnectionFailed => broken("it cannot be connected to".into()),
            ureq::Error::Protocol(_) => told(
                Fault::Answer,
                format!("the answer is no HTTP ({error})"),
                "see whether a UM-Bridge server is at this address",
            ),
            other => broken(format!("{other}")),
        }
    }
}

/// What can be shown of a text that came from elsewhere.
pub(crate) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN).map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}
