"""Hold the answers of a stored run against a reference in bf16. Never while something is timed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from python_runner.common.errors import EngineError, ModelError, PolystackError, reason_of
from python_runner.common.progress import Progress, SilentProgress, Task
from python_runner.common.variants import parse_stack
from python_runner.engines.contract import Engine, LaunchSettings, RunningEngine
from python_runner.engines.scoring import Scores
from python_runner.engines.table import engine, engine_names
from python_runner.measure.answers.answer import PassageScore
from python_runner.measure.answers.passage import passage_request
from python_runner.measure.answers.referee import Referee
from python_runner.models import ReferenceTokenizer, Source
from python_runner.run.preparation import model_for
from python_runner.run.sizes import available_memory
from python_runner.run.stored_answers import StoredAnswers, StoredStack, stored_answers
from python_runner.store import AnswerCheckRecorder, Store
from python_runner.study import Study

REFERENCE = "transformers"
"""Whose word counts: the library that models are published for."""
PRECISION = "bf16"
MOCKS = frozenset(engine_names(include_hidden=True)) - frozenset(engine_names())
_SPARE_BYTES = 1_500_000_000
"""For torch, and for the logits of a whole answer in 32 bits, twice."""
_SMALL_BYTES = 500_000_000
"""Weights of a model that is loaded in no time."""
_START_S = 10.0
_LOAD_S_PER_GB = 3.0
_SCORE_S_PER_GB = 0.5


def can_be_checked(study: Study) -> bool:
    """Whether any stack of it answers from the model: mocks answer from a script.

    Endpoints answer from a model that nobody here knows.
    """
    ours = set(study.stacks) - study.endpoints.keys()
    return any(parse_stack(name).base not in MOCKS for name in ours)


def check_answers(
    store: Store,
    run_id: int,
    *,
    logs: Path,
    progress: Progress,
    with_passage: bool | None = None,
) -> str:
    """Score every answer of a run, and keep what is found.

    Args:
        store: that has the run.
        run_id: of a comparison.
        logs: folder for the engines' own output.
        progress: shows how far it is.
        with_passage: whether every stack that can is started once more to score the fixed
            text; None: where that decides (weights in fewer bits) or costs nothing (a small
            model).

    Returns:
        Why the answers were not compared, or not all of them; empty if they were. It is kept
        with the run, too.

    Raises:
        UsageError: a load, or a run whose model is not known any more.
    """
    stored = stored_answers(store, run_id)
    recorder = AnswerCheckRecorder(store, run_id, engine(REFERENCE).spec)
    for stack in stored.stacks:
        recorder.stack(stack.condition_id, stack.bits)
    recorder.stack(None, engine(REFERENCE).spec.formats[PRECISION].bits)
    reason = ""
    try:
        _check(stored, recorder, logs / f"run-{run_id:04d}", progress, with_passage)
    except PolystackError as error:
        reason = reason_of(error)
    recorder.finish(reason)
    return reason


def _check(
    stored: StoredAnswers,
    recorder: AnswerCheckRecorder,
    logs: Path,
    progress: Progress,
    with_passage: bool | None,
) -> None:
    reference = engine(REFERENCE)
    _require_reference(stored.source, reference)
    if not stored.answers:
        raise EngineError("no stack gave an answer")
    if with_passage is None:
        in_fewer_bits = any((stack.bits or 0) < 16 for stack in stored.stacks)
        with_passage = in_fewer_bits or stored.source.bytes < _SMALL_BYTES
    scoring = _that_score(stored) if with_passage else {}
    count = sum(len(answers) for answers in stored.answers.values())
    distinct = stored.distinct
    with progress.task(
        "Answers",
        why=f"{count}, {distinct} of them different, by {reference.spec.title} in bf16",
        expected_s=_START_S
        + stored.source.bytes / 1e9 * (_LOAD_S_PER_GB + distinct * _SCORE_S_PER_GB),
    ) as task:
        reference.prepare(SilentProgress())
        check = _Check(
            stored=stored,
            reference=reference,
            settings=_settings(stored, reference, scoring, progress),
            recorder=recorder,
            logs=logs,
            task=task,
        )
        passage = check.ask_reference()
        for stack, candidate in scoring.items():
            check.ask_stack(stack, candidate, passage)


@dataclass(frozen=True, kw_only=True)
class _Passage:
    """What the reference makes of the fixed text."""

    version: str
    score: PassageScore


@dataclass(frozen=True, kw_only=True)
class _Check:
    """What the parts of a check share."""

    stored: StoredAnswers
    reference: Engine
    settings: LaunchSettings
    recorder: AnswerCheckRecorder
    logs: Path
    task: Task

    def ask_reference(self) -> _Passage:
        """Have all answers scored, and the fixed text."""
        tokenizer = ReferenceTokenizer(self.settings.model.folder)
        answers = self.stored.answers
        self.task.update(note="loading the reference")
        with self.reference.start(self.settings, self.logs / "answers.log") as running:
            if not isinstance(running, Scores):
                raise EngineError(f"{self.reference.spec.title} does not score tokens")
            self.recorder.reference(running.description)
            self.task.update(note="the fixed text")
            passage = _score_passage(running, tokenizer)
            self.recorder.passage(None, passage)
            referee = Referee(running, tokenizer)
            for number, prompt in enumerate(answers, start=1):
                for found in referee.judge(prompt, answers[prompt]):
                    self.recorder.answer(found)
                self.task.update(number / len(answers), f"prompt {number} of {len(answers)}")
            return _Passage(version=running.description.version, score=passage)

    def ask_stack(self, stack: StoredStack, candidate: Engine, reference: _Passage) -> None:
        """Have the fixed text scored; a stack that cannot be started is told so."""
        score = reference.score
        # It would say the same again.
        is_reference = (stack.name, stack.version, stack.precision) == (
            *(REFERENCE, reference.version),
            PRECISION,
        )
        if not is_reference:
            self.task.update(note=f"the fixed text: {candidate.spec.title}")
            score = self._score_of(stack, candidate)
        self.recorder.passage(stack.condition_id, score)

    def _score_of(self, stack: StoredStack, candidate: Engine) -> PassageScore:
        settings = replace(
            self.settings,
            precision=stack.precision,
            threads=stack.threads,
            context=stack.context,
        )
        tokenizer = ReferenceTokenizer(self.settings.model.folder)
        try:
            with candidate.start(settings, self.logs / f"{stack.name}-answers.log") as running:
                return _score_passage(running, tokenizer)
        except Exception as error:  # whatever it is, the others go on
            return PassageScore(logprobs=(), error=reason_of(error))


def _score_passage(running: RunningEngine, tokenizer: ReferenceTokenizer) -> PassageScore:
    if not isinstance(running, Scores):
        return PassageScore(logprobs=(), error="it does not score tokens")
    try:
        scores = running.score(passage_request(tokenizer.encode))
    except EngineError as error:
        return PassageScore(logprobs=(), error=reason_of(error))
    return PassageScore(logprobs=scores.logprobs)


def _that_score(stored: StoredAnswers) -> dict[StoredStack, Engine]:
    """The stacks that gave answers and can score tokens."""
    return {
        stack: stack.engine
        for stack in stored.stacks
        if stack.engine is not None and stack.engine.spec.scores and stack.version
    }


def _settings(
    stored: StoredAnswers, reference: Engine, scoring: dict[StoredStack, Engine], progress: Progress
) -> LaunchSettings:
    """Those of the reference. Raises ModelError if the model is not what it was."""
    others = {stack.name: candidate for stack, candidate in scoring.items()}
    found = model_for(stored.source, stored.study, {REFERENCE: reference, **others}, progress)
    if found.model.source_sha256 != stored.sha256:
        raise ModelError(
            f"{stored.source.label} is not what it was in run {stored.run_id}: its hash was "
            f"{stored.sha256[:16]} and is {found.model.source_sha256[:16]}"
        )
    return LaunchSettings(
        model=found.model,
        precision=PRECISION,
        device=stored.study.device,
        threads=max(stack.threads for stack in stored.stacks),
        context=max(stack.context for stack in stored.stacks),
    )


def _require_reference(source: Source, reference: Engine) -> None:
    """Raises ModelError where the reference cannot be had."""
    if source.gguf is not None:
        raise ModelError(
            f"{source.label} is a GGUF file alone: there are no weights in bf16 to compare with"
        )
    held = reference.spec.formats[PRECISION].memory_per_weight_byte or 0.0
    needed, available = int(source.bytes * held + _SPARE_BYTES), available_memory()
    if needed > available:
        raise ModelError(
            f"the reference needs about {needed / 1e9:.1f} GB of memory, and "
            f"{available / 1e9:.1f} GB are available",
            hint="End other programs, then `polystack answers RUN`.",
        )
