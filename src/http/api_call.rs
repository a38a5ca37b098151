//! Describes calls of pivotd's own API, each beside the route that answers it: where a call goes, what it sends and what comes
//! back. The commands make them.

use serde::de::DeserializeOwned;

/// Is a call of a route.
pub trait ApiCall {
    /// What comes back.
    type Reply: DeserializeOwned;
    /// The HTTP method.
    const METHOD: &'static str;
    /// Whether the server may work on it for longer than any client should have to wait otherwise.
    const TAKES_LONG: bool = false;

    /// Returns the path and the query.
    fn path(&self) -> String;

    /// Returns the entity tag of what the call is about, where it changes what was seen before.
    fn if_match(&self) -> Option<String> {
        None
    }

    /// Returns the body; none where nothing is sent.
    ///
    /// # Errors
    /// Where the body cannot be written as JSON.
    fn body(&self) -> serde_json::Result<Option<Vec<u8>>> {
        Ok(None)
    }
}

/// Declares calls that send nothing.
macro_rules! api_call {
    ($($(#[$meta:meta])* $name:ident => $method:ident $path:literal -> $reply:ty;)*) => {
        $(
            $(#[$meta])*
            #[derive(Debug, Clone, Copy)]
            pub struct $name;

            impl $crate::http::api_call::ApiCall for $name {
                type Reply = $reply;
                const METHOD: &'static str = stringify!($method);

                fn path(&self) -> String {
                    $path.to_owned()
                }
            }
        )*
    };
}
pub(crate) use api_call;

/// Makes a type that is sent as JSON a call.
macro_rules! json_call {
    ($name:ty => POST $path:literal -> $reply:ty, takes_long: $takes_long:literal) => {
        impl $crate::http::api_call::ApiCall for $name {
            type Reply = $reply;
            const METHOD: &'static str = "POST";
            const TAKES_LONG: bool = $takes_long;

            fn path(&self) -> String {
                $path.to_owned()
            }

            fn body(&self) -> serde_json::Result<Option<Vec<u8>>> {
                serde_json::to_vec(self).map(Some)
            }
        }
    };
}
pub(crate) use json_call;
