"""Stage 5: every sample, at once and for good, in one SQLite file.

`Store` writes and reads; `Frames` is what the stages to the right are given.
"""

from python_runner.store.answers import AnswerCheckRecorder, AnswerFrames, last_check
from python_runner.store.frames import Frames, read_frames
from python_runner.store.load_recorder import LoadRunRecorder
from python_runner.store.recorder import RunRecorder
from python_runner.store.recoveries import RecoveryRecorder
from python_runner.store.run_kind import RunKind
from python_runner.store.steps import Step
from python_runner.store.store import Store, default_store_path

__all__ = [
    "AnswerCheckRecorder",
    "AnswerFrames",
    "Frames",
    "LoadRunRecorder",
    "RecoveryRecorder",
    "RunKind",
    "RunRecorder",
    "Step",
    "Store",
    "default_store_path",
    "last_check",
    "read_frames",
]
