"""How the text of a user becomes a prompt."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from python_runner.common.errors import UnknownNameError

_TURN = "<start_of_turn>{role}\n{text}<end_of_turn>\n"
_ANSWER = "<start_of_turn>model\n"

TEMPLATES: Mapping[str, str] = MappingProxyType(
    {"raw": "{text}", "chat": _TURN.replace("{role}", "user") + _ANSWER}
)
"""Templates by name. None holds BOS: the tokenizer adds it."""

CHAT_TEMPLATE = (
    "{{ bos_token }}"
    "{% for message in messages %}"
    "{% set role = 'model' if message['role'] == 'assistant' else message['role'] %}"
    "{{ '<start_of_turn>' + role + '\\n' + message['content'] + '<end_of_turn>\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}"
)
"""The same turns as a Jinja template, for engines that take messages."""

PLAIN_CHAT_TEMPLATE = (
    "{{ bos_token }}"
    "{% for message in messages %}"
    "{{ '<start_of_turn>' + message['role'] + '\\n' + message['content'] + '<end_of_turn>\\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>assistant\\n' }}{% endif %}"
)
"""Turns of our own, for weights that nobody trained: no published model is spoken to in them."""


def render_prompt(template: str, user_text: str) -> str:
    """Put `user_text` into the template of that name (`raw` or `chat`).

    Raises:
        UnknownNameError: there is no such template.
    """
    if template not in TEMPLATES:
        raise UnknownNameError("template", template, TEMPLATES)
    # Not str.format: the text may hold braces.
    return TEMPLATES[template].replace("{text}", user_text)
