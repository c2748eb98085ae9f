"""`podium install`: all that lets Podium run in a cluster, as YAML for kubectl; and what a cluster lacks for it."""

from __future__ import annotations

import asyncio
import base64
import pathlib
import re
from typing import TYPE_CHECKING, Any

import click

from podium.cli import options, outcome

if TYPE_CHECKING:
    from podium.install.check import Finding
    from podium.install.plan import Plan

MODES = ("recommend", "metric", "floor", "own")
_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
_IMAGE = re.compile(r"[\w][\w.:/@-]*", re.ASCII)
_RESOURCE = re.compile(r"[a-z0-9]+(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+")


@click.command(short_help="Print everything that lets Podium run in a cluster; --check names what is missing there.")
@click.option(
    "--mode",
    type=click.Choice(MODES),
    default="recommend",
    show_default=True,
    help="The most that any policy may do, and the rights for it; recommend only reads.",
)
@click.option("--namespace", default="podium", show_default=True, metavar="NAME", help="Where Podium runs.")
@click.option(
    "--namespaced",
    "namespaces",
    multiple=True,
    metavar="NAME",
    help="Look at this namespace alone, with a Role there in place of ClusterRoles; repeatable.",
)
@click.option(
    "--workload",
    "workloads",
    multiple=True,
    metavar="PLURAL.GROUP",
    help="A further resource with a scale, as in rollouts.argoproj.io; repeatable.",
)
@click.option("--metrics-apis", is_flag=True, help="Also the right to read custom and external metrics.")
@click.option(
    "--tell", is_flag=True, help="In mode recommend, too, write the status of Podium's own objects, and Events."
)
@click.option("--prometheus", metavar="URL", default="", help="Where the load is measured.")
@click.option("--image", metavar="IMAGE", default="", help="The container image (default: podium of this version).")
@click.option("--replicas", type=click.IntRange(1, 9), default=1, show_default=True, help="One leads, the others wait.")
@click.option(
    "--database-secret",
    default="",
    metavar="NAME",
    help="A Secret with `url` and `password` of a PostgreSQL; left out, SQLite on a volume.",
)
@click.option("--storage", default="10Gi", show_default=True, metavar="SIZE", help="Of that volume.")
@click.option("--storage-class", default="", metavar="NAME", help="Of that volume; left out, the cluster's default.")
@click.option(
    "--token-secret",
    default="",
    metavar="NAME",
    help="A Secret with the `token` that opens the API; left out, one is made at the first start.",
)
@click.option(
    "--serving-secret",
    default="",
    metavar="NAME",
    help="A TLS Secret for the metrics API; left out, self-signed and not verified.",
)
@click.option("--ca", type=click.Path(path_type=pathlib.Path), metavar="FILE", help="PEM of who signed that.")
@click.option(
    "--serve-metrics", "serve", is_flag=True, help="Answer external.metrics.k8s.io in modes floor and own, too."
)
@click.option("--keda", is_flag=True, help="Serve KEDA's external scaler in place of the external metrics API.")
@click.option("--network-policy/--no-network-policy", default=True, show_default=True, help="Who may reach whom.")
@click.option(
    "--rights-only",
    "only",
    is_flag=True,
    help="The kinds, the account and its rights: for a Podium that runs elsewhere.",
)
@click.option(
    "--check", "asks", is_flag=True, help="Print nothing; ask the cluster which rights and kinds are missing."
)
@click.option(
    "--as",
    "user",
    default="",
    metavar="USER",
    help="With --check: whose rights, as in system:serviceaccount:podium:podium (default: your own).",
)
@click.option("--context", metavar="NAME", help="With --check: the kubeconfig's context (default: the current one).")
@options.formats("yaml", "json")
def command(
    asks: bool,
    only: bool,
    user: str,
    context: str | None,
    ca: pathlib.Path | None,
    form: str,
    output: str | None,
    **chosen: Any,
) -> int:
    """Print every object of an installation, for `kubectl apply --server-side -f -`: the same bytes each time.

    Nothing is sent anywhere, and no secret is printed. With --check nothing is printed but what the cluster lacks: exit
    code 1 when something is missing.
    """
    plan = _plan(chosen, ca)
    if asks:
        return _checked(plan, user, context, form, output)
    if user or context:
        raise click.UsageError("--as and --context belong to --check: printing asks no cluster")
    from podium.install import manifest, texts

    every = manifest.granting(plan) if only else manifest.objects(plan)
    options.emit(texts.as_json(every) if form == "json" else texts.as_yaml(every), output)
    return outcome.DONE


