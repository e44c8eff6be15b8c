"""An upload that is answered with a problem instead of a 202."""

from __future__ import annotations

from pipeline.errors import TallyError
from pipeline.problem import Fault

Headers = tuple[tuple[bytes, bytes], ...]


class Refusal(TallyError):  # noqa: N818 (named as the rest of the tree is)
    """Ends the processing of an upload, of which nothing is kept: `status` is the answer's, the message says why.

    `headers` are further ones of the answer; `errors` are what is wrong in particular.
    """

    def __init__(self, status: int, detail: str, headers: Headers = (), errors: tuple[Fault, ...] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers
        self.errors = errors


def try_again(detail: str) -> Refusal:
    """A 503: it is unknown whether the upload counts; sent again with its key, it counts once."""
    return Refusal(503, f"{detail}; send it again, with the same Idempotency-Key", ((b"retry-after", b"1"),))


def too_large(max_bytes: int) -> Refusal:
    """The 413 for a body of more than `max_bytes`."""
    return Refusal(413, f"the body is larger than {max_bytes} bytes (MAX_BODY_BYTES)")
