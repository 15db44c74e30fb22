//! A model in mistral.rs's own engine, asked for one greedy answer at a time.

use std::num::NonZeroUsize;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use candle_core::{DType, Tensor};
use either::Either;
use mistralrs_core::{
    CustomLogitsProcessor, DefaultSchedulerMethod, DetokenizationRequest, IsqType, MistralRs,
    MistralRsBuilder, ModelDType, NormalRequest, Request, RequestMessage, Response, SamplingParams,
    SchedulerConfig, StopTokens, TokenizationRequest, Usage,
};
use polystack_mistralrs_engine::load;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{Receiver, channel};

use crate::clock::now_ns;
use crate::score::{Scores, scores};
use crate::watch::{Chosen, Spent, Watch};

/// A loaded model and the engine that runs it.
pub struct Model {
    engine: Arc<MistralRs>,
    dtype: DType,
}

/// From a request to the end of its answer, and what the engine says of it.
pub struct Span {
    pub requested_ns: i64,
    pub ended_ns: i64,
    pub usage: Usage,
}

/// One answer, raw.
pub struct Answer {
    pub span: Span,
    pub tokens: Vec<Chosen>,
    pub spent: Spent,
    /// Whether one of the stop tokens ended it; that token is not among `tokens`.
    pub stopped: bool,
}

impl Model {
    /// Load a folder of safetensors onto the CPU, see [`load`].
    pub fn load(folder: &str, dtype: ModelDType, isq: Option<IsqType>) -> Result<Self> {
        let loaded = load(folder, dtype, isq, None)?;
        let scheduler = SchedulerConfig::DefaultScheduler {
            method: DefaultSchedulerMethod::Fixed(NonZeroUsize::MIN),
        };
        // An end of sequence is a token like any other, unless a request names it as a stop.
        let builder = MistralRsBuilder::new(loaded.pipeline, scheduler, false, None)
            .with_no_prefix_cache(true)
            .with_prefix_cache_n(0)
            .with_disable_eos_stop(true);
        // Only needed while the engine is made: it starts a thread and a runtime of its own.
        let runtime = Runtime::new()?;
        Ok(Self {
            engine: runtime.block_on(builder.build()),
            dtype: loaded.dtype,
        })
    }

    /// What all that is not quantised is held in: `f32`.
    pub fn dtype(&self) -> String {
        self.dtype.as_str().to_owned()
    }

    /// The ids of a text, with what the tokenizer puts around it.
    pub fn tokenize(&self, text: String) -> Result<Vec<u32>> {
        let (response, receiver) = channel(1);
        self.ask(Request::Tokenize(TokenizationRequest {
            text: Either::Right(text),
            tools: None,
            add_generation_prompt: false,
            add_special_tokens: true,
            enable_thinking: None,
            reasoning_effort: None,
            response,
        }))?;
        reply(receiver)?
    }

    /// The text of ids, markers written out.
    pub fn detokenize(&self, tokens: Vec<u32>) -> Result<String> {
        let (response, receiver) = channel(1);
        self.ask(Request::Detokenize(DetokenizationRequest {
            tokens,
            skip_special_tokens: false,
            response,
        }))?;
        reply(receiver)?
    }

    /// Answer greedily, until `new_tokens` are there or one of `stop_ids` comes.
    pub fn generate(
        &self,
        prompt: Vec<u32>,
        new_tokens: usize,
        stop_ids: &[u32],
    ) -> Result<Answer> {
        let watch = Arc::new(Watch::new(prompt.len(), new_tokens)?);
        let watched = vec![Arc::clone(&watch) as _];
        let span = self.answer(prompt, new_tokens, stop_ids, watched)?;
        let mut tokens = watch.chosen();
        let counted = span.usage.completion_tokens;
        if tokens.len() < counted {
            bail!(
                "{} tokens were seen, and the engine counts {counted}",
                tokens.len()
            );
        }
        let spent = watch
            .spent(span.requested_ns)
            .context("the engine keeps logits for later: its parts of a request are not known")?;
        // An answer that ends with its first token is told, and then mistralrs-core 0.8.1
        // computes one token more, which nobody gets.
        tokens.truncate(counted);
        let stopped = tokens
            .last()
            .is_some_and(|last| stop_ids.contains(&last.id));
        if stopped {
            tokens.pop();
        }
        Ok(Answer {
            span,
            tokens,
            spent,
            stopped,
        })
    }

