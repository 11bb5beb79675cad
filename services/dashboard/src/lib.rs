//! Server-rendered pages; an ordinary client of the gRPC API: what they can show, anyone can.
//!
//! Every page asks the API with the session of who looks, so that the API alone decides what is shown. What moves comes
//! by server-sent events; without script the pages still show the state with which they were loaded.

mod account;
mod administration;
mod arrange;
mod assets;
mod attachment;
mod call;
mod chain;
mod clock;
mod cookie;
mod course;
mod drill;
mod fleet;
mod floor;
mod form;
mod frame;
mod incident;
mod incidents;
mod link;
mod live;
mod machine;
mod open_pages;
mod outage;
mod packing;
mod reverse;
mod router;
mod sign_in;
mod texts;
mod tile;
mod today;
mod usage;
mod visitor;
mod words;

pub use call::{Api, in_process};
pub use open_pages::OpenPages;
pub use router::{Dashboard, Settings, router};
