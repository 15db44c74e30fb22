"""How the text of a user becomes a prompt, by the model's own template."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from python_runner.common.errors import ModelError, UsageError

_ITS_CODE_RAISES = (
    *(ArithmeticError, AttributeError, LookupError, MemoryError),
    *(RecursionError, TypeError, ValueError),
)
"""A template is a small program: it runs in Jinja's sandbox, and may fail as one."""


@dataclass(frozen=True, kw_only=True)
class ChatTemplate:
    """A template in Jinja, as models carry it, and the mark that the tokenizer puts first."""

    jinja: str
    bos: str = ""


def prompt_renderer(
    template: str, chat: Callable[[], ChatTemplate | None], *, name: str
) -> Callable[[str], str]:
    """A function that puts a user's text into the template `raw` or `chat`.

    Args:
        template: `raw` leaves the text as it is; `chat` is the model's own.
        chat: finds the model's template; asked only if it is needed.
        name: of the model.

    Returns:
        The function; what it returns never begins with BOS, which the tokenizer adds.

    Raises:
        UsageError: `chat` for a model without a template.
    """
    if template == "raw":
        return lambda text: text
    found = chat()
    if found is None:
        raise UsageError(f"{name} has no chat template", hint="Use --template raw.")
    chosen = found

    def render(text: str) -> str:
        from jinja2 import TemplateError
        from transformers.utils.chat_template_utils import render_jinja_template

        try:
            # A list of texts, and what is of no use here.
            rendered: Any = render_jinja_template(
                [[{"role": "user", "content": text}]],
                chat_template=chosen.jinja,
                add_generation_prompt=True,
                bos_token="",
            )
        except (TemplateError, *_ITS_CODE_RAISES) as error:
            raise ModelError(
                f"the chat template of {name} fails: {error}", hint="Use --template raw."
            ) from error
        return str(rendered[0][0]).removeprefix(chosen.bos)

    return render


def folder_chat_template(folder: Path) -> ChatTemplate | None:
    """The template in a folder of safetensors, if there is one."""
    try:
        config = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        config = {}
    config = config if isinstance(config, dict) else {}
    bos = config.get("bos_token") or ""
    bos = str(bos.get("content", "") if isinstance(bos, dict) else bos)
    own_file = folder / "chat_template.jinja"
    if own_file.is_file():
        return ChatTemplate(jinja=own_file.read_text(encoding="utf-8"), bos=bos)
    jinja = config.get("chat_template")
    if isinstance(jinja, list):  # several by name, as some models have them
        named = [each for each in jinja if isinstance(each, dict)]
        jinja = next((one.get("template") for one in named if one.get("name") == "default"), None)
    return ChatTemplate(jinja=jinja, bos=bos) if jinja and isinstance(jinja, str) else None
