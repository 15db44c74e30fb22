"""Every server of the catalogue, from its file to its end, against a stand-in of its dialect.

What the stand-in says is what the sources named in tests/servers/dialects.toml have it say.
The contract suite asks the rest: exact counts, early ends, ids, kills, damaged models.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from python_runner.common.errors import EngineStartError, GenerationError, SetupError, UsageError
from python_runner.common.progress import SilentProgress
from python_runner.engines.contract import (
    GenerateRequest,
    LaunchSettings,
    RunningEngine,
    Served,
    StopReason,
)
from python_runner.engines.servers.engine import catalogued_engine
from python_runner.engines.servers.read import shipped_servers
from python_runner.models import Model, ReferenceTokenizer, prepare_model
from tests.contract.fleet import CONTEXT, settings_for
from tests.contract.processes import alive, family, no_process_left, wait_until
from tests.servers import brought
from tests.servers.stand_in.known import invented
from tests.servers.stand_in.stream import BREAKS

NAMES = tuple(shipped_servers())
PROMPT = "the red fox"
END = 1
"""The id that ends an answer, for the stand-ins."""
ENDS_AFTER = 5
ENDING_PROMPT = "the blue jar"


@pytest.fixture(scope="module")
def model() -> Model:
    return prepare_model("gemma-2-tiny", set(), SilentProgress())


@pytest.fixture(scope="module")
def tokenizer(model: Model) -> ReferenceTokenizer:
    return ReferenceTokenizer(model.folder)


def told(tokenizer: ReferenceTokenizer, *, together: int) -> brought.Told:
    prompt = tokenizer.encode(ENDING_PROMPT)
    said = invented(prompt, 24)
    answer = (*said[:ENDS_AFTER], END, *said[ENDS_AFTER + 1 :])
    return brought.Told(answers={prompt: answer}, ends=[END], context=CONTEXT, together=together)


def settings(name: str, model: Model, folder: Path) -> LaunchSettings:
    shown = brought.with_weights(name, model.folder, folder / "weights")
    return replace(settings_for(replace(model, folder=shown)), device="cuda")


@contextmanager
def running(
    name: str, model: Model, tokenizer: ReferenceTokenizer, folder: Path, *, together: int = 1
) -> Iterator[RunningEngine]:
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in brought.bring(
            name, folder, told(tokenizer, together=together)
        ).items():
            patch.setenv(variable, value)
        engine = catalogued_engine(name)
        engine.prepare(SilentProgress())
        with no_process_left(), engine.start(settings(name, model, folder), folder / "log") as up:
            yield up


def request(tokenizer: ReferenceTokenizer, prompt: str, new_tokens: int) -> GenerateRequest:
    return GenerateRequest(
        prompt_text=prompt,
        prompt_ids=tokenizer.encode(prompt),
        new_tokens=new_tokens,
        ignore_end_of_sequence=False,
        timeout_s=60.0,
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_server_is_started_asked_and_read(
    name: str, model: Model, tokenizer: ReferenceTokenizer, tmp_path: Path
) -> None:
    """Three tokens a chunk, an early end, and errors before and within a stream."""
    row = shipped_servers()[name]
    with running(name, model, tokenizer, tmp_path, together=3) as up:
        assert up.description.version
        assert up.description.build["GPU"] == "Stand-in GPU, driver 0.0"
        whole = up.generate(request(tokenizer, PROMPT, 8))
        assert (whole.output_tokens, whole.stop) == (8, StopReason.LENGTH)
        assert whole.text == tokenizer.decode(invented(tokenizer.encode(PROMPT), 8))
        assert whole.prompt_tokens == len(tokenizer.encode(PROMPT))
        is_counted = row.answers.ids or row.answers.counted_by or name in _ONE_A_CHUNK
        assert sum(whole.chunk_tokens) == (8 if is_counted else 0)
        ended = up.generate(request(tokenizer, ENDING_PROMPT, 24))
        assert (ended.output_tokens, ended.stop) == (ENDS_AFTER, StopReason.END_OF_SEQUENCE)
        assert ended.text == tokenizer.decode(invented(tokenizer.encode(ENDING_PROMPT), ENDS_AFTER))
        if row.answers.ids:
            assert ended.token_ids == invented(tokenizer.encode(ENDING_PROMPT), ENDS_AFTER)
        with pytest.raises(GenerationError, match=r"answered 4\d\d: .*do not fit") as raised:
            up.generate(request(tokenizer, PROMPT, CONTEXT))
        assert "{" not in raised.value.message, "the reason, not the body that holds it"
        with pytest.raises(GenerationError) as raised:
            up.generate(request(tokenizer, PROMPT, BREAKS))
        if name not in _BREAK_OFF:
            assert "the engine failed" in raised.value.message
        assert up.generate(request(tokenizer, PROMPT, 2)).output_tokens == 2


_ONE_A_CHUNK = frozenset({"tgi", "tgi-bitsandbytes"})
_BREAK_OFF = frozenset({"mlc-llm", "tensorrt-llm", "text-generation-webui"})
"""Servers that break the connection instead of saying what failed."""


def test_a_model_of_another_name_is_not_found(
    model: Model, tokenizer: ReferenceTokenizer, tmp_path: Path
) -> None:
    import httpx

    with running("vllm", model, tokenizer, tmp_path) as up:
        assert isinstance(up, Served)
        body = {**json.loads(up.request_body(request(tokenizer, PROMPT, 2))), "model": "another"}
        answer = httpx.post(up.endpoint.url, json=body, trust_env=False)
        assert answer.status_code == 404


def test_an_option_that_the_server_does_not_know_is_told(
    model: Model,
    tokenizer: ReferenceTokenizer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for variable, value in brought.bring("vllm", tmp_path, told(tokenizer, together=1)).items():
        monkeypatch.setenv(variable, value)
    engine = catalogued_engine("vllm")
    engine.row = engine.row.model_copy(update={"command": (*engine.row.command, "--no-such")})
    with (
        no_process_left(),
        pytest.raises(EngineStartError, match="unrecognized arguments: --no-such"),
    ):
        engine.start(settings("vllm", model, tmp_path), tmp_path / "log")


def test_what_is_missing_is_told_all_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.delenv("POLYSTACK_VLLM", raising=False)
    with pytest.raises(SetupError) as raised:
        catalogued_engine("vllm").prepare(SilentProgress())
    assert "no NVIDIA GPU" in raised.value.message
    assert "POLYSTACK_VLLM is not set" in raised.value.message
    assert "POLYSTACK_VLLM_IMAGE" in raised.value.hint


def test_it_does_not_compute_where_it_cannot(model: Model, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not compute on cpu"):
        catalogued_engine("vllm").start(settings_for(model), tmp_path / "log")


_DOCKER = """#!{python}
import os, signal, subprocess, sys
state, program = {state!r}, {program!r}
words = sys.argv[1:]
if words[:2] == ["image", "inspect"]:
    print("sha256:" + "0" * 64)
