//! Checks that what a provider signs is byte for byte what goes out.

use std::sync::{LazyLock, Mutex};

use proptest::prelude::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;
use crate::config::read;
use crate::config::tests::vendor::described;
use crate::providers::{Classification, CredentialField, Descriptor, Lookup, Origin, Step, names};

static WITNESS: LazyLock<Arc<Descriptor>> = LazyLock::new(|| {
    Arc::new(Descriptor {
        origins: vec![Origin::new("api", "https://api.example")],
        credentials: vec![CredentialField::secret("api_key", "API key").optional()],
        reply_headers: names(&["x-said"]),
        ..Descriptor::new("witness", "Witness")
    })
});

/// Remembers what it signed, and adds a parameter of its own, as signing may.
#[derive(Default)]
struct RecordingProvider(Mutex<Vec<String>>);

impl Provider for RecordingProvider {
    fn descriptor(&self) -> &Arc<Descriptor> {
        &WITNESS
    }

    fn start(&self, _: &Lookup) -> Result<Step, ProviderError> {
        Err(ProviderError::Unsupported(String::new()))
    }

    fn classify(&self, _: &Call, _: &Reply) -> Classification {
        unreachable!("nothing is judged here")
    }

    fn sign(&self, call: &mut Call, key: &ExposedKey<'_>, _: Timestamp) -> Result<(), ProviderError> {
        call.add("by", "wit ness");
        self.0.lock().unwrap().push(call.target(key.prefix()));
        Ok(())
    }
}

/// Transports to base URLs with several paths, made once: each loads certificates.
static BELOW: LazyLock<Vec<Transport>> = LazyLock::new(|| {
    let paths = ["", "/", "/api", "/a/b/"].iter();
    paths
        .map(|path| transport(&format!("https://api.example{path}")))
        .collect()
});

fn transport(base_url: &str) -> Transport {
    let text = format!("[providers.witness]\nbase_url = {base_url:?}\n");
    let loaded = read("my.toml", &text, false, &[], &described(&[&WITNESS])).unwrap();
    Transport::new(&loaded.settings.providers["witness"], Arc::default()).unwrap()
}

fn signing<'a>(key: &'a Key, reference: &'a Reference) -> Signing<'a> {
    Signing {
        key,
        session: None,
        reference,
        now: Timestamp::UNIX_EPOCH,
    }
}

/// Says where a request would go: path and query.
fn target(request: &reqwest::Request) -> String {
    request.url()[url::Position::BeforePath..url::Position::AfterQuery].to_owned()
}

proptest! {
    #[test]
    fn any_query_is_signed_as_it_is_sent(
        transport in (0..BELOW.len()).prop_map(|at| &BELOW[at]),
        pairs in proptest::collection::vec(("\\PC{1,8}", "[\\PC\n\t]{0,24}"), 0..4),
    ) {
        let witness = RecordingProvider::default();
        let mut call = Call::get("api", "any", "/v3/a%20b/c");
        for (name, value) in &pairs {
            call.add(name, value.as_str());
        }
        let reference = Reference::default();
        let request = transport.request(&witness, &call, &signing(&Key::new(), &reference)).unwrap();
        let signed = witness.0.lock().unwrap().pop().unwrap();
        prop_assert_eq!(&signed, &target(&request));
        prop_assert!(signed.ends_with("by=wit%20ness"), "{}", signed);
        let read: Vec<(String, String)> = request.url().query_pairs().into_owned().collect();
        let (_, sent) = read.split_last().unwrap();
        prop_assert_eq!(sent, pairs, "what is sent reads as what was asked");
    }
}

/// Answers one request with this reply, and gives the head of the request.
async fn once(listener: TcpListener, reply: String) -> String {
    let (mut socket, _) = listener.accept().await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(socket.read_u8().await.unwrap());
    }
    socket.write_all(reply.as_bytes()).await.unwrap();
    String::from_utf8(head).unwrap()
}

/// The connection itself tells what went out: nothing between here and there encodes it again.
#[tokio::test]
async fn the_request_line_is_what_was_signed() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let instance = tokio::spawn(once(
        listener,
        "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n".to_owned(),
    ));
    let witness = RecordingProvider::default();
    let call = Call::get("api", "any", "/v3/groups")
        .with("tql", "summary = \"it's 100% a+b/c?d&e=f#g ~ü\\\\ `*`\"")
        .with("fields", "tags")
        .with("fields", "threatAssess");
    let reference = Reference::default();
    let transport = transport(&format!("http://{address}/api"));
    let reply = transport
        .attempt(&witness, &call, &signing(&Key::new(), &reference))
        .await
        .unwrap();
    assert_eq!(reply.status, 204);
    let head = instance.await.unwrap();
    let signed = witness.0.lock().unwrap().pop().unwrap();
    assert_eq!(
        head.lines().next(),
        Some(format!("GET {signed} HTTP/1.1").as_str())
    );
    assert!(
        signed.starts_with("/api/v3/groups?tql=summary%20%3D%20%22it%27s%20100%25%20a%2Bb"),
        "{signed}"
    );
}

/// What a vendor repeats of the key never comes past transport, whatever its answer is; a date at which it may be asked
/// again comes as the seconds until then.
#[tokio::test]
async fn a_reply_comes_without_the_key_and_with_seconds_to_wait() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let body = r#"{"asked":"by canary\u002Dkey/1","link":"https://x.example/?key=canary-key%2F1","n":1}"#;
    let reply = format!(
        "HTTP/1.1 200 OK\r\nConnection: close\r\nX-Said: canary-key/1\r\nDate: Sun, 01 Mar 2026 10:01:30 GMT\r\n\
         Retry-After: Sun, 01 Mar 2026 10:02:00 GMT\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let instance = tokio::spawn(once(listener, reply));
    let key = BTreeMap::from([("api_key".to_owned(), SecretString::from("canary-key/1"))]);
    let reference = Reference::default();
    let signing = signing(&key, &reference);
    let transport = transport(&format!("http://{address}"));
    let call = Call::get("api", "any", "/x");
    let reply = transport
        .attempt(&RecordingProvider::default(), &call, &signing)
        .await
        .unwrap();
    instance.await.unwrap();
    let body: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(
        body,
        serde_json::json!({"asked": "by [key]", "link": "https://x.example/?key=[key]", "n": 1})
    );
    assert_eq!(reply.headers["x-said"], "[key]");
    assert_eq!(reply.retry_after.as_deref(), Some("30"));
}