    /// The same without looking at the tokens: what a plain program on the crate would do.
    pub fn generate_unwatched(&self, prompt: Vec<u32>, new_tokens: usize) -> Result<Span> {
        self.answer(prompt, new_tokens, &[], Vec::new())
    }

    /// How likely the tokens of `answer` are, each after all before it, in one pass; with the
    /// `top` best tokens of each place.
    pub fn score(&self, prompt: &[u32], answer: &[u32], top: usize) -> Result<Scores> {
        let (response, receiver) = channel(1);
        // The last token is scored, and nothing that would follow it.
        let given = [prompt, &answer[..answer.len() - 1]].concat();
        let sampling = SamplingParams {
            max_len: Some(1),
            ..SamplingParams::deterministic()
        };
        let message = RequestMessage::CompletionTokens(given);
        self.ask(Request::Normal(Box::new(NormalRequest {
            return_raw_logits: true,
            ..NormalRequest::new_simple(message, sampling, response, 0, None, None)
        })))?;
        let logits = logits_of(reply(receiver)?)?;
        Ok(scores(&logits, prompt.len() - 1, answer, top)?)
    }

    fn answer(
        &self,
        prompt: Vec<u32>,
        new_tokens: usize,
        stop_ids: &[u32],
        processors: Vec<Arc<dyn CustomLogitsProcessor>>,
    ) -> Result<Span> {
        let (response, receiver) = channel(1);
        let requested_ns = now_ns();
        let sampling = SamplingParams {
            temperature: Some(0.0),
            max_len: Some(new_tokens),
            stop_toks: (!stop_ids.is_empty()).then(|| StopTokens::Ids(stop_ids.to_vec())),
            ..SamplingParams::deterministic()
        };
        let message = RequestMessage::CompletionTokens(prompt);
        self.ask(Request::Normal(Box::new(NormalRequest {
            logits_processors: Some(processors),
            ..NormalRequest::new_simple(message, sampling, response, 0, None, None)
        })))?;
        let usage = usage_of(reply(receiver)?)?;
        Ok(Span {
            requested_ns,
            ended_ns: now_ns(),
            usage,
        })
    }

    fn ask(&self, request: Request) -> Result<()> {
        self.engine
            .get_sender(None)
            .map_err(|error| anyhow!("{error}"))?
            .blocking_send(request)
            .context("the engine has ended")
    }
}

fn reply<T>(mut receiver: Receiver<T>) -> Result<T> {
    receiver
        .blocking_recv()
        .context("the engine ended without an answer")
}

/// One row for each token that was given.
fn logits_of(response: Response) -> Result<Tensor> {
    match response {
        Response::Raw { logits_chunks, .. } => {
            let [logits] = <[Tensor; 1]>::try_from(logits_chunks)
                .map_err(|chunks| anyhow!("the logits came in {} parts", chunks.len()))?;
            Ok(logits)
        }
        other => usage_of(other).and_then(|_| bail!("the engine gave an answer and no logits")),
    }
}

fn usage_of(response: Response) -> Result<Usage> {
    match response {
        Response::CompletionDone(done) => Ok(done.usage),
        Response::InternalError(error) | Response::ValidationError(error) => bail!("{error}"),
        Response::CompletionModelError(message, _) => bail!("{message}"),
        _ => bail!("the engine's answer is of another kind than the request"),
    }
}
