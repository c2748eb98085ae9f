"""A deadline for a conversation that offers none: the socket under it is shut down when time is up."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def shut_after(seconds: float, number: int) -> Iterator[None]:
    """Shut the socket with file number `number` down after `seconds`, unless the block ends before.

    Whoever waits on it then reads the end of the stream. libpq waits for ever on a frozen server: its TCP stack still
    acknowledges, so that neither keepalive nor a server-side statement timeout ends the wait.
    """
    copy = socket.socket(fileno=os.dup(number))  # a copy: the number may be reused once its owner closes it
    timer = threading.Timer(seconds, _shut, [copy])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        copy.close()


def _shut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):  # already closed by the other side
        connection.shutdown(socket.SHUT_RDWR)
