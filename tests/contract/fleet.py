"""The engines under test: each prepared once and started once, when it is first needed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from python_runner.common.progress import SilentProgress
from python_runner.engines.contract import (
    Engine,
    EngineSpec,
    GenerateRequest,
    Generation,
    LaunchSettings,
    RunningEngine,
)
from python_runner.engines.table import engine
from python_runner.models import Model, ReferenceTokenizer

CONTEXT = 512
"""Tokens; all that the tiny model was trained for."""
ANSWER_TOKENS = 64
"""Length of the answers that are compared."""
KEYS = {"CANARY_API_KEY": "sk-canary-of-the-contract", "HF_TOKEN": "hf_canary_of_the_contract"}
"""What a user may have in the environment while engines are started."""


def settings_for(model: Model) -> LaunchSettings:
    """How every engine of the suite is started."""
    return LaunchSettings(
        model=model,
        precision="bf16",
        device="cpu",
        # Several threads wait for each other by spinning: where tests share the cores with
        # other work, one is many times faster, and nothing here is timed.
        threads=1,
        context=CONTEXT,
        # On a machine that has much else to do, vLLM takes minutes to import itself.
        start_timeout_s=900.0,
    )


class Fleet:
    """Running engines by name. One that cannot be prepared or started fails its tests."""

    def __init__(self, model: Model, logs: Path, *, bring: Callable[[str], None]) -> None:
        """`bring` sees to what a user would bring for the engine of that name."""
        self.model = model
        self.tokenizer = ReferenceTokenizer(model.folder)
        self.logs = logs
        self._bring = bring
        self.folders: dict[str, Path] = {}
        """Where an engine is to see the model, if not where it lies."""
        self._prepared: dict[str, Engine] = {}
        self._running: dict[str, RunningEngine] = {}
        self._answers: dict[tuple[str, str], Generation] = {}
        self._stack = ExitStack()

    def spec(self, name: str) -> EngineSpec:
        """What is known of the engine before it runs."""
        return engine(name).spec

    def prepared(self, name: str) -> Engine:
        """The engine, with all that it needs."""
        if name not in self._prepared:
            self._bring(name)
            found = engine(name)
            found.prepare(SilentProgress())
            self._prepared[name] = found
        return self._prepared[name]

    def running(self, name: str) -> RunningEngine:
        """The engine's one running instance that all tests share; leave it running."""
        if name not in self._running:
            self._running[name] = self._stack.enter_context(self.start(name))
        return self._running[name]

    def start(
        self, name: str, model: Model | None = None, *, precision: str = "bf16"
    ) -> RunningEngine:
        """Another instance, for tests that end it."""
        found = self.prepared(name)
        shown = replace(self.model, folder=self.folders.get(name, self.model.folder))
        settings = replace(
            settings_for(model or shown), precision=precision, device=found.spec.devices[0]
        )
        return found.start(settings, self.logs / f"{name}.log")

    def request(
        self, prompt: str, *, new_tokens: int, ignore_end_of_sequence: bool = True
    ) -> GenerateRequest:
        """A request for a plain prompt."""
        return GenerateRequest(
            prompt_text=prompt,
            prompt_ids=self.tokenizer.encode(prompt),
            new_tokens=new_tokens,
            ignore_end_of_sequence=ignore_end_of_sequence,
            timeout_s=120.0,
        )

    def ask(self, name: str, prompt: str, *, new_tokens: int) -> Generation:
        """Ask the shared instance."""
        return self.running(name).generate(self.request(prompt, new_tokens=new_tokens))

    def answer(self, name: str, prompt: str) -> Generation:
        """The answer of full length, asked for once however many tests look at it."""
        if (name, prompt) not in self._answers:
            self._answers[name, prompt] = self.ask(name, prompt, new_tokens=ANSWER_TOKENS)
        return self._answers[name, prompt]

    def stop(self) -> None:
        """Stop all of them."""
        self._stack.close()
