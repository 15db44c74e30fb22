"""HTML: one file that opens anywhere, offline.

`render` makes a report's page. `render_page` and `blocks_html` are what other pages are made
of; `text` lets nothing that was measured become markup, `bundle` packs what a page needs.
"""

from python_runner.report.html.render import blocks_html, render, render_page

__all__ = ["blocks_html", "render", "render_page"]
