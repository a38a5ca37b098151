//! Extracts the body of a request: read within the bounds of its kind once the client is known, decoded where that holds up no
//! other request.

use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::web::{self, Data};
use actix_web::{FromRequest, HttpRequest};
use futures_util::future::LocalBoxFuture;
use serde::de::DeserializeOwned;
use url::form_urlencoded;

use super::json::decoded;
use super::principal::{LocalOperator, app_of};
use super::problem::Problem;
use crate::app::App;
use crate::net::bodies::{Body, Sender};

/// Bodies longer than this are read where that holds up no other request of the worker.
const LARGE: usize = 8 << 10;

/// Says what a route takes as a body.
pub trait BodyKind: 'static {
    /// The most bytes.
    const MOST_BYTES: usize;
    /// What it is called, with its article: `an alert`.
    const NAME: &'static str;
    /// What the query may say beside it.
    const IN_QUERY: &'static [&'static str] = &[];
}

/// Is the body of a request, of a kind. Extracted behind who asks, it is read only where they may.
#[derive(Debug)]
pub struct RequestBody<T> {
    app: Data<App>,
    bytes: Arc<Body>,
    kind: PhantomData<T>,
}

impl<T> Deref for RequestBody<T> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl<T: BodyKind> RequestBody<T> {
    /// Works on the body: a large one beside the workers, in its turn. Its memory counts until that is done.
    ///
    /// # Errors
    /// The [`Problem`] of work that failed.
    pub async fn work<R: Send + 'static>(
        &self,
        work: impl FnOnce(&[u8]) -> R + Send + 'static,
    ) -> Result<R, Problem> {
        if self.len() <= LARGE {
            return Ok(work(self));
        }
        let bytes = Arc::clone(&self.bytes);
        let worked = self.app.reading.write(false, move || work(&bytes)).await;
        worked.map_err(|error| {
            let detail = "the body could not be read; the server's log says why";
            let title = "The request could not be read";
            Problem::internal("failed", title, detail, format!("{error:?}"))
        })
    }
}

impl<T: BodyKind + DeserializeOwned> RequestBody<T> {
    /// Reads the JSON in the body.
    ///
    /// # Errors
    /// The [`Problem`] of a body that is none of its kind.
    pub fn json(&self) -> Result<T, Problem> {
        decoded(self, T::NAME).map_err(Problem::invalid)
    }
}

impl<T: BodyKind> FromRequest for RequestBody<T> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(http: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let payload = web::Payload::from_request(http, payload).into_inner();
        let http = http.clone();
        Box::pin(async move {
            let app = app_of(&http)?.clone();
            // A member that was passed over would pass for taken. What it is may be secret, and is not repeated.
            let mut query = form_urlencoded::parse(http.query_string().as_bytes());
            if query.any(|(name, _)| !T::IN_QUERY.contains(&name.as_ref())) {
                let detail = format!(
                    "the query: nothing is taken from it here; every member of {} stands in the body",
                    T::NAME
                );
                return Err(Problem::invalid(detail));
            }
            let payload = payload.map_err(|error| Problem::invalid(error.to_string()))?;
            let sender = match http.conn_data::<LocalOperator>() {
                Some(_) => Sender::Operator,
                None => Sender::Known,
            };
            let max = T::MOST_BYTES.min(app.configured.load().settings().server.max_body);
            let read = app.bodies.read(&http, payload, max, sender).await;
            let bytes = Arc::new(read.map_err(|unread| Problem::unread(unread, T::NAME))?);
            Ok(Self {
                app,
                bytes,
                kind: PhantomData,
            })
        })
    }
}
