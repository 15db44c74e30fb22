//! `OpenAI`'s protocol and what servers have added to it.
//!
//! Seen besides the plain chunks: a first chunk with a role and no content; usage in an event
//! of its own, without choices, or running in every chunk (`continuous_usage_stats`); the ids
//! of a chunk's tokens (`token_ids`); log-probabilities of one token in place of a list
//! (mistral.rs), also where that token has no text; reasoning under two names; an error object
//! in an answer that began well.
//!
//! `chunk` is a message's JSON; here is what it means.

mod chunk;
#[cfg(test)]
mod tests;

use self::chunk::{Choice, Chunk, Logprobs, Timings, Usage};
use super::strict::object;
use super::{Counts, Meaning, NotUnderstood, Stop};

pub fn read(payload: &[u8], counts: &mut Counts) -> Result<Meaning, NotUnderstood> {
    if payload.trim_ascii() == b"[DONE]" {
        return Ok(Meaning {
            is_end: true,
            is_last: true,
            ..Meaning::default()
        });
    }
    let mut chunk: Chunk = object(payload)?;
    if let Some(error) = chunk.error() {
        return Ok(Meaning {
            error: Some(error),
            ..Meaning::default()
        });
    }
    let is_message = chunk.choices.is_some() || chunk.usage.is_some();
    if !is_message && chunk.object.is_none() && chunk.id.is_none() {
        return Err(NotUnderstood);
    }
    let choices = chunk.choices.unwrap_or_default();
    let mut meaning = choices
        .into_iter()
        .next()
        .map(meaning_of)
        .unwrap_or_default();
    if let Some(usage) = chunk.usage {
        take_usage(&usage, &mut meaning, counts);
    }
    if let Some(timings) = chunk.timings {
        take_timings(&timings, &mut meaning, counts);
    }
    Ok(meaning)
}

fn take_usage(usage: &Usage, meaning: &mut Meaning, counts: &mut Counts) {
    meaning.has_figures = true;
    counts.prompt = usage.prompt_tokens.map(u32::from).or(counts.prompt);
    if let Some(total) = usage.completion_tokens {
        let new = counts.advance(total.into());
        // Running usage tells of this chunk; the total at the end of no chunk at all.
        if meaning.tokens == 0 && !meaning.text.is_empty() {
            meaning.tokens = new;
        }
    }
}

/// Timings stand in for usage; where both are told, usage counts.
fn take_timings(timings: &Timings, meaning: &mut Meaning, counts: &mut Counts) {
    meaning.has_figures = true;
    let prompt = timings
        .computed
        .map(|computed| u32::from(computed) + timings.cached.map_or(0, u32::from));
    counts.prompt = counts.prompt.or(prompt);
    counts.output = counts.output.or(timings.predicted.map(u32::from));
}

fn meaning_of(choice: Choice) -> Meaning {
    let known = [
        choice.token_ids.map(|ids| ids.len()),
        choice.logprobs.and_then(Logprobs::tokens),
    ];
    let delta = choice.delta.map(|delta| {
        let reasoning = delta.reasoning_content.or(delta.reasoning);
        (
            delta.content.unwrap_or_default(),
            reasoning.unwrap_or_default(),
        )
    });
    let (content, reasoning) = delta.unwrap_or_default();
    let text = choice.text.unwrap_or(content);
    let is_reasoning = text.is_empty() && !reasoning.is_empty();
    Meaning {
        text: if is_reasoning { reasoning } else { text },
        is_reasoning,
        tokens: known.into_iter().flatten().next().map_or(0, super::count),
        stop: match choice.finish_reason.as_deref() {
            Some("length") => Stop::Length,
            Some("stop" | "eos_token") => Stop::EndOfSequence,
            _ => Stop::Unknown,
        },
        is_end: choice.finish_reason.is_some(),
        ..Meaning::default()
    }
}
