"""What a child of ours may have of our environment."""

import pytest

from python_runner.common.secrets import is_for_builds, is_secret_name, without_secrets

KEY = "sk-canary-0123456789"


@pytest.mark.parametrize(
    "name",
    [
        "MY_KEY",
        "OPENAI_API_KEY",
        "HF_TOKEN",
        "hf_token",
        "AWS_SECRET_ACCESS_KEY",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "DB_PASSWORD",
        "x-apikey",
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name", ["PATH", "TOKENIZERS_PARALLELISM", "KEYBOARD", "OLLAMA_KEEP_ALIVE", "MONKEY", "NAME"]
)
def test_names_that_are_none(name: str) -> None:
    assert not is_secret_name(name)


def test_a_secret_is_left_out_whatever_else_repeats_it() -> None:
    found = without_secrets(
        {
            "PATH": "/usr/bin",
            "HOSTED_KEY": KEY,
            "CURL_HEADER": f"Authorization: Bearer {KEY}",
            "HTTP_PROXY": "http://me:word@proxy:3128",
            "no_proxy": "127.0.0.1",
            "SHORT_TOKEN": "on",
            "MODE": "on",
        }
    )
    assert found == {"PATH": "/usr/bin", "no_proxy": "127.0.0.1", "MODE": "on"}


def test_a_build_keeps_what_lets_it_into_a_registry() -> None:
    given = {
        "PIP_INDEX_URL": "https://me:word@registry/simple",
        "UV_INDEX_OURS_PASSWORD": "word-of-ours",
        "CARGO_REGISTRIES_OURS_TOKEN": "token-of-ours",
        "GOPROXY": "https://me:word@registry",
        "https_proxy": "http://me:word@proxy:3128",
        "CARGO_REGISTRY_TOKEN": "token-to-publish",
        "UV_PUBLISH_TOKEN": "token-to-publish",
        "GOOGLE_API_KEY": KEY,
        "HF_TOKEN": "hf_canary",
    }
    kept = without_secrets(given, keeps=is_for_builds)
    assert sorted(kept) == [
        "CARGO_REGISTRIES_OURS_TOKEN",
        "GOPROXY",
        "PIP_INDEX_URL",
        "UV_INDEX_OURS_PASSWORD",
        "https_proxy",
    ]
