"""What a report says: stored runs in, a `Document` out. Pure functions.

`reported` computes what all parts need; `answer` writes the paragraph at the top, and every other
module one section or a few; `document` puts them in order.
"""

from python_runner.report.contents.document import document_of
from python_runner.report.contents.reported import (
    Reported,
    ReportedComparison,
    ReportedLoad,
    reported,
)

__all__ = ["Reported", "ReportedComparison", "ReportedLoad", "document_of", "reported"]
