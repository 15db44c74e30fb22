//! Sees every token of an answer at the moment it is chosen.
//!
//! The engine's own stream cannot tell: it sends no piece for a special token or for a part of
//! a character, and no ids. But it shows the logits of each step to a processor, and under
//! greedy decoding they are the choice.

use std::sync::{Mutex, PoisonError};

use candle_core::{Error, Result, Storage, Tensor};
use mistralrs_core::CustomLogitsProcessor;

use crate::clock::now_ns;

/// A token and when it was chosen.
#[derive(Clone, Copy, Debug)]
pub struct Chosen {
    pub id: u32,
    pub ns: i64,
}

/// Watches one answer. Leaves the logits as they are.
pub struct Watch {
    prompt_tokens: usize,
    chosen: Mutex<Vec<Chosen>>,
}

impl Watch {
    pub fn new(prompt_tokens: usize, new_tokens: usize) -> Self {
        Self {
            prompt_tokens,
            chosen: Mutex::new(Vec::with_capacity(new_tokens)),
        }
    }

    /// What was seen so far.
    pub fn chosen(&self) -> Vec<Chosen> {
        self.chosen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl CustomLogitsProcessor for Watch {
    fn apply(&self, logits: &Tensor, context: &[u32]) -> Result<Tensor> {
        let id = best_token(logits)?;
        let ns = now_ns();
        let mut chosen = self.chosen.lock().unwrap_or_else(PoisonError::into_inner);
        // What the engine went on with must be what was seen, or the ids would be made up.
        let taken = context.get(self.prompt_tokens..).unwrap_or_default();
        if taken.len() != chosen.len() || taken.last() != chosen.last().map(|last| &last.id) {
            return Err(Error::Msg(format!(
                "the engine went on with {taken:?} where the best tokens were {chosen:?}"
            )));
        }
        chosen.push(Chosen { id, ns });
        Ok(logits.clone())
    }
}

/// What [`Watch::apply`] takes from the engine for each token, in nanoseconds, over a vocabulary
/// of this size: the median over many tokens.
pub fn watch_cost_ns(vocabulary: usize) -> Result<i64> {
    const TOKENS: usize = 101;
    let logits = Tensor::zeros(
        vocabulary,
        candle_core::DType::F32,
        &candle_core::Device::Cpu,
    )?;
    let best = best_token(&logits)?;
    let watch = Watch::new(0, TOKENS);
    let context = vec![best; TOKENS];
    let mut costs = Vec::with_capacity(TOKENS);
    for taken in 0..TOKENS {
        let begin_ns = now_ns();
        watch.apply(&logits, &context[..taken])?;
        costs.push(now_ns() - begin_ns);
    }
    costs.sort_unstable();
    Ok(costs[TOKENS / 2])
}

/// The token with the highest logit; of equal ones the last, as the engine's sampler has it.
fn best_token(logits: &Tensor) -> Result<u32> {
    let (storage, layout) = logits.storage_and_layout();
    let Storage::Cpu(storage) = &*storage else {
        return Err(Error::Msg("the logits are not in main memory".to_owned()));
    };
    let Some((start, end)) = layout.contiguous_offsets() else {
        return Err(Error::Msg("the logits are not contiguous".to_owned()));
    };
    let mut best = None;
    let mut highest = f32::NEG_INFINITY;
    for (id, &logit) in (0u32..).zip(&storage.as_slice::<f32>()?[start..end]) {
        if logit >= highest {
            highest = logit;
            best = Some(id);
        }
    }
    best.ok_or_else(|| Error::Msg("no logit is a number: the weights are not usable".to_owned()))
}
