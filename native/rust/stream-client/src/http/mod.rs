//! HTTP/1.1 as far as a client of streamed answers needs it: bytes in, bytes out; no I/O.

mod request;
mod response;
mod target;

pub use request::RequestTemplate;
pub use response::{HttpError, Response};
pub use target::{Target, resolve};
