"""Who may come in: a bearer token, or the cookie session it was exchanged for.

A session is a signed cookie, `expiry.nonce.signature` under a key derived from the token: nothing to store, valid
across a restart with the same token, void with another one. Its CSRF token is a second signature over the same
cookie, which only a page of our own origin can learn. Every comparison takes constant time.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping

from podium.model.clock import Clock

MINIMUM_TOKEN = 16  # characters; `new_token` gives 43
SESSION_SECONDS = 12 * 3600.0  # one working day: the page of a wall screen asks again every morning


def new_token() -> str:
    """A token nobody guesses: 256 random bits as 43 characters that survive a URL."""
    return secrets.token_urlsafe(32)


class Access:
    """Judges what a request shows."""

    def __init__(self, token: str, clock: Clock, senders: Mapping[str, str] | None = None) -> None:
        if len(token) < MINIMUM_TOKEN:
            raise ValueError(f"a token of {len(token)} characters is too short; expected at least {MINIMUM_TOKEN}")
        self._token = token.encode()
        self._key = hmac.digest(self._token, b"podium session", "sha256")
        self._clock = clock
        self._senders = {name: secret.encode() for name, secret in (senders or {}).items()}
        if short := [name for name, secret in self._senders.items() if len(secret) < MINIMUM_TOKEN]:
            raise ValueError(f"the token of source {short[0]} is too short; expected at least {MINIMUM_TOKEN}")
        self._ended: dict[str, float] = {}  # sessions signed out before their time -> when they would have expired

    def token_matches(self, shown: str) -> bool:
        """Whether this is the token."""
        return hmac.compare_digest(shown.encode("utf-8", "surrogatepass"), self._token)

    def sender(self, shown: str) -> str | None:
        """The source of pushed metrics that this token opens; None when it is nobody's."""
        encoded = shown.encode("utf-8", "surrogatepass")
        found = [name for name, secret in self._senders.items() if hmac.compare_digest(encoded, secret)]
        return found[0] if found else None

    def open_session(self) -> str:
        """A new session's cookie value."""
        expiry = int(self._clock() + SESSION_SECONDS)
        session = f"{expiry}.{secrets.token_urlsafe(12)}"
        return f"{session}.{self._sign('cookie', session)}"

    def session_expiry(self, cookie: str) -> float | None:
        """When this session ends, Unix seconds; None when it is not ours, has expired or was ended."""
        session, _, signature = cookie.rpartition(".")
        if not hmac.compare_digest(
            signature.encode("utf-8", "surrogateescape"), self._sign("cookie", session).encode()
        ):
            return None
        expiry = float(session.partition(".")[0])  # signed by us: it is a number
        if self._clock() >= expiry or session in self._ended:
            return None
        return expiry

    def csrf(self, cookie: str) -> str:
        """What a page must show in `X-CSRF-Token` with every write of this session."""
        return self._sign("csrf", cookie)

    def csrf_matches(self, cookie: str, shown: str) -> bool:
        """Whether the write comes from a page that could read our answers."""
        return hmac.compare_digest(shown.encode("utf-8", "surrogateescape"), self.csrf(cookie).encode())

    def end_session(self, cookie: str) -> None:
        """Sign out: the cookie is refused from now on, even if someone kept a copy."""
        now = self._clock()
        self._ended = {session: expiry for session, expiry in self._ended.items() if expiry > now}
        expiry = self.session_expiry(cookie)
        if expiry is not None:
            self._ended[cookie.rpartition(".")[0]] = expiry

    def _sign(self, purpose: str, text: str) -> str:
        signed = f"{purpose}:{text}".encode("utf-8", "surrogateescape")
        return hmac.new(self._key, signed, "sha256").hexdigest()
