"""Starts llama-cpp-python's server, the program behind the row `llama-cpp-python-server`.

It is `python -m llama_cpp.server`, called as a function with its own options. Five things are
ours, and none of them has an option there:

- each request begins from nothing: else it goes on from what its prompt shares with the last;
- an answer has exactly as many tokens as are asked for: else one that ends within a character
  goes on to the character's end;
- the last chunk of a stream carries the counts that an answer in one piece carries, and
  llama.cpp's own times: else a stream has none;
- of a sliding window only the window is kept, as in the embedded row;
- a line in the log says what was loaded, and the user's variables set no options.

None of them does anything between two tokens.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import Any

from python_runner.engines.llama.llama_cpp_python import MICROBATCH, library_of, library_timings

FACTS = "polystack: loaded "
"""What the line in the log begins with; JSON follows."""
_CONFIG_FILE = "config_file"


def arguments(gguf: Path, alias: str, threads: int, context: int, port: int) -> list[str]:
    """The server's own options: what the embedded row has, and no more.

    Args:
        gguf: the weights.
        alias: the model's name there.
        threads: for prompt and answer alike.
        context: tokens.
        port: on 127.0.0.1.
    """
    options = {
        "model": gguf,
        "model_alias": alias,
        "host": "127.0.0.1",
        "port": port,
        "n_ctx": context,
        "n_batch": context,
        "n_ubatch": min(context, MICROBATCH),
        "n_threads": threads,
        "n_threads_batch": threads,
        "n_gpu_layers": 0,
        # Its default keeps the logits of all tokens, a prompt's too.
        "logits_all": "false",
        "flash_attn": "false",
        "use_mmap": "true",
        "use_mlock": "false",
        "cache": "false",
        # Its default: a new request ends the answer that is under way.
        "interrupt_requests": "false",
    }
    return [word for name, value in options.items() for word in (f"--{name}", str(value))]


def told(package: Any) -> Any:
    """The package's class `Llama`, with what is ours; `package` is the imported `llama_cpp`."""

    class Told(package.Llama):  # type: ignore[misc]  # known only when it is imported
        """Answers as the package does."""

        _limit: int | None = None
        _prompt_tokens = 0

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **{**kwargs, "swa_full": False})
            sys.stdout.write(f"{FACTS}{json.dumps(facts_of(package, self))}\n")
            sys.stdout.flush()

        def generate(self, tokens: Sequence[int], *args: Any, **kwargs: Any) -> Iterator[int]:
            self.reset()
            package.llama_perf_context_reset(self.ctx)
            self._prompt_tokens = len(tokens)
            return islice(super().generate(tokens, *args, **kwargs), self._limit)

        def create_completion(self, *args: Any, **kwargs: Any) -> Any:
            self._limit = kwargs.get("max_tokens")
            answer = super().create_completion(*args, **kwargs)
            return self._counted(answer) if kwargs.get("stream") else answer

        def _counted(self, chunks: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
            for chunk in chunks:
                if chunk["choices"][0]["finish_reason"]:
                    timings = library_timings(package, self)
                    chunk["usage"] = usage_of(self._prompt_tokens, self.n_tokens, timings)
                yield chunk

    return Told


def usage_of(prompt: int, computed: int, timings: Mapping[str, float]) -> dict[str, float]:
    """The counts of an answer: the mark that ends one counts, as with other servers.

    Args:
        prompt: tokens of the prompt.
        computed: tokens that were computed, prompt included; the last is chosen only.
        timings: llama.cpp's own.
    """
    tokens = computed - prompt + 1
    return {
        "prompt_tokens": prompt,
        "completion_tokens": tokens,
        "total_tokens": prompt + tokens,
        **timings,
    }


def facts_of(package: Any, llama: Any) -> dict[str, Any]:
    """What was loaded, in JSON's types."""
    vocabulary = package.llama_model_get_vocab(llama.model)
    is_end = package.llama_vocab_is_eog
    return {
        "version": package.__version__,
        "library": library_of(package),
        "system": package.llama_print_system_info().decode(),
        "ends": [token for token in range(llama.n_vocab()) if is_end(vocabulary, token)],
        "threads": package.llama_n_threads(llama.ctx),
        "microbatch": package.llama_n_ubatch(llama.ctx),
    }


def without_options(environment: MutableMapping[str, str], options: Mapping[str, Any]) -> None:
    """Take out the variables by which a user sets the server's options, in capitals or not."""
    for name in [name for name in environment if name.lower() in {*options, _CONFIG_FILE}]:
        del environment[name]


def main(words: Sequence[str]) -> None:
    """Load the model and serve it until a signal comes."""
    package: Any = import_module("llama_cpp")
    settings: Any = import_module("llama_cpp.server.settings")
    without_options(os.environ, settings.Settings.model_fields)
    package.Llama = told(package)
    sys.argv = ["llama_cpp.server", *words]
    import_module("llama_cpp.server.__main__").main()


if __name__ == "__main__":
    main(sys.argv[1:])
