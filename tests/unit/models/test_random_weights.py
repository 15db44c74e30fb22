"""Random weights: the same bytes on every machine, in files that the library can read."""

import hashlib
import math
from pathlib import Path

import numpy as np
import pytest
from safetensors import safe_open

from python_runner.common.progress import SilentProgress
from python_runner.models import ModelCard
from python_runner.models import random_weights as module
from python_runner.models.architectures.base import EMBEDDING, FINAL_NORM, Led, Normal
from python_runner.models.random_weights import draw, draw_led, plan_shards, write_random_weights
from python_runner.models.tokenizer.vocabulary import FIRST_PIECE_ID

MATRIX = Normal(0.0, 0.02)


def drawn(how: Normal, count: int, key: tuple[int, int]) -> np.ndarray:
    return np.concatenate(list(draw(how, count, key=key)))


def as_floats(bits: np.ndarray) -> np.ndarray:
    return (bits.astype(np.uint32) << 16).view(np.float32)


def write(folder: Path, card: ModelCard, seed: int = 7) -> None:
    folder.mkdir()
    with SilentProgress().task("test") as task:
        write_random_weights(folder, card.shape, seed=seed, task=task)


def test_bytes_are_the_same_on_every_machine() -> None:
    digest = hashlib.sha256(drawn(MATRIX, 100_000, (20240, 3)).tobytes()).hexdigest()
    assert digest[:16] == "ad9048a3b39d6610"


def test_drawing_in_chunks_does_not_change_what_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = drawn(MATRIX, 1000, (1, 2))
    monkeypatch.setattr(module, "_CHUNK", 64)
    assert np.array_equal(drawn(MATRIX, 1000, (1, 2)), whole)


def test_every_tensor_and_seed_has_numbers_of_its_own() -> None:
    first = drawn(MATRIX, 256, (1, 2))
    assert not np.array_equal(first, drawn(MATRIX, 256, (1, 3)))
    assert not np.array_equal(first, drawn(MATRIX, 256, (2, 2)))


def test_markers_and_bytes_are_quieter_in_any_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = as_floats(drawn(MATRIX, 1000, (1, 0)))
    monkeypatch.setattr(module, "_CHUNK", 64)
    chunks = list(draw(MATRIX, 1000, key=(1, 0), quiet=100))
    quieter = as_floats(np.concatenate(chunks))
    assert quieter[:100] == pytest.approx(usual[:100] / 8, rel=0.01)
    assert np.array_equal(quieter[100:], usual[100:])


@pytest.mark.parametrize(
    ("name", "mean", "spread"),
    [
        ("model.layers.0.mlp.up_proj.weight", 0.0, 0.02),
        (EMBEDDING, 0.0, 0.005),
        ("model.layers.3.post_attention_layernorm.weight", -0.9, 0.02),
        ("model.layers.3.post_feedforward_layernorm.weight", 0.0, 0.02),
        (FINAL_NORM, 7.0, 0.02),
    ],
)
def test_weights_are_normally_distributed(
    small_card: ModelCard, name: str, mean: float, spread: float
) -> None:
    how = small_card.shape.draw(name, (200_000,))
    assert isinstance(how, Normal)
    values = as_floats(drawn(how, 200_000, (5, 5)))
    assert np.isfinite(values).all()
    assert values.mean() == pytest.approx(mean, abs=spread / 20)
    assert values.std() == pytest.approx(spread, rel=0.1 if name == FINAL_NORM else 0.01)


def test_drawing_can_begin_within_the_stream() -> None:
    whole = drawn(MATRIX, 1000, (1, 2))
    later = np.concatenate(list(draw(MATRIX, 100, key=(1, 2), start=320)))
    assert np.array_equal(later, whole[320:420])


def test_the_output_of_a_piece_is_the_one_that_it_leads_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CHUNK", 200)
    size, step = (FIRST_PIECE_ID + 300, 64), 77
    embedding, output = (
        as_floats(np.concatenate(list(draw_led(how, size, key=(3, 0))))).reshape(size)
        for how in (Led(1.0, step=0), Led(0.1, step=step, silent=True))
    )
    best = (embedding @ output.T).argmax(axis=1)
    pieces = np.arange(300)
    assert np.array_equal(best[FIRST_PIECE_ID:], FIRST_PIECE_ID + (pieces + step) % 300)
    # A marker or a byte leads where a piece leads, and nothing leads to one.
    assert np.array_equal(embedding[:FIRST_PIECE_ID], embedding[FIRST_PIECE_ID:][:FIRST_PIECE_ID])
    assert not output[:FIRST_PIECE_ID].any()


def test_the_library_reads_every_tensor_with_its_shape(
    tmp_path: Path, small_card: ModelCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SHARD_BYTES", 20_000)
    write(tmp_path / "model", small_card)
    shapes: dict[str, tuple[int, ...]] = {}
    files = sorted((tmp_path / "model").glob("*.safetensors"))
    for path in files:
        with safe_open(path, framework="numpy") as tensors:
            for name in tensors.keys():  # noqa: SIM118 - no mapping
                piece = tensors.get_slice(name)
                assert piece.get_dtype() == "BF16"
                shapes[name] = tuple(piece.get_shape())
    assert shapes == dict(small_card.shape.tensors())
    assert len(files) > 1
    total = sum(math.prod(shape) for shape in shapes.values())
    assert total == small_card.shape.parameters


def test_the_same_seed_gives_the_same_files(tmp_path: Path, small_card: ModelCard) -> None:
    for name in ("one", "two"):
        write(tmp_path / name, small_card)
    write(tmp_path / "other", small_card, seed=8)
    contents = [
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()}
        for name in ("one", "two", "other")
    ]
    assert contents[0] == contents[1] != contents[2]


def test_shards_keep_the_order_and_their_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHARD_BYTES", 100)
    shards = plan_shards([("a", (40,)), ("b", (10,)), ("big", (9, 9)), ("c", (1,))])
    assert [[name for name, _ in shard] for shard in shards] == [["a", "b"], ["big"], ["c"]]
