//! Servers that do not do as they should: every one ends in a clear error, in bounded time and memory.
#![allow(clippy::unwrap_used)]

#[path = "../../../tests/common/umbridge.rs"]
mod umbridge;

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use umbridge::{Server, decays, reply};
use wngd_umbridge::{CallError, Client, Fault, Settings};

fn settings(server: &Server) -> Settings {
    Settings { timeout: Duration::from_millis(400), retries: 0, ..Settings::new(server.url(), "forward") }
}

/// The error of a server that misbehaves at one endpoint.
fn error(endpoint: &'static str, mischief: impl Fn(&mut TcpStream) + Send + Sync + 'static) -> CallError {
    let server =
        Server::mischievous(decays(3, 5), 0, move |asked, _, stream| (asked == endpoint).then(|| mischief(stream)));
    let clock = Instant::now();
    let theta = [0.5, 1.0, 1.5];
    let found = Client::connect(settings(&server)).and_then(|client| match endpoint {
        "Gradient" => client.gradient(&theta, &[1.0; 5]),
        "ApplyJacobian" => client.apply_jacobian(&theta, &[1.0; 3]),
        _ => client.evaluate(&theta),
    });
    let error = found.unwrap_err();
    assert!(clock.elapsed() < Duration::from_secs(5), "{endpoint}: {:?}", clock.elapsed());
    let text = error.to_string();
    for part in [&server.url()[..], endpoint, "\"forward\""] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(error.endpoint == endpoint && !error.remedy.is_empty() && text.len() < 900, "{text}");
    error
}

#[test]
fn an_honest_server_is_understood() {
    let server = Server::of(decays(3, 5));
    let client = Client::connect(settings(&server)).unwrap();
    assert_eq!((client.parameters(), client.values()), (3, 5));
    assert!(client.support().gradient && client.support().apply_jacobian);
    let theta = [0.1, 1.0 / 3.0, 1.5e-7];
    // Every digit crosses the wire.
    assert_eq!(client.evaluate(&theta).unwrap(), (decays(3, 5).evaluate)(&theta));
    let v = [0.3, -1.0, 2.0 / 7.0];
    assert_eq!(client.apply_jacobian(&theta, &v).unwrap(), decays(3, 5).apply.unwrap()(&theta, &v));
    let s = [1.0, 0.1, -0.7, 1e-9, 3.0];
    assert_eq!(client.gradient(&theta, &s).unwrap(), decays(3, 5).gradient.unwrap()(&theta, &s));
}

