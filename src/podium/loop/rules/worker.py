"""The process that evaluates CEL: it answers jobs from stdin until that ends. Whoever started it may kill it any time.

CEL's library knows no limit of cost: an expression of fifty signs may run for days. So nothing of it runs in Podium's
own process. This one limits its own memory, and the processor time of each job, in case nobody is left to kill it.

    job    = length job-as-JSON values      length: 4 bytes, big-endian, of the JSON
    job    = {"text": …, "names": [n …], "rows": r}, followed by n x r float64 (little-endian, a column a name)
    answer = length answer-as-JSON outcomes length: 4 bytes, big-endian, of the JSON
    answer = {"wrong": "", "rows": r} and a byte a row: 0 no, 1 yes, 2 unknown; `wrong` says why a text is no condition,
             and then there may be no rows
"""

from __future__ import annotations

import array
import contextlib
import importlib.machinery
import importlib.util
import json
import pathlib
import resource
import sys
from typing import IO, Any

MOST_BYTES = 1 << 30  # of memory
JOB_SECONDS = 60  # of processor time, of one job
NO, YES, UNKNOWN = 0, 1, 2
READY = b"ready\n"


def main() -> None:
    """Answer until stdin ends."""
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(ValueError, OSError):  # a limit of the surroundings may be lower already
        resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    cel = library()
    programs: dict[tuple[str, ...], Any] = {}
    sink.write(READY)
    sink.flush()
    while (job := read(source)) is not None:
        with contextlib.suppress(ValueError, OSError):
            used = resource.getrusage(resource.RUSAGE_SELF)
            spent = int(used.ru_utime + used.ru_stime) + 1
            resource.setrlimit(resource.RLIMIT_CPU, (spent + JOB_SECONDS, resource.RLIM_INFINITY))
        wrong, outcomes = answer(cel, programs, *job)
        head = json.dumps({"wrong": wrong, "rows": len(outcomes)}).encode()
        sink.write(len(head).to_bytes(4, "big") + head + outcomes)
        sink.flush()


def library() -> Any:
    """The compiled part of the library alone; its package imports a command line on the way, which takes a second."""
    found = importlib.util.find_spec("cel")
    for folder in (found.submodule_search_locations or ()) if found is not None else ():
        for ending in importlib.machinery.EXTENSION_SUFFIXES:
            file = pathlib.Path(folder) / f"cel{ending}"
            if file.exists():
                loader = importlib.machinery.ExtensionFileLoader("cel.cel", str(file))
                spec = importlib.util.spec_from_loader("cel.cel", loader)
                if spec is not None:
                    module = importlib.util.module_from_spec(spec)
                    loader.exec_module(module)
                    return module
    import cel

    return cel


def read(source: IO[bytes]) -> tuple[dict[str, Any], list[array.array[float]]] | None:
    """The next job with its columns; None: there is no more."""
    length = source.read(4)
    if len(length) < 4:
        return None
    job = json.loads(source.read(int.from_bytes(length, "big")))
    columns = []
    for _ in job["names"]:
        column = array.array("d", source.read(8 * job["rows"]))
        if sys.byteorder == "big":
            column.byteswap()
        columns.append(column)
    return job, columns


def answer(
    cel: Any, programs: dict[tuple[str, ...], Any], job: dict[str, Any], columns: list[array.array[float]]
) -> tuple[str, bytes]:
    """(why the text is no condition, or "", an outcome per row)."""
    text, names = job["text"], job["names"]
    if (text,) not in programs:
        if len(programs) > 10_000:
            programs.clear()
        try:
            programs[text,] = cel.compile(text)
        except Exception as error:  # noqa: BLE001  whatever the library raises, the text is the reason
            programs[text,] = error
    program = programs[text,]
    if isinstance(program, Exception):
        return said(program), b""
    context, put = cel.Context(), list(zip(names, columns, strict=True))
    outcomes, wrong = bytearray(job["rows"]), ""
    for row in range(job["rows"]):
        for name, column in put:
            context.add_variable(name, column[row])
        try:
            found = program.execute(context)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001  one row without an answer
            # A trial's further rows are values that may not fit together; types are wrong whatever the values.
            outcomes[row] = UNKNOWN
            wrong = wrong or (said(error) if row == 0 or isinstance(error, TypeError) else "")
            continue
        if found is True or found is False:
            outcomes[row] = YES if found else NO
        else:
            outcomes[row], wrong = UNKNOWN, wrong or f"a condition, which is true or false; it gives {found!r:.60}"
    return (wrong if job.get("trial") else ""), bytes(outcomes)


def said(error: BaseException) -> str:
    """The first sentence of an error, in one line."""
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0].strip() if lines else type(error).__name__


if __name__ == "__main__":
    main()
