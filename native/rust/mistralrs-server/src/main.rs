//! mistral.rs's own HTTP server (`mistralrs-server-core`) on a model that is loaded as our
//! binding loads it.
//!
//! Its routes, its handlers and its engine are mistral.rs's. Ours are:
//! - two names for the one model, [`ENDS`] and [`GOES_ON`]: a request cannot say whether an end
//!   of sequence is to end its answer, only an engine can be told. Each name is an engine of its
//!   own, and both run on the same weights;
//! - `GET /props`, which says what the model is held in and how many threads compute.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::sync::Arc;

use anyhow::{Context, Error, Result};
use axum::Json;
use axum::routing::get;
use candle_core::{Device, utils::get_num_threads};
use clap::Parser;
use mistralrs_core::{
    AddModelConfig, DefaultSchedulerMethod, EngineConfig, IsqType, MistralRs, MistralRsBuilder,
    ModelDType, SchedulerConfig, initialize_logging, parse_isq_value,
};
use mistralrs_server_core::mistralrs_server_router_builder::MistralRsServerRouterBuilder;
use polystack_mistralrs_engine::{SharedPipeline, load};
use serde_json::json;
use tokio::net::TcpSocket;
use tokio::runtime::Runtime;

/// The model's name for requests whose answer an end of sequence ends.
const ENDS: &str = "ends";
/// The model's name for requests that go on after an end of sequence.
const GOES_ON: &str = "goes-on";
/// Connections that may wait to be taken.
const BACKLOG: u32 = 1024;

/// mistral.rs's server, on 127.0.0.1 only.
#[derive(Parser)]
struct Options {
    /// The folder of safetensors.
    folder: String,
    /// Where to listen.
    #[arg(long)]
    port: u16,
    /// What to hold in memory all that is not quantised.
    #[arg(long)]
    dtype: ModelDType,
    /// What to quantise the matrices to.
    #[arg(long, value_parser = isq_named)]
    isq: Option<IsqType>,
    /// A chat template to take in place of the model's own.
    #[arg(long)]
    chat_template: String,
    /// Requests that are computed at once; more of them wait.
    #[arg(long)]
    slots: NonZeroUsize,
}

fn isq_named(name: &str) -> Result<IsqType, String> {
    parse_isq_value(name, Some(&Device::Cpu))
}

fn main() -> Result<()> {
    let options = Options::parse();
    initialize_logging();
    // Before the model is loaded, so that a port in use is told at once. It listens later: who
    // finds it listening shall find somebody who answers.
    let socket = TcpSocket::new_v4()?;
    socket
        .bind(SocketAddr::from((Ipv4Addr::LOCALHOST, options.port)))
        .with_context(|| format!("port {} cannot be had", options.port))?;
    let loaded = load(
        &options.folder,
        options.dtype,
        options.isq,
        Some(options.chat_template),
    )?;
    let props = json!({
        "dtype": loaded.dtype.as_str(),
        "slots": options.slots,
        "threads": get_num_threads(),
    });
    Runtime::new()?.block_on(async {
        let engines = engines(loaded.pipeline, options.slots).await?;
        let router = MistralRsServerRouterBuilder::new()
            .with_mistralrs(engines)
            // No page that a browser shows has any business here.
            .with_allowed_origins(Vec::new())
            .build()
            .await?
            .route("/props", get(async move || Json(props)));
        axum::serve(socket.listen(BACKLOG)?, router).await?;
        Ok(())
    })
}

/// One engine for each of the two names, on one model. Neither keeps anything of a prompt.
async fn engines(pipeline: SharedPipeline, slots: NonZeroUsize) -> Result<Arc<MistralRs>> {
    let scheduler = SchedulerConfig::DefaultScheduler {
        method: DefaultSchedulerMethod::Fixed(slots),
    };
    let engines = MistralRsBuilder::new(pipeline.clone(), scheduler.clone(), false, None)
        .with_model_id(ENDS)
        .with_no_prefix_cache(true)
        .with_prefix_cache_n(0)
        .build()
        .await;
    let config = EngineConfig {
        no_prefix_cache: true,
        prefix_cache_n: 0,
        disable_eos_stop: true,
        throughput_logging_enabled: false,
        ..EngineConfig::default()
    };
    engines
        .add_model(
            GOES_ON.to_owned(),
            pipeline,
            scheduler,
            AddModelConfig::new(config),
        )
        .await
        .map_err(Error::msg)?;
    Ok(engines)
}
