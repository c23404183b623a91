//! What several tests set up, ask and serve.

pub(crate) mod asking;
pub(crate) mod calls;
pub(crate) mod checker;
pub(crate) mod desk;
pub(crate) mod http;
pub(crate) mod lab;
pub(crate) mod power;
pub(crate) mod preview;
pub(crate) mod program;
pub(crate) mod rules;
pub(crate) mod sample;
pub(crate) mod site;
pub(crate) mod stage;
pub(crate) mod store;
pub(crate) mod stream;
