"""What may come instead of an answer. Every message is one sentence that names the address or the file."""

from __future__ import annotations


class Temporary(Exception):
    """The API server was silent, slow or overloaded: ask again later."""

    def __init__(self, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds  # None: it did not say


class Expired(Temporary):
    """410: the version or the page that was asked for is too old."""


class Permanent(Exception):
    """Asking again will not help."""


class Unauthorized(Permanent):
    """401: the API server does not know who asks."""


class Forbidden(Permanent):
    """403: a right is missing; the message names verb, resource and namespace."""


class Missing(Permanent):
    """404: there is no such object, or no such resource."""


class Broken(Permanent):
    """A kubeconfig, or what it refers to, cannot be used; the message names file, line and field."""


class Conflict(Exception):
    """409: a precondition no longer holds, or the object exists already."""
