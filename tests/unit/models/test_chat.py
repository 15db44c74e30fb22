"""Prompts by the model's own chat template, without the BOS that the tokenizer adds."""

import json
from pathlib import Path
from typing import Any

import pytest

from python_runner.common.errors import ModelError, UsageError
from python_runner.models import cards, render_prompt
from python_runner.models.chat import ChatTemplate, folder_chat_template, prompt_renderer

TURNS = "{{ bos_token }}{% for m in messages %}[{{ m['role'] }}] {{ m['content'] }}{% endfor %}"


def render(chat: ChatTemplate | None, text: str) -> str:
    return prompt_renderer("chat", lambda: chat, name="m")(text)


def configure(folder: Path, **content: Any) -> Path:
    (folder / "tokenizer_config.json").write_text(json.dumps(content))
    return folder


def test_raw_is_the_text_itself_and_needs_no_template() -> None:
    renderer = prompt_renderer("raw", lambda: pytest.fail("not asked for"), name="m")
    assert renderer("{{ hi }}") == "{{ hi }}"


def test_the_tiny_models_template_gives_the_turns_it_was_trained_on() -> None:
    chat = folder_chat_template(cards.models_dir() / "gemma-2-tiny")
    assert render(chat, "hi {there}") == render_prompt("chat", "hi {there}")


def test_bos_is_left_to_the_tokenizer() -> None:
    assert render(ChatTemplate(jinja=TURNS, bos="<s>"), "hi") == "[user] hi"
    assert render(ChatTemplate(jinja="<s>" + TURNS, bos="<s>"), "hi") == "[user] hi"


def test_the_template_lies_in_the_tokenizers_configuration(tmp_path: Path) -> None:
    configure(tmp_path, chat_template=TURNS, bos_token={"content": "<s>"})
    assert folder_chat_template(tmp_path) == ChatTemplate(jinja=TURNS, bos="<s>")


def test_a_file_of_its_own_comes_first(tmp_path: Path) -> None:
    configure(tmp_path, chat_template="old", bos_token=None)
    (tmp_path / "chat_template.jinja").write_text(TURNS)
    assert folder_chat_template(tmp_path) == ChatTemplate(jinja=TURNS)


def test_of_several_the_default_is_taken(tmp_path: Path) -> None:
    several = [{"name": "tool_use", "template": "x"}, {"name": "default", "template": TURNS}]
    configure(tmp_path, chat_template=several)
    assert folder_chat_template(tmp_path) == ChatTemplate(jinja=TURNS)


def test_a_model_without_a_template_says_so(tmp_path: Path) -> None:
    assert folder_chat_template(tmp_path) is None
    assert folder_chat_template(configure(tmp_path)) is None
    with pytest.raises(UsageError, match="m has no chat template") as raised:
        render(None, "hi")
    assert "raw" in raised.value.hint


def test_a_template_that_fails_is_a_model_error() -> None:
    with pytest.raises(ModelError, match="no system turn"):
        render(ChatTemplate(jinja="{{ raise_exception('no system turn') }}"), "hi")