#[test]
fn endpoints_that_misbehave_are_named() {
    for endpoint in ["Info", "ModelInfo", "InputSizes", "OutputSizes", "Evaluate", "Gradient", "ApplyJacobian"] {
        let closed = error(endpoint, |_| {});
        assert_eq!(closed.fault, Fault::Connection, "{closed}");
        let failed = error(endpoint, |stream| reply(stream, 500, "<h1>Internal Server Error</h1>"));
        assert!(failed.fault == Fault::Refused && failed.cause.contains("500"), "{failed}");
        let told = r#"{"error": {"type": "MeshError", "message": "cell 7 is inverted"}}"#;
        let told = error(endpoint, move |stream| reply(stream, 400, told));
        assert!(told.cause.contains("MeshError") && told.cause.contains("cell 7 is inverted"), "{told}");
        let hangs = error(endpoint, |_| std::thread::sleep(Duration::from_millis(1500)));
        assert!(hangs.fault == Fault::Time && hangs.cause.contains("0.4 s"), "{hangs}");
        let moved = error(endpoint, |stream| {
            let _ = stream
                .write_all(b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere.invalid/\r\nContent-Length: 0\r\n\r\n");
        });
        assert!(moved.cause.contains("redirects to http://elsewhere.invalid/"), "{moved}");
        let nonsense = error(endpoint, |stream| reply(stream, 200, "\u{1b}[31mhello"));
        assert!(nonsense.fault == Fault::Answer && nonsense.cause.contains("hello"), "{nonsense}");
        assert!(!nonsense.to_string().contains('\u{1b}'), "{nonsense}");
    }
}

#[test]
fn lies_about_sizes_are_told() {
    let of = |endpoint, text: &'static str| error(endpoint, move |stream| reply(stream, 200, text));
    let short = of("Evaluate", r#"{"output": [[1.0, 2.0]]}"#);
    assert!(short.cause.contains("outputs of 2 values came, and 5 were stated"), "{short}");
    let none = of("Evaluate", r#"{"output": []}"#);
    assert!(none.cause.contains("outputs of no values came"), "{none}");
    let short = of("Gradient", r#"{"output": [1.0]}"#);
    assert!(short.cause.contains("1 values came, and 3 are needed"), "{short}");
    let long = of("ApplyJacobian", r#"{"output": [1.0, 1, 1, 1, 1, 1, 1]}"#);
    assert!(long.cause.contains("7 values came, and 5 are needed"), "{long}");
    for text in [
        r#"{"outputSizes": [18446744073709551615, 2]}"#,
        r#"{"outputSizes": []}"#,
        r#"{"outputSizes": [9000000000000]}"#,
    ] {
        let impossible = of("OutputSizes", text);
        assert!(impossible.cause.contains("between 1 and 100000000 are possible"), "{impossible}");
    }
    let negative = of("InputSizes", r#"{"inputSizes": [-3]}"#);
    assert!(negative.cause.contains("-3"), "{negative}");
    let several = of("OutputSizes", r#"{"outputSizes": [5, 2]}"#);
    assert!(several.cause.contains("2 outputs") && several.remedy.contains("output = 0"), "{several}");
    let old = of("Info", r#"{"protocolVersion": 0.9, "models": ["forward"]}"#);
    assert!(old.cause.contains("0.9") && old.remedy.contains("1.0"), "{old}");
    let other = of("Info", r#"{"protocolVersion": 1.0, "models": ["posterior"]}"#);
    assert!(other.remedy.contains("\"posterior\""), "{other}");
    let unable = of("ModelInfo", r#"{"support": {"Evaluate": false}}"#);
    assert!(unable.cause.contains("no Evaluate"), "{unable}");
}

#[test]
fn what_is_no_number_is_told() {
    for (endpoint, text) in [
        ("Evaluate", r#"{"output": [[1.0, nan, 1.0, 1.0, 1.0]]}"#),
        ("Evaluate", r#"{"output": [[1.0, null, 1.0, 1.0, 1.0]]}"#),
        ("Evaluate", r#"{"output": [[1.0, -Infinity, 1.0, 1.0, NaN]]}"#),
        ("Gradient", r#"{"output": [1.0, inf, 1.0]}"#),
    ] {
        let error = error(endpoint, move |stream| reply(stream, 200, text));
        assert!(error.fault == Fault::NotFinite && error.cause.starts_with("value 1 of"), "{error}");
    }
    let numpy = error("Evaluate", |stream| reply(stream, 200, r#"{"output": [[np.float64(1.0)]]}"#));
    assert!(numpy.remedy.contains("tolist()"), "{numpy}");
}

/// Resident memory of this process, in bytes; 0 where that is not known.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    text.split(' ').nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4096
}

#[test]
fn answers_without_end_are_cut() {
    let before = resident();
    for length in ["Content-Length: 1000000000\r\n", ""] {
        let endless = error("Evaluate", move |stream| {
            let head = format!("HTTP/1.1 200 OK\r\n{length}\r\n{{\"output\": [[");
            let _ = stream.write_all(head.as_bytes());
            let block = vec![b' '; 1 << 16];
            // Until the client has had enough, or a gigabyte.
            (0..1 << 14).take_while(|_| stream.write_all(&block).is_ok()).for_each(drop);
        });
        assert!(endless.fault == Fault::Answer && endless.cause.contains("bytes"), "{endless}");
    }
    let head = error("Evaluate", |stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n");
        let line = format!("X-Long: {}\r\n", "x".repeat(1000));
        (0..100_000).take_while(|_| stream.write_all(line.as_bytes()).is_ok()).for_each(drop);
    });
    assert_eq!(head.fault, Fault::Answer, "{head}");
    let drip = error("Evaluate", |stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        (0..60)
            .take_while(|_| {
                std::thread::sleep(Duration::from_millis(50));
                stream.write_all(b" ").is_ok()
            })
            .for_each(drop);
    });
    assert_eq!(drip.fault, Fault::Time, "{drip}");
    assert!(resident().saturating_sub(before) < 64 << 20, "{before} {}", resident());
}

#[test]
fn addresses_that_are_none_are_told() {
    for url in ["https://127.0.0.1:1", "127.0.0.1:4242", "http://", "http://a b", "file:///etc/passwd", "http://u:p@h"]
    {
        let error = Client::connect(Settings::new(url, "forward")).unwrap_err();
        assert!(error.fault == Fault::Settings && error.remedy.contains("http://HOST:PORT"), "{error}");
    }
    let clock = Instant::now();
    let nobody = Client::connect(Settings::new("http://127.0.0.1:9", "forward")).unwrap_err();
    assert!(nobody.fault == Fault::Connection && nobody.cause.contains("nothing listens"), "{nobody}");
    assert!(clock.elapsed() < Duration::from_secs(2), "a server that never was there is not waited for");
}

#[test]
fn broken_connections_are_tried_again_a_stated_number_of_times() {
    let mischief = |bad: usize| {
        move |asked: &str, number: usize, stream: &mut TcpStream| match (asked, number) {
            ("Evaluate", n) if n <= bad => {
                if n % 2 == 0 {
                    reply(stream, 503, "busy");
                }
                Some(())
            }
            _ => None,
        }
    };
    let theta = [0.5, 1.0, 1.5];
    let server = Server::mischievous(decays(3, 5), 0, mischief(2));
    let client = Client::connect(Settings { retries: 2, ..settings(&server) }).unwrap();
    assert!(client.evaluate(&theta).is_ok());
    assert_eq!(server.calls("Evaluate"), 3);
    let server = Server::mischievous(decays(3, 5), 0, mischief(9));
    let client = Client::connect(Settings { retries: 2, ..settings(&server) }).unwrap();
    let error = client.evaluate(&theta).unwrap_err();
    assert!(error.fault == Fault::Connection && error.cause.contains("3 times"), "{error}");
    assert_eq!(server.calls("Evaluate"), 3);
    // What a model refuses is not asked again.
    let server = Server::mischievous(decays(3, 5), 0, |asked, _, stream| {
        (asked == "Evaluate").then(|| reply(stream, 500, "no"))
    });
    let client = Client::connect(Settings { retries: 5, ..settings(&server) }).unwrap();
    assert!(client.evaluate(&theta).is_err());
    assert_eq!(server.calls("Evaluate"), 1);
}

#[test]
fn no_more_calls_are_under_way_than_stated() {
    for requests in [1, 3] {
        let server = Server::mischievous(decays(3, 5), 0, |asked, _, _| {
            if asked == "Evaluate" {
                std::thread::sleep(Duration::from_millis(60));
            }
            None
        });
        let client = Client::connect(Settings { requests, ..settings(&server) }).unwrap();
        std::thread::scope(|scope| {
            for _ in 0..6 {
                scope.spawn(|| client.evaluate(&[0.5, 1.0, 1.5]).unwrap());
            }
        });
        assert_eq!(server.most(), requests);
    }
}
