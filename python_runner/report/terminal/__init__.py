"""What the terminal shows, as rich renderables. Nothing here prints."""

from python_runner.report.terminal.detail import run_detail
from python_runner.report.terminal.runs import runs_table
from python_runner.report.terminal.stages import time_report
from python_runner.report.terminal.summary import summary_report

__all__ = ["run_detail", "runs_table", "summary_report", "time_report"]
