//! Sees every token of an answer at the moment it is chosen.
//!
//! The engine's own stream cannot tell: it sends no piece for a special token or for a part of
//! a character, and no ids. But it shows the logits of each step to a processor, and under
//! greedy decoding they are the choice. The logits that the processor hands back tell when the
//! engine's sampler lets go of them: there the next step begins.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use candle_core::{
    CpuStorage, CustomOp2, DType, Device, Error, Layout, Result, Shape, Storage, Tensor, Var,
};
use mistralrs_core::CustomLogitsProcessor;

use crate::clock::now_ns;

/// A token and when it was chosen.
#[derive(Clone, Copy, Debug)]
pub struct Chosen {
    pub id: u32,
    /// The logits were there.
    pub ready_ns: i64,
    pub ns: i64,
}

/// Where the time between a request and its last token went, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Until the first logits were there, the way to the engine's own thread included.
    pub prefill: i64,
    /// Between letting go of one row of logits and seeing the next.
    pub decode: i64,
    /// The engine's sampler, and within it our look.
    pub sample: i64,
}

/// Watches one answer. Leaves the logits as they are.
pub struct Watch {
    prompt_tokens: usize,
    chosen: Mutex<Vec<Chosen>>,
    /// When the sampler was done with each row of logits.
    sampled_ns: Arc<Mutex<Vec<i64>>>,
    /// What makes candle remember how a tensor came about, and so keep the `Farewell` with it.
    mark: Tensor,
}

impl Watch {
    pub fn new(prompt_tokens: usize, new_tokens: usize) -> Result<Self> {
        Ok(Self {
            prompt_tokens,
            chosen: Mutex::new(Vec::with_capacity(new_tokens)),
            sampled_ns: Arc::new(Mutex::new(Vec::with_capacity(new_tokens))),
            mark: Var::zeros(1, DType::F32, &Device::Cpu)?.as_tensor().clone(),
        })
    }

    /// What was seen so far.
    pub fn chosen(&self) -> Vec<Chosen> {
        lock(&self.chosen).clone()
    }

    /// Where the time went; None if the engine kept a row of logits for later.
    pub fn spent(&self, requested_ns: i64) -> Option<Spent> {
        spent(requested_ns, &lock(&self.chosen), &lock(&self.sampled_ns))
    }
}

fn lock<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

fn spent(requested_ns: i64, chosen: &[Chosen], sampled_ns: &[i64]) -> Option<Spent> {
    if chosen.is_empty() || chosen.len() != sampled_ns.len() {
        return None;
    }
    let mut found = Spent {
        prefill: chosen[0].ready_ns - requested_ns,
        ..Spent::default()
    };
    for (token, done_ns) in chosen.iter().zip(sampled_ns) {
        found.sample += done_ns - token.ready_ns;
    }
    for (next, done_ns) in chosen[1..].iter().zip(sampled_ns) {
        found.decode += next.ready_ns - done_ns;
    }
    Some(found)
}

/// Goes with a copy of the logits and notes when it is dropped.
struct Farewell(Arc<Mutex<Vec<i64>>>);

impl CustomOp2 for Farewell {
    fn name(&self) -> &'static str {
        "farewell"
    }

    fn cpu_fwd(
        &self,
        logits: &CpuStorage,
        layout: &Layout,
        _: &CpuStorage,
        _: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let copy = row(logits, layout)?.to_vec();
        Ok((CpuStorage::F32(copy), layout.shape().clone()))
    }
}

impl Drop for Farewell {
    fn drop(&mut self) {
        lock(&self.0).push(now_ns());
    }
}

impl CustomLogitsProcessor for Watch {
    fn apply(&self, logits: &Tensor, context: &[u32]) -> Result<Tensor> {
        let ready_ns = now_ns();
        let id = best_token(logits)?;
        let ns = now_ns();
        let mut chosen = lock(&self.chosen);
        // What the engine went on with must be what was seen, or the ids would be made up.
        let taken = context.get(self.prompt_tokens..).unwrap_or_default();
        if taken.len() != chosen.len() || taken.last() != chosen.last().map(|last| &last.id) {
            return Err(Error::Msg(format!(
                "the engine went on with {taken:?} where the best tokens were {chosen:?}"
            )));
        }
        chosen.push(Chosen { id, ready_ns, ns });
        logits.apply_op2(&self.mark, Farewell(Arc::clone(&self.sampled_ns)))
    }
}

/// What [`Watch::apply`] takes from the engine for each token, in nanoseconds, over a vocabulary
/// of this size: the median over many tokens.
pub fn watch_cost_ns(vocabulary: usize) -> Result<i64> {
    const TOKENS: usize = 101;
    let logits = Tensor::zeros(vocabulary, DType::F32, &Device::Cpu)?;
    let best = best_token(&logits)?;
    let watch = Watch::new(0, TOKENS)?;
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
    let mut best = None;
    let mut highest = f32::NEG_INFINITY;
    for (id, &logit) in (0u32..).zip(row(storage, layout)?) {
        if logit >= highest {
            highest = logit;
            best = Some(id);
        }
    }
    best.ok_or_else(|| Error::Msg("no logit is a number: the weights are not usable".to_owned()))
}

fn row<'a>(logits: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let Some((start, end)) = layout.contiguous_offsets() else {
        return Err(Error::Msg("the logits are not contiguous".to_owned()));
    };
    Ok(&logits.as_slice::<f32>()?[start..end])
}
