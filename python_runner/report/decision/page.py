"""A decision as a page of its own: the weights can be moved, and the ranking follows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from python_runner.analyse.decision import CRITERIA, Decision, Ranked
from python_runner.report.decision.contents import FIRST_SECTION, decision_document
from python_runner.report.decision.data import DecisionData
from python_runner.report.document import Document
from python_runner.report.html import blocks_html, render_page
from python_runner.report.html.text import inline

_ASSETS = Path(__file__).with_name("assets")
_LEAST_OF_A_SLIDER = 30


def decision_page(data: DecisionData) -> str:
    """The page as HTML, in one file without a network."""
    document, shown = decision_document(data), page_data(data.decision)
    return render_page(
        title=document.title,
        body=_body(document, shown, data.decision.weights),
        script=(_ASSETS / "decision.js").read_text(encoding="utf-8"),
        data={"decision": shown},
        contents=_contents(document, has_ranking=bool(data.decision.ranked)),
        footer=document.footer,
    )


def _contents(document: Document, *, has_ranking: bool) -> list[tuple[str, str]]:
    """Anchors in the order of the page: what can be moved stands after the first section."""
    found = [(section.key, section.title) for section in document.sections]
    places = [key for key, _ in found]
    if has_ranking and FIRST_SECTION in places:
        first = found.pop(places.index(FIRST_SECTION))
        return [first, ("weigh", "Weigh it yourself"), *found]
    return found


def page_data(decision: Decision) -> Mapping[str, object]:
    """What the page's script computes with: utilities, weights, and what cost rests on.

    Cost is the one criterion that the reader changes by more than its weight, so the script has
    its scale: the rates of all stacks, the budget, and the span.
    """
    rates = [parts["throughput"].figure.value for parts in decision.parts.values()]
    cost = next(each for each in CRITERIA if each.key == "cost")
    operations = decision.team.operations
    return {
        "criteria": [
            {"key": each.key, "title": each.title, "weight": _plain(decision.weights[each.key])}
            for each in CRITERIA
        ],
        "stacks": [_stack(one) for one in decision.ranked],
        "rates": [rate for rate in rates if not math.isnan(rate)],
        "price": operations.price_per_hour,
        "currency": operations.currency,
        "budget": operations.budget_per_million,
        "span": cost.span,
    }


def _plain(weight: float) -> float:
    """Without a `.0`, for the fields of the form."""
    return int(weight) if weight == int(weight) else weight


def _stack(one: Ranked) -> Mapping[str, object]:
    rate = one.parts["throughput"].figure
    return {
        "name": one.stack.name,
        "title": one.stack.title,
        "language": one.stack.language,
        "reach": one.stack.reach,
        "dominated": bool(one.dominated_by),
        "utilities": {
            key: [part.utility.low, part.utility.point, part.utility.high]
            for key, part in one.parts.items()
        },
        "rate": [rate.low, rate.value, rate.high] if rate.is_known else None,
        "rate_note": f", {rate.note}" if rate.note else "",
    }


def _body(document: Document, shown: Mapping[str, object], weights: Mapping[str, float]) -> str:
    environment = Environment(
        loader=FileSystemLoader(_ASSETS), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["inline"] = inline
    environment.filters["blocks"] = lambda blocks: Markup(blocks_html(blocks))  # noqa: S704 - as well
    return environment.get_template("body.html.j2").render(
        document=document,
        first=FIRST_SECTION,
        style=Markup((_ASSETS / "decision.css").read_text(encoding="utf-8")),  # noqa: S704 - ours
        stacks=shown["stacks"],
        criteria=shown["criteria"],
        price=shown["price"],
        currency=shown["currency"],
        most=max(_LEAST_OF_A_SLIDER, math.ceil(2 * max(weights.values()))),
    )