elif words[:2] == ["rm", "--force"]:
    open(os.path.join(state, "removed"), "a").write(words[2])
    os.kill(int(open(os.path.join(state, words[2])).read()), signal.SIGKILL)
elif words[0] == "run":
    options = [w for w in words[1:] if w.startswith("--")][:20]
    given = dict(w.split("=", 1) for w in options if "=" in w)
    _, port, _ = given["--publish"].split(":")
    assert given["--publish"].startswith("127.0.0.1:")
    volumes = [w for w in words if w.startswith("--volume=")]
    assert all(v.endswith(":ro") for v in volumes)
    outside, inside, _ = volumes[0].removeprefix("--volume=").split(":")
    image = words.index("vllm:test")
    swaps = {{inside: outside, "0.0.0.0": "127.0.0.1", "8000": port}}
    server = [swaps.get(w, w) for w in words[image + 1:]]
    # As a daemon would: no child of whoever asked for it.
    child = subprocess.Popen([program, "serve", *server], start_new_session=True,
                             env={{**os.environ, "STAND_IN_NAME": inside}})
    open(os.path.join(state, given["--name"]), "w").write(str(child.pid))
    sys.exit(child.wait())
"""


@pytest.fixture
def contained(
    tokenizer: ReferenceTokenizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """vLLM from an image, by a program that does with a container what docker does."""
    variables = brought.bring("vllm", tmp_path, told(tokenizer, together=1))
    program = tmp_path / "bin" / "vllm"
    state = tmp_path / "state"
    state.mkdir()
    docker = tmp_path / "docker"
    docker.write_text(_DOCKER.format(python=sys.executable, state=str(state), program=str(program)))
    docker.chmod(0o755)
    monkeypatch.setenv("PATH", variables["PATH"])
    monkeypatch.setenv("POLYSTACK_CONTAINER", str(docker))
    monkeypatch.setenv("POLYSTACK_VLLM_IMAGE", "vllm:test")
    return state


def test_a_container_is_run_and_removed(
    model: Model, tokenizer: ReferenceTokenizer, contained: Path, tmp_path: Path
) -> None:
    engine = catalogued_engine("vllm")
    engine.prepare(SilentProgress())
    with no_process_left(), engine.start(settings("vllm", model, tmp_path), tmp_path / "log") as up:
        assert up.description.build["image"].startswith("sha256:")
        assert up.generate(request(tokenizer, PROMPT, 4)).output_tokens == 4
        inside = container_pid(contained)
    assert (contained / "removed").read_text().startswith("polystack-")
    assert not alive({inside})


_OWNER = """
import sys, time
from dataclasses import replace
from pathlib import Path
from python_runner.common.progress import SilentProgress
from python_runner.engines.servers.engine import catalogued_engine
from python_runner.models import prepare_model
from tests.contract.fleet import settings_for
model = prepare_model("gemma-2-tiny", set(), SilentProgress())
settings = replace(settings_for(model), device="cuda")
catalogued_engine("vllm").start(settings, Path(sys.argv[1]))
print("up", flush=True)
time.sleep(600)
"""


def test_a_container_does_not_outlive_a_workbench_that_is_killed(
    contained: Path, tmp_path: Path
) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", _OWNER, str(tmp_path / "log")],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "up\n"
        inside = container_pid(contained)
        below = family({owner.pid}) - {owner.pid}
        os.kill(owner.pid, signal.SIGKILL)
        wait_until(lambda: not alive({inside, *below}), "the container is removed")
    finally:
        owner.kill()
        owner.wait()
        assert owner.stdout is not None
        owner.stdout.close()


def container_pid(state: Path) -> int:
    (name,) = [path for path in state.iterdir() if path.name.startswith("polystack-")]
    return int(name.read_text())
