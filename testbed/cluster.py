"""`make cluster`: a control plane in the foreground. Prints its kubeconfig's path; ctrl-C ends it and cleans up."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from testbed import binaries, control_plane


def main() -> int:
    """Run until ctrl-C or SIGTERM. Standard output holds the kubeconfig's path and nothing else."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nodes", type=int, default=3, help="how many nodes of 64 cores and 256 GiB (default: 3)")
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell starts background jobs with SIGINT ignored
        signal.signal(number, _stop)
    try:
        programs = binaries.all_programs(_say)
        with tempfile.TemporaryDirectory(prefix="podium-cluster-") as folder:
            _run(control_plane.ControlPlane(Path(folder), programs, nodes=options.nodes))
    except KeyboardInterrupt:
        _say("stopped; nothing is left behind")
    except (binaries.Missing, control_plane.Broken) as trouble:
        _say(str(trouble))
        return 3
    return 0


def _run(cluster: control_plane.ControlPlane) -> None:
    begun = time.monotonic()
    _say("starting etcd, the API server, its controllers, the scheduler and KWOK …")
    cluster.start(remove_folder=True)
    try:
        print(cluster.kubeconfig, flush=True)
        _say(f"ready after {time.monotonic() - begun:.1f} s; kubectl --kubeconfig {cluster.kubeconfig} get nodes")
        _say("ctrl-C ends it")
        while True:
            signal.pause()
    finally:
        cluster.stop()


def _stop(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