def _plan(chosen: dict[str, Any], ca: pathlib.Path | None) -> Plan:
    from podium.install import plan

    given = {name: value for name, value in chosen.items() if value not in ("", ())}
    for name in (given["namespace"], *given.get("namespaces", ())):
        if _LABEL.fullmatch(name) is None:
            raise click.BadParameter(f"{name!r}: expected a namespace, as in shop")
    for name in given.get("workloads", ()):
        if _RESOURCE.fullmatch(name) is None:
            raise click.BadParameter(
                f"{name!r}: expected PLURAL.GROUP, as in rollouts.argoproj.io", param_hint="--workload"
            )
    _refuse_odd(given)
    given["namespaces"] = tuple(dict.fromkeys(given.get("namespaces", ())))
    if "workloads" in given:
        given["workloads"] = tuple(dict.fromkeys((*plan.Plan().workloads, *given["workloads"])))
    if given["replicas"] > 1 and not (given.get("database_secret") and given.get("token_secret")):
        words = "of several replicas all need one database and one token: give --database-secret and --token-secret"
        raise click.UsageError(words)
    if ca is not None:
        given["ca_bundle"] = _pem(ca)
    if bool(given.get("ca_bundle")) != bool(given.get("serving_secret")):
        raise click.UsageError("--serving-secret and --ca belong together")
    return plan.Plan(**given)


def _refuse_odd(given: dict[str, Any]) -> None:
    """What the cluster would refuse, or what does nothing. Raises BadParameter, UsageError."""
    from urllib.parse import urlsplit

    from podium.model.quantities import parse_milli

    for name in ("database_secret", "token_secret", "serving_secret", "storage_class"):
        if name in given and _SUBDOMAIN.fullmatch(given[name]) is None:
            hint = f"--{name.replace('_', '-')}"
            raise click.BadParameter(
                f"{given[name]!r}: expected the name of an object, as in podium-db", param_hint=hint
            )
    if _IMAGE.fullmatch(given.get("image", "podium")) is None:
        raise click.BadParameter(f"{given['image']!r}: expected an image, as in podium:1.0", param_hint="--image")
    url = urlsplit(given.get("prometheus", "http://prometheus"))
    if url.scheme not in ("http", "https") or not url.hostname:
        words = f"{given['prometheus']!r}: expected a URL, as in http://prometheus.monitoring:9090"
        raise click.BadParameter(words, param_hint="--prometheus")
    try:
        enough = parse_milli(given["storage"]) > 0
    except ValueError:
        enough = False
    if not enough:
        raise click.BadParameter(f"{given['storage']!r}: expected a size, as in 10Gi", param_hint="--storage")
    if given["mode"] == "recommend" and (given["keda"] or given["serve"]):
        raise click.UsageError("--keda and --serve-metrics take --mode metric or more: recommend answers nobody")


def _pem(path: pathlib.Path) -> str:
    from podium.cli.outcome import BadInput

    try:
        found = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from error
    if b"PRIVATE KEY" in found or b"BEGIN CERTIFICATE" not in found:
        raise BadInput(f"{path}: expected certificates in PEM, without a private key")
    return base64.b64encode(found).decode()


def _checked(plan: Plan, user: str, context: str | None, form: str, output: str | None) -> int:
    found = asyncio.run(_asked(plan, user, context))
    wrong = [one for one in found if one.wrong]
    if form == "json":
        options.emit(options.as_json({"ok": not wrong, "mode": plan.mode, "findings": found}), output)
    else:
        lines = [f"{'MISSING' if one.wrong else 'ok':8} {one.what:8} {one.words}" for one in found]
        last = f"{len(wrong)} missing" if wrong else "nothing is missing"
        options.emit("\n".join([*lines, last]), output)
    return outcome.NEGATIVE if wrong else outcome.DONE


async def _asked(plan: Plan, user: str, context: str | None) -> list[Finding]:
    from podium.cli import reached
    from podium.install.check import findings

    async with reached.cluster(context) as client:
        return await findings(client, plan, user)
