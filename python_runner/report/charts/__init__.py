"""The pictures, PNG and SVG. One file for each, and one row in `table`.

`page` lays out what every picture has (title, caption, room for labels), `data` is what
every picture is given.
"""

from python_runner.report.charts.draw import draw_all

__all__ = ["draw_all"]
