"""The options of `polystack load`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

StudyOption = Annotated[
    str, typer.Option("--study", help="A study with a table [load], by name or as a TOML file.")
]
EngineOption = Annotated[
    str | None,
    typer.Option("--engine", help="Served engines to start, separated by commas."),
]
UrlOption = Annotated[
    str | None, typer.Option("--url", help="A server that runs already: http://HOST:PORT.")
]
ModelOption = Annotated[
    str | None, typer.Option("--model", help="Model to run, or its name on the server at --url.")
]
DialectOption = Annotated[
    str | None,
    typer.Option(
        "--dialect",
        help="openai-completions, openai-chat, ollama-generate, ollama-chat or llama-completion.",
        show_default="by the path of --url, else openai-completions",
    ),
]
TokenizerOption = Annotated[
    Path | None,
    typer.Option("--tokenizer", help="Folder with the tokenizer.json of the model at --url."),
]
KeyOption = Annotated[
    str | None,
    typer.Option("--api-key-env", help="Variable that holds the key for --url."),
]
CertificatesOption = Annotated[
    Path | None,
    typer.Option("--ca-file", help="Certificates (PEM) to trust besides the system's."),
]
IgnoreEosOption = Annotated[
    bool,
    typer.Option(
        "--ignore-eos",
        help="Ask the server at --url to go on past an end (vLLM, SGLang, llama-server).",
    ),
]
StopOption = Annotated[
    str | None,
    typer.Option(
        "--stop", help="length: exactly --new-tokens; end-of-sequence: the model may end before."
    ),
]
KeepAnswersOption = Annotated[
    bool, typer.Option("--keep-answers", help="Keep the text of every answer, too.")
]
UsersOption = Annotated[
    str | None, typer.Option("--users", help="Closed loop: 10,50,100 is a level each.")
]
RateOption = Annotated[
    str | None, typer.Option("--rate", help="Open loop, requests a second: 2,5 is a level each.")
]
ArrivalsOption = Annotated[
    str | None, typer.Option("--arrivals", help="Of an open loop: poisson or constant.")
]
RequestsOption = Annotated[
    int | None,
    typer.Option(
        "--requests", help="Requests of each level.", show_default="80, or five for each user"
    ),
]
DurationOption = Annotated[
    str | None, typer.Option("--duration", help="Length of each level in place of that: 30s.")
]
RampOption = Annotated[
    str | None, typer.Option("--ramp", help="Time over which the users or the rate grow: 10s.")
]
WarmupOption = Annotated[
    int | None,
    typer.Option(
        "--warmup",
        help="First requests of each level, kept and left out.",
        show_default="a fifth of them",
    ),
]
PromptsOption = Annotated[
    str | None,
    typer.Option(
        "--prompts",
        help="A file (a prompt each line, .jsonl, or .json as ShareGPT has it), or a text.",
    ),
]
SharedOption = Annotated[
    int | None,
    typer.Option("--shared-prefix", help="Tokens with which all synthetic prompts begin."),
]
SloOption = Annotated[
    str | None, typer.Option("--slo", help="Targets for goodput: ttft=200ms,itl=50ms.")
]
SlotsOption = Annotated[
    int | None,
    typer.Option("--slots", help="Requests that a started engine computes at once."),
]
TimeoutOption = Annotated[str | None, typer.Option("--timeout", help="For one request: 60s.")]
PromptTokensOption = Annotated[
    int | None, typer.Option("--prompt-tokens", help="Tokens of each synthetic prompt.")
]
NewTokensOption = Annotated[int | None, typer.Option("--new-tokens", help="Tokens of each answer.")]
ThreadsOption = Annotated[
    int | None, typer.Option("--threads", help="Threads of each started engine.")
]
ContextOption = Annotated[
    int | None, typer.Option("--context", help="Tokens of context of each slot.")
]
SeedOption = Annotated[
    int | None, typer.Option("--seed", help="Decides prompts and Poisson arrivals.")
]
