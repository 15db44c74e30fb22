//! mistral.rs with a model in memory: the same for our binding and for its server, so that
//! what differs between the two is how they are reached.

use std::sync::Arc;

use anyhow::{Context, Result};
use candle_core::{DType, Device};
use mistralrs_core::{
    DeviceMapSetting, IsqType, ModelDType, NormalLoaderBuilder, NormalSpecificConfig, Pipeline,
    TokenSource,
};
use tokio::sync::Mutex;

/// A model as mistral.rs's engines take it.
pub type SharedPipeline = Arc<Mutex<dyn Pipeline + Send + Sync>>;

/// A loaded model.
pub struct Loaded {
    /// The model itself.
    pub pipeline: SharedPipeline,
    /// What all that is not quantised is held in.
    pub dtype: DType,
}

/// Load a folder of safetensors onto the CPU.
///
/// With `isq` the matrices are quantised, the output head among them: while it loads,
/// mistralrs-core 0.8.1 leaves out a head that shares its weights with the embedding, so it
/// is told to quantise all it knows once more. What is quantised already stays as it is.
///
/// `chat_template` is a file to take in place of the model's own.
///
/// # Errors
/// The folder holds no model that can be loaded.
pub fn load(
    folder: &str,
    dtype: ModelDType,
    isq: Option<IsqType>,
    chat_template: Option<String>,
) -> Result<Loaded> {
    let loader = NormalLoaderBuilder::new(
        NormalSpecificConfig::default(),
        None,
        None,
        Some(folder.to_owned()),
        false,
        chat_template,
    )
    .build(None)?;
    let pipeline = loader.load_model_from_hf(
        None,
        TokenSource::None,
        &dtype,
        &Device::Cpu,
        true,
        DeviceMapSetting::dummy(),
        isq,
        None,
    )?;
    let dtype = {
        let mut weights = pipeline
            .try_lock()
            .context("the model is in use before it is loaded")?;
        if let Some(isq) = isq {
            weights.re_isq_model(isq)?;
        }
        weights.get_metadata().activation_dtype
    };
    Ok(Loaded { pipeline, dtype })
}
