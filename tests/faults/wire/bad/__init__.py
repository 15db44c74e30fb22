"""Answers that are no answer: both readers must say so."""

from __future__ import annotations

from tests.faults.wire.bad.endless import ENDLESS
from tests.faults.wire.bad.ends import ENDS
from tests.faults.wire.bad.messages import MESSAGES
from tests.faults.wire.bad.refusals import REFUSALS

BAD = (*ENDS, *REFUSALS, *ENDLESS, *MESSAGES)
