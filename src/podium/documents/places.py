"""Where a settings file is looked for, and where the platform keeps state. The environment is an argument."""

from __future__ import annotations

import pathlib
import sys
from collections.abc import Mapping
from typing import Any

from podium.documents import reading
from podium.documents.document import API_VERSION
from podium.documents.problem import Invalid, Problem, shown, unreadable
from podium.documents.source import Source

FILE = "podium.yaml"
SYSTEM = pathlib.Path("/etc/podium")


def settings_file(
    named: str | None, environ: Mapping[str, str], cwd: pathlib.Path, system: pathlib.Path
) -> pathlib.Path | None:
    """The file that was named, else $PODIUM_CONFIG, else the first of `cwd`, the user's folder and `system`.

    None when there is none. Raises Invalid when a named one is not there.
    """
    for origin, name in (("flag config", named), ("PODIUM_CONFIG", environ.get("PODIUM_CONFIG"))):
        if name:
            file = cwd / pathlib.Path(name).expanduser()
            if not file.is_file():
                raise Invalid([Problem(origin, 0, 0, "", "a settings file that is there", str(file))])
            return file
    user = pathlib.Path(environ.get("XDG_CONFIG_HOME") or _home(environ) / ".config") / "podium"
    return next((folder / FILE for folder in (cwd, user, system) if (folder / FILE).is_file()), None)


def state_folder(environ: Mapping[str, str]) -> pathlib.Path:
    """Where programs keep what they learn: $XDG_STATE_HOME/podium, else the platform's own place."""
    if environ.get("XDG_STATE_HOME"):
        return pathlib.Path(environ["XDG_STATE_HOME"]) / "podium"
    if sys.platform == "darwin":
        return _home(environ) / "Library" / "Application Support" / "podium"
    return _home(environ) / ".local" / "state" / "podium"


def read_settings(file: pathlib.Path) -> tuple[dict[str, Any], Source]:
    """The one document of a settings file, not yet checked. Raises Invalid."""
    try:
        parsed = list(reading.read(file.read_bytes()))
    except OSError as error:
        problem = Problem(str(file), 0, 0, "", "a file that can be read", unreadable(error))
        raise Invalid([problem]) from error
    except reading.Unreadable as error:
        raise Invalid([Problem(str(file), *error.mark, "", error.expected, error.got)]) from error
    if len(parsed) != 1 or not isinstance(parsed[0].value, dict):
        got = shown(parsed[0].value) if len(parsed) == 1 else f"{len(parsed)} documents"
        raise Invalid([Problem(str(file), 1, 1, "", "one document of kind Settings", got)])
    value, source = parsed[0].value, Source(str(file), parsed[0].marks)
    wanted = {"apiVersion": API_VERSION, "kind": "Settings"}
    missing = [Problem.at(source, (name,), text, "nothing") for name, text in wanted.items() if name not in value]
    if missing:
        raise Invalid(missing)
    return value, source


def _home(environ: Mapping[str, str]) -> pathlib.Path:
    return pathlib.Path(environ["HOME"]) if environ.get("HOME") else pathlib.Path.home()
