//! How likely given tokens are: rows of logits turned into logarithms of probabilities.

use candle_core::{DType, Error, Result, Tensor};

/// What the model makes of given tokens; `top` entries for each of them, best first.
pub struct Scores {
    pub logprobs: Vec<f64>,
    pub top_ids: Vec<Vec<u32>>,
    pub top_logprobs: Vec<Vec<f64>>,
}

/// The scores of `tokens`, the first of which follows row `first` of `logits`, shape (places,
/// vocabulary).
pub fn scores(logits: &Tensor, first: usize, tokens: &[u32], top: usize) -> Result<Scores> {
    let mut found = Scores {
        logprobs: Vec::with_capacity(tokens.len()),
        top_ids: Vec::with_capacity(tokens.len()),
        top_logprobs: Vec::with_capacity(tokens.len()),
    };
    for (place, &token) in tokens.iter().enumerate() {
        let row: Vec<f32> = logits
            .get(first + place)?
            .to_dtype(DType::F32)?
            .flatten_all()?
            .to_vec1()?;
        add_row(&mut found, &row, token, top)?;
    }
    Ok(found)
}

fn add_row(found: &mut Scores, row: &[f32], token: u32, top: usize) -> Result<()> {
    let highest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if !highest.is_finite() {
        return Err(Error::Msg(
            "no logit is a number: the weights are not usable".to_owned(),
        ));
    }
    let sum: f64 = row
        .iter()
        .filter(|logit| !logit.is_nan())
        .map(|&logit| f64::from(logit - highest).exp())
        .sum();
    let normal = f64::from(highest) + sum.ln();
    let own = row
        .get(token as usize)
        .ok_or_else(|| Error::Msg(format!("token id {token} is not in the vocabulary")))?;
    found.logprobs.push(f64::from(*own) - normal);
    // The best first, of equal ones the lowest id.
    let mut ids: Vec<u32> = (0u32..).take(row.len()).collect();
    let order = |left: &u32, right: &u32| {
        row[*right as usize]
            .total_cmp(&row[*left as usize])
            .then(left.cmp(right))
    };
    ids.retain(|&id| !row[id as usize].is_nan());
    let top = top.min(ids.len());
    if top > 0 {
        ids.select_nth_unstable_by(top - 1, order);
    }
    ids.truncate(top);
    ids.sort_unstable_by(order);
    found.top_logprobs.push(
        ids.iter()
            .map(|&id| f64::from(row[id as usize]) - normal)
            .collect(),
    );
    found.top_ids.push(ids);
    Ok(())
}
