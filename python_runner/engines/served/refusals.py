"""What to do next when somebody else's server does not answer as one should."""

from __future__ import annotations

from python_runner.common.errors import GenerationError
from python_runner.engines.served.message import printable

_NO_SERVER_OF_MODELS = "Is that the address of a server for language models?"
_LONGEST = 300
"""Of a server's words: enough for a sentence, not for a page."""
_BY_STATUS = (
    (
        {401, 403},
        "The server wants a key, or another one: put it into a variable and name that, "
        "--api-key-env NAME.",
    ),
    (
        {404, 405},
        "No such path or model there: see --dialect for the path, --model for the model. "
        f"{_NO_SERVER_OF_MODELS}",
    ),
    (
        {429},
        "The server takes no more requests from you for now: wait, or ask for a lower load.",
    ),
    (
        {503},
        "The server is starting or has too much to do, as an endpoint that scales to zero says "
        "for some minutes after its first request: wait, then type it again.",
    ),
    (
        {400, 413, 422},
        "The server does not take such a request: see its words, --dialect and --model.",
    ),
    (
        {301, 302, 303, 307, 308},
        "Give the address that it sends us on to: a key is not taken to another one.",
    ),
)
_HINTS = {
    "connect": "Is the server up, and are host and port right?",
    "tls": "If the server's certificate is your own, name it: --ca-file FILE.",
    "timeout": "Allow more time (--timeout of a load, `timeout` of an endpoint), or ask for fewer "
    "tokens. One that never answers may be another kind of server.",
    "not-a-stream": f"{_NO_SERVER_OF_MODELS} Its page for people often has another port or path "
    "than its API; --dialect says which API is meant.",
    "empty": "The server ended its answer without a token: try another prompt, or --dialect.",
    "no-end": "The server broke its answer off: its own log may say why.",
    "closed": f"The server closed the connection: its own log may say why. {_NO_SERVER_OF_MODELS} "
    "If it speaks TLS, the address begins with https://.",
    "stream-error": "The server's words say what it lacks.",
    "wrong-count": "Its counts cannot be believed: no figure can be made of this answer.",
    "protocol": _NO_SERVER_OF_MODELS,
    "too-large": _NO_SERVER_OF_MODELS,
}
_BY_WORDS = (
    (
        ("no file or port left",),
        "That is a limit of this machine and not of the server: allow more open files "
        "(ulimit -n NUMBER), ask for a lower load, or send it from more than one machine.",
    ),
    (
        ("InvalidContentType", "WRONG_VERSION_NUMBER", "record layer failure"),
        "What answers there does not speak TLS: write http:// in place of https://, or another "
        "port.",
    ),
    (
        ("CaUsedAsEndEntity",),
        "Its certificate is one that signs others, and no server's own: have one made with "
        "basicConstraints=CA:FALSE.",
    ),
    (
        ("Expired", "NotValid", "has expired", "not yet valid", "mismatch"),
        "Its certificate is not one for this name and this day: is that the right host?",
    ),
    (
        ("invalid peer certificate", "certificate verify failed"),
        "Nobody whom this machine trusts has signed its certificate. If the certificate is your "
        "own, name it: --ca-file FILE.",
    ),
    (
        ("\\u{15}\\u{3}", "\\x15\\x03", "plain HTTP request was sent to HTTPS"),
        "What answers there speaks TLS: write https:// in place of http://.",
    ),
    (
        (
            *("the name is not known", "name was not resolved", "no address"),
            *("Name or service not known", "name resolution", "nodename nor servname"),
        ),
        "Is the host's name written right, and can this machine reach its name server?",
    ),
    (
        ("timed out", "not all connections stood in time"),
        "Nothing answers at that port: is it the right one, and does a firewall let it through?",
    ),
)
"""What the words of an error tell, whatever its kind."""


def hint_of(kind: str, status: int, words: str) -> str:
    """What to do next, as sentences; empty if there is nothing to say.

    Args:
        kind: as in `polystack_stream.LoadRecord.error_kind`.
        status: of HTTP; 0: there was no answer.
        words: what was said of it.
    """
    for signs, hint in _BY_WORDS:
        if any(sign in words for sign in signs):
            return hint
    return hint_of_status(status) if kind == "status" else _HINTS.get(kind, "")


def hint_of_status(status: int) -> str:
    """What to do next after an answer that is no success."""
    hints = (hint for statuses, hint in _BY_STATUS if status in statuses)
    return next(hints, "The server's own log may say why.")


def without_query(url: str) -> str:
    """`url` as it may be shown and kept: what stands behind a `?` may hold a key."""
    return url.partition("?")[0]


def refusal(url: str, kind: str, status: int, words: str) -> GenerationError:
    """The error of a request to `url` that failed, with what to do next."""
    said = printable(" ".join(words.split()))
    if len(said) > _LONGEST:
        said = f"{said[:_LONGEST]}…"
    return GenerationError(
        f"{without_query(url)}: {said or kind}", hint=hint_of(kind, status, words)
    )
