"""The tiny synthetic model of each architecture: engines say the same, and a wrong one is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from python_runner.analyse.answers.limits import limits_for
from python_runner.common.progress import SilentProgress
from python_runner.engines.contract import GenerateRequest, LaunchSettings
from python_runner.engines.hf import engine as hf_transformers
from python_runner.engines.hf.engine import load_parts
from python_runner.engines.hf.score import score
from python_runner.engines.llama import llamacpp
from python_runner.engines.scoring import TokenScores
from python_runner.engines.worker.in_process import InProcessModel, ScoresTokens
from python_runner.measure.answers.passage import passage_request
from python_runner.models import Model, ReferenceTokenizer, catalogue, prepare_model

TINY = [card.name for card in catalogue() if card.name.endswith("-tiny-synthetic")]
NEW_TOKENS = 24
TEXTS = (
    "the red fox and the blue hat, 12 boats said Ben",
    # The last token is a byte, which leads somewhere too.
    "Ünï 😀",
)
LIMIT = limits_for(16).mean_difference


@dataclass(frozen=True)
class Pair:
    """One model, loaded in this process by transformers and by llama.cpp."""

    model: Model
    tokenizer: ReferenceTokenizer
    transformers: InProcessModel
    llama: InProcessModel


@pytest.fixture(scope="module", params=TINY)
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    import torch

    threads = torch.get_num_threads()
    model = prepare_model(request.param, {"bf16"}, SilentProgress())
    settings = LaunchSettings(model=model, precision="bf16", device="cpu", threads=1, context=512)
    llamacpp.prepare(SilentProgress())
    made = Pair(
        model=model,
        tokenizer=ReferenceTokenizer(model.folder),
        transformers=hf_transformers.load(settings),
        llama=llamacpp.load(settings),
    )
    yield made
    made.transformers.close()
    made.llama.close()
    torch.set_num_threads(threads)


def test_both_say_the_same_to_the_same_tokens(pair: Pair) -> None:
    for text in TEXTS:
        ids = pair.tokenizer.encode(text)
        assert pair.llama.token_ids(text) == pair.transformers.token_ids(text) == ids
        request = GenerateRequest(prompt_text=text, prompt_ids=ids, new_tokens=NEW_TOKENS)
        answers = [engine.generate(request) for engine in (pair.transformers, pair.llama)]
        assert answers[0].token_ids == answers[1].token_ids
        assert answers[0].text == answers[1].text
        said = answers[0].token_ids
        assert said is not None
        assert len(set(said)) == NEW_TOKENS, "no piece comes twice"


def test_both_find_a_text_equally_likely(pair: Pair) -> None:
    """Far below the limit: the layers of these models matter, and rounding does little."""
    assert difference(scored(pair, pair.transformers), scored(pair, pair.llama)) < LIMIT / 5


def scored(pair: Pair, engine: object) -> TokenScores:
    assert isinstance(engine, ScoresTokens)
    return engine.score(passage_request(pair.tokenizer.encode))


def difference(one: TokenScores, other: TokenScores) -> float:
    return float(np.abs(np.subtract(one.logprobs, other.logprobs)).mean())


@pytest.mark.parametrize("name", TINY)
def test_a_mistake_in_an_architecture_would_be_told(name: str, tmp_path: Path) -> None:
    """Each model read with one of its features amiss is over the limit of the check of answers."""
    folder = prepare_model(name, (), SilentProgress()).folder
    request = passage_request(ReferenceTokenizer(folder).encode)
    right, _ = load_parts(folder, threads=1)
    expected = score(right, request)
    config = json.loads((folder / "config.json").read_text())
    plain = {"rope_type": "default", "rope_theta": config["rope_theta"]}
    for mistake in (
        # Positions in another measure; and as if nothing had been read of stretching them.
        {"rope_parameters": {**plain, "rope_theta": 1000.0}, "rope_scaling": None},
        *([{"rope_parameters": plain, "rope_scaling": None}] if config["rope_scaling"] else []),
    ):
        network, _ = load_parts(changed(folder, tmp_path, {**config, **mistake}), threads=1)
        assert difference(expected, score(network, request)) > LIMIT
    if config["model_type"] == "qwen2":
        without_biases(right)
        assert difference(expected, score(right, request)) > LIMIT


def changed(folder: Path, place: Path, config: dict[str, Any]) -> Path:
    """The same model with another config.json."""
    other = place / str(len(list(place.iterdir())))
    other.mkdir()
    for file in folder.iterdir():
        if file.name != "config.json":
            (other / file.name).symlink_to(file)
    (other / "config.json").write_text(json.dumps(config))
    return other


def without_biases(network: Any) -> None:
    for name, weights in network.named_parameters():
        if name.endswith(".bias"):
            weights.data.zero_()
