"""Published claims, judged by one run, as a notebook shows them."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from python_runner.notebook import html
from python_runner.report.claims import ClaimsData, spell_grounds, spell_seen


@dataclass(frozen=True, eq=False)
class JudgedClaims:
    """Claims with their verdicts. `frame` has a row for each, to go on with."""

    data: ClaimsData

    @property
    def frame(self) -> pd.DataFrame:
        """One row for each claim and part: claim, says, is_part, verdict, seen, why."""
        rows = [
            {
                "claim": row.label,
                "says": row.says,
                "is_part": row.is_part,
                "verdict": row.verdicts[0].value,
                "seen": spell_seen(found.effect) if found and found.effect else "",
                "why": spell_grounds(found) if found else "",
            }
            for row in self.data.rows
            for found in row.findings[:1]
        ]
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        verdicts = ", ".join(
            f"{row['claim']} {row['verdict']}"
            for row in self.frame.to_dict(orient="records")
            if not row["is_part"]
        )
        return f"Claims, {self.data.columns[0].heading}: {verdicts}"

    def _repr_html_(self) -> str:
        column = self.data.columns[0]
        headings = [html.Heading(text=text) for text in ("claim", "verdict", "seen, and why")]
        rows = [
            [
                html.Cell(text=f"{row['claim']} {row['says']}", is_strong=not row["is_part"]),
                html.Cell(text=row["verdict"], is_strong=True),
                html.Cell(text=row["seen"] or row["why"], below=row["why"] if row["seen"] else ""),
            ]
            for row in self.frame.to_dict(orient="records")
        ]
        facts = column.facts
        to_run = f"What is missing, this would measure: {column.to_run}" if column.to_run else ""
        return html.whole(
            html.heading(f"Claims: {self.data.claims.title}"),
            html.lines([self.data.claims.source]),
            html.warnings(self.data.warnings),
            html.table(headings, rows),
            html.lines([*self.data.exclusions, *self.data.marks, to_run]),
            html.lines([f"{facts.model} · {facts.work}", facts.course]),
        )
