"""`podium`: the command line. Groups and commands are found by name and imported only when they run."""

from __future__ import annotations

import importlib
import sys

import click

# name -> (module that defines a click command `command`, what the list of commands says)
COMMANDS: dict[str, tuple[str, str]] = {
    "run": ("podium.cli.run", "Run the control loop with its API and live page."),
    "top": ("podium.cli.top", "Show the fleet of a running Podium in the terminal."),
    "pause": ("podium.cli.pause", "Pause scaling of a workload, a namespace or everything."),
    "resume": ("podium.cli.resume", "Take a pause back."),
    "believe": ("podium.cli.believe", "Take what a doubted source says for the truth."),
    "floor": ("podium.cli.floor", "Show the floors that Podium put under HPAs, or give them back."),
    "gitops": ("podium.cli.gitops", "Print what Argo CD and Flux must leave to Podium."),
    "recommend": ("podium.cli.recommend", "Say what a cluster could save and what will hurt it; touch nothing."),
    "install": ("podium.cli.install", "Print what lets Podium run in a cluster; --check names what is missing there."),
    "uninstall": ("podium.cli.uninstall", "Take Podium out of a cluster, and its marks off the workloads."),
    "backtest": ("podium.cli.backtest", "Replay a recorded load under several policies, side by side."),
    "report": ("podium.cli.report", "Say where Podium would have saved and where it would have hurt."),
    "tune": ("podium.cli.tune", "Propose the settings that a workload's own history justifies."),
    "forecast": ("podium.cli.forecast", "Forecast a recorded load at many moments of its past, and judge it."),
    "anomalies": ("podium.cli.anomalies", "Say which rows of a recorded series are anomalous, from their past alone."),
    "predict": ("podium.cli.predict", "Say whether the time ahead needs more replicas, and how sure that is."),
    "explain": ("podium.cli.explain", "Say why a workload has as many replicas as it has."),
    "replay": ("podium.cli.replay", "Decide a recorded turn again and compare it bit for bit."),
    "adopt": ("podium.cli.adopt", "Turn HPAs, VPAs and KEDA's objects into policies; compare, take over, give back."),
    "policy": ("podium.cli.policy", "Check documents, print their JSON Schemas and CRDs."),
    "settings": ("podium.cli.settings", "Show the settings and where each comes from."),
    "db": ("podium.cli.db", "Verify the ledger, see what is held, drop what is old."),
    "doctor": ("podium.cli.doctor", "Say what is missing on this machine, and how to get it."),
}


class Lazy(click.Group):
    """A group whose commands live in modules that are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All names, in the order people meet them."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(COMMANDS[cmd_name][0]).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """A mistyped command is answered with the nearest ones."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            import difflib

            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            ctx.fail(f"no command {args[0]!r}" + (f"; did you mean {near[0]!r}?" if near else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in COMMANDS.items()])


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="podium", message="podium %(version)s")
def podium() -> None:
    """Podium sizes many tenants' services on Kubernetes ahead of their load.

    Without a cluster: `podium run --demo` shows it on a simulated one, under recorded load.
    """


def main(args: list[str] | None = None) -> None:
    """The entry point. Exit codes: 0 done, 1 a negative answer, 2 bad input, 3 could not reach, 130 interrupted."""
    from podium.cli import outcome

    sys.exit(outcome.of(lambda: podium.main(args=args, prog_name="podium", standalone_mode=False)))


if __name__ == "__main__":
    main()
