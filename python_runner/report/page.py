"""The one place where a document becomes an HTML page."""

from __future__ import annotations

from python_runner.report.document import Document


def page_of(document: Document) -> str:
    """One self-contained HTML page."""
    from python_runner.report.html import render

    return render(document)
