"""How a command ends: its exit code, and one clear message on stderr when it could not do what was asked."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import click

DONE, NEGATIVE, BAD_INPUT, OUT_OF_REACH, INTERRUPTED = 0, 1, 2, 3, 130


# What rooms of the house raise for a person to read: (module, class, exit code). A test holds the two together.
KINDS = (
    ("podium.documents.problem", "Invalid", BAD_INPUT),
    ("podium.documents.secret", "Unreadable", BAD_INPUT),
    ("podium.api.server", "Permanent", BAD_INPUT),
    ("podium.clients.database", "Permanent", BAD_INPUT),
    ("podium.clients.database", "Temporary", OUT_OF_REACH),
    ("podium.ledger.errors", "Led", OUT_OF_REACH),
    ("podium.ledger.errors", "StaleLeader", OUT_OF_REACH),
    ("podium.loop.backtest.run", "Unfit", BAD_INPUT),
    ("podium.loop.clusters.port", "Permanent", BAD_INPUT),
    ("podium.loop.clusters.port", "Temporary", OUT_OF_REACH),
    ("podium.loop.shards", "Lost", OUT_OF_REACH),
    ("podium.clients.kubernetes.errors", "Permanent", BAD_INPUT),
    ("podium.clients.kubernetes.errors", "Temporary", OUT_OF_REACH),
    ("podium.signals.source", "Permanent", BAD_INPUT),
    ("podium.signals.source", "Temporary", OUT_OF_REACH),
)


class BadInput(Exception):
    """What was given cannot be used. The message names it and what was expected."""


class OutOfReach(Exception):
    """Something could not be reached or finished; trying again may help."""


def of(run: Callable[[], object]) -> int:
    """Run a command and return its exit code. What went wrong is one message, never a traceback, unless it is ours."""
    try:
        result = run()
        sys.stdout.flush()  # here, where a reader that has left can still be answered
    except click.exceptions.Exit as leaving:
        return leaving.exit_code
    except click.ClickException as error:
        error.show()
        return BAD_INPUT
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BadInput as error:
        return _said(error, BAD_INPUT)
    except OutOfReach as error:
        return _said(error, OUT_OF_REACH)
    except BrokenPipeError:
        # Whoever read our output has seen enough: `podium explain … | head -1`.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    except Exception as error:
        code = known(error)
        if code is None:
            raise
        return _said(error, code)
    return result if isinstance(result, int) else DONE


def known(error: BaseException) -> int | None:
    """The exit code of an error that some room of the house defines; None for a mistake of our own.

    Rooms are looked up only among those already imported: an error cannot come from one that is not.
    """
    if isinstance(error, BaseExceptionGroup):
        codes = {known(one) for one in error.exceptions}
        return codes.pop() if len(codes) == 1 else None
    for module, name, code in KINDS:
        kind = getattr(sys.modules.get(module), name, None)
        if kind is not None and isinstance(error, kind):
            return code
    return None


def _said(error: BaseException, code: int) -> int:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    problems = getattr(error, "problems", ())
    if len(problems) > 1:
        # A line per mistake that begins with its file and line: editors and terminals open the place from there.
        click.echo("\n".join([f"podium: {len(problems)} mistakes", *map(str, problems)]), err=True)
    else:
        click.echo(f"podium: {error}", err=True)
    return code
