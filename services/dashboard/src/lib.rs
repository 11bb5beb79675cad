//! Server-rendered pages; an ordinary client of the gRPC API: what they can show, anyone can.
//!
//! For now one page: what each belt does. It needs no script and asks for itself again every two seconds.

mod fleet;
mod page;
mod router;

pub use router::{Dashboard, router};
