"""`podium adopt`: HPAs, VPAs and KEDA's ScaledObjects turned into policies, compared, taken over, and given back."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import pathlib
from typing import TYPE_CHECKING

import click

from podium.cli import adopted, applied, history, options, placing, pointed
from podium.cli.outcome import BadInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from podium.cli.placing import Place
    from podium.clients.kubernetes.access import Access
    from podium.clients.kubernetes.client import Client
    from podium.loop.adopt.adoption import Adoption, Target, Wish, Workload
    from podium.loop.adopt.hand import Copies
    from podium.loop.adopt.original import Original
    from podium.settings import Loaded


@click.command(short_help="Turn HPAs, VPAs and KEDA's objects into policies; compare, take over, give back.")
@pointed.options
@click.option("-f", "--file", "files", multiple=True, type=click.Path(path_type=pathlib.Path), metavar="FILE",
              help="Manifests there instead of a cluster: a file or a folder; again for more.")  # fmt: skip
@click.option("--namespace", default="", metavar="NAME", help="This namespace alone.")
@click.option("--workload", "workloads", multiple=True, metavar="NAME", help="This one alone, as shop/deployment/web.")
@click.option("--into", type=click.Path(path_type=pathlib.Path, file_okay=False), metavar="FOLDER",
              help="Where policies go (default: where the settings have documents).")  # fmt: skip
@click.option("--mode", type=click.Choice(("recommend", "metric", "floor", "own")), default="recommend",
              show_default=True, help="Of the policies; own hands the workloads over.")  # fmt: skip
@click.option("--forecast/--no-forecast", default=True, show_default=True, help="Whether the policies look ahead.")
@click.option("--prometheus", "url", metavar="URL", help="A Prometheus that remembers, to compare on; it is only read.")
@click.option("--days", type=click.IntRange(2, 366), default=14, show_default=True, help="How far back to compare.")
@click.option("--apply", "apply_", is_flag=True, help="Put the policies in place.")
@click.option("--accept-losses", is_flag=True, help="Hand over although something that decides has no counterpart.")
@click.option("--undo", is_flag=True, help="Give everything back as it was, and take the policies away.")
@click.option("--force", is_flag=True, help="With --undo: also what somebody has changed meanwhile.")
@click.option("--yes", is_flag=True, help="Do not ask before a hand-over.")
@history.access
@options.config
@options.output
def command(
    kubeconfig: str | None,
    context: str | None,
    files: tuple[pathlib.Path, ...],
    namespace: str,
    workloads: tuple[str, ...],
    into: pathlib.Path | None,
    mode: str,
    forecast: bool,
    url: str | None,
    days: int,
    apply_: bool,
    accept_losses: bool,
    undo: bool,
    force: bool,
    yes: bool,
    bearer: str | None,
    config: str | None,
    flags: tuple[str, ...],
    form: str,
    output: str | None,
) -> int:
    """Turn what scales a cluster's workloads today into policies, and say how they differ. Nothing is changed.

    Read are HorizontalPodAutoscalers (v2, v1), VerticalPodAutoscalers and KEDA's ScaledObjects, of --context or of
    files. Every field of a policy says where it comes from; what has no counterpart is listed. With --prometheus both
    are compared on what really happened.

    --apply puts the policies in place, in mode recommend. With --mode own it hands over: an HPA is kept but made
    inert, a ScaledObject is paused, and what they were is recorded on them. --undo gives everything back. Either may
    be interrupted anywhere, and run again.
    """
    if undo and (apply_ or files):
        raise click.UsageError("--undo gives back what is in a cluster: it goes with neither --apply nor -f")
    if mode == "own" and files:
        raise click.UsageError("--mode own takes over in a cluster; manifests in files alone cannot be handed over")
    loaded = options.load(config, flags)
    asked = Asked(namespace, workloads, into, mode, forecast, accept_losses, url, days, bearer)
    there = None if files else pointed.access(kubeconfig, context)
    if undo:
        assert there is not None  # noqa: S101  -f is refused with --undo above
        done = pointed.ask(there, lambda client: _given_back(client, loaded, asked, force=force))
        return adopted.show_done(done, form, output)
    found = _from_files(files, loaded, asked) if there is None else _from_cluster(there, loaded, asked)
    chosen = [one for one in found.adoptions if asked.means(one.shown)]
    compared = adopted.compare(chosen, asked, loaded)
    if not apply_:
        return adopted.show_plan(chosen, found.missing, compared, form, output)
    handing = [one for one in chosen if not one.refused and (accept_losses or not one.held_back)]
    if mode == "own" and handing:
        applied.asking(yes=yes, form=form)
        names = ", ".join(one.shown for one in handing)
        if not (yes or click.confirm(f"Hand over {names}?", default=False)):
            raise click.Abort
    done = (
        pointed.run(_put(None, _place(None, loaded, asked), chosen, asked))
        if there is None
        else pointed.ask(there, lambda client: _put(client, _place(client, loaded, asked), chosen, asked))
    )
    return adopted.show_done(done, form, output)


@dataclasses.dataclass(frozen=True)
class Asked:
    """What was asked."""

    namespace: str
    workloads: tuple[str, ...]
    into: pathlib.Path | None
    mode: str
    forecast: bool
    accept_losses: bool
    url: str | None
    days: int
    bearer: str | None

    def means(self, shown: str) -> bool:
        """Whether a workload is meant: `shop/deployment/web`, or the end of it."""
        return not self.workloads or any(shown == one or shown.endswith(f"/{one}") for one in self.workloads)


@dataclasses.dataclass(frozen=True)
class Found:
    """What there is to adopt, and sentences about what may not be seen."""

    adoptions: tuple[Adoption, ...]
    missing: tuple[str, ...]


def _place(client: Client | None, loaded: Loaded, asked: Asked) -> Place:
    """Where policies go. Raises BadInput where nobody says."""
    documents = loaded.value.documents
    settings = loaded.value if loaded.file is not None else None
    if asked.into is not None:
        return placing.InFolder(asked.into, settings)
    if documents.authority == "kubernetes" and client is not None:
        return placing.InCluster(client, asked.namespace)
    if documents.path is None:
        raise BadInput("where policies go is not said: --into FOLDER, or documents.path in the settings")
    return placing.InFolder(documents.path, settings)


def _wish(loaded: Loaded, asked: Asked, signals: Mapping[str, set[str]]) -> Wish:
    from podium.loop.adopt.adoption import Wish

    kinds = {one.kind for one in loaded.value.sources}
    by_prometheus = "cluster" not in kinds and ("prometheus" in kinds or asked.url is not None)
    return Wish(asked.forecast, "prometheus" if by_prometheus else "cluster", signals)


async def _signals(client: Client | None, loaded: Loaded, asked: Asked) -> Mapping[str, set[str]]:
    """Signals that are there already. Where nobody said where policies go, there are none."""
    try:
        place = _place(client, loaded, asked)
    except BadInput:
        return {}
    return await place.signals()


def _from_files(files: Sequence[pathlib.Path], loaded: Loaded, asked: Asked) -> Found:
    from podium.loop.adopt import adoption, original

    originals = original.from_files(files, asked.namespace)
    signals = pointed.run(_signals(None, loaded, asked))
    return Found(adoption.adoptions(originals, _wish(loaded, asked, signals), {}), ())


def _from_cluster(there: Access, loaded: Loaded, asked: Asked) -> Found:
    async def read(client: Client) -> Found:
        from podium.loop.adopt import adoption, original

        originals, missing = await original.from_cluster(client, asked.namespace)
        targets, unseen = await _targets(client, originals)
        signals = await _signals(client, loaded, asked)
        found = adoption.adoptions(originals, _wish(loaded, asked, signals), targets)
        return Found(found, (*missing, *unseen))

    return pointed.ask(there, read)


async def _targets(client: Client, originals: Sequence[Original]) -> tuple[dict[Workload, Target], list[str]]:
    """Which targets are there, with their replicas, kind by kind in one list; what may not be seen is left out."""
    from podium.clients.kubernetes import errors
    from podium.clients.kubernetes.discovery import Discovery
    from podium.loop.adopt.adoption import Target, workload_of
    from podium.loop.policy import HOMES
    from podium.loop.survey.objects import Workload as Seen

    out: dict[Workload, Target] = {}
    missing: list[str] = []
    discovery = Discovery(client)
    groups: dict[tuple[str, str, str], set[Workload]] = {}
    for one in originals:
        name = workload_of(one)
        group = str(one.target.get("apiVersion", "")).rpartition("/")[0]
        home = HOMES.get(name[1], "").partition("/")[0]
        groups.setdefault((name[0], home or group, name[1]), set()).add(name)
    for (namespace, group, kind), names in sorted(groups.items()):
        try:
            where = (await discovery.find(group, kind)).at(namespace)
            values, _ = await client.list_all(where, Seen)
        except errors.Unauthorized:
            raise
        except errors.Missing:
            out |= dict.fromkeys(names, Target(there=False))
            continue
        except errors.Forbidden:
            missing.append(f"the right to list {kind}s of {group or 'the core group'} in {namespace} is missing")
            continue
        there = {value.metadata.name: value.spec.replicas for value in values}
        out |= {name: Target(name[2] in there, there.get(name[2])) for name in names}
    return out, missing


def _copies(server: str) -> Copies:
    from podium.documents import places
    from podium.loop.adopt.hand import Copies

    folder = hashlib.sha256(server.encode()).hexdigest()[:12]
    return Copies(places.state_folder(os.environ) / "adopted" / folder)


async def _put(client: Client | None, place: Place, chosen: Sequence[Adoption], asked: Asked) -> adopted.Done:
    """Put policies in place, and hand over where it is asked for: one workload after the other, step by step."""
    done = adopted.Done()
    able = [one for one in chosen if not one.refused]
    done.left += [(one.shown, one.refused) for one in chosen if one.refused]
    there = {one.workload: one for one in await place.policies()}
    others = {name: known for name, known in there.items() if not known.made_from}
    done.left += [
        (one.shown, f"has a policy of its own already: {others[one.workload].shown}")
        for one in able
        if one.workload in others
    ]
    able = [one for one in able if one.workload not in others]
    if problems := place.problems(able):
        raise BadInput("\n".join(["nothing was written: the documents would not be in force", *problems]))
    for one in able:
        known = there.get(one.workload)
        if asked.mode == "own" and one.held_back and not asked.accept_losses:
            done.left.append((one.shown, f"is not handed over: {'; '.join(one.held_back)}; --accept-losses does"))
            continue
        fresh = known is None
        if known is None:
            first = _first(asked.mode)
            done.did.append((one.shown, f"policy in mode {first} written: {await place.put(one, first)}"))
            known = next(each for each in await place.policies() if each.workload == one.workload)
        if asked.mode == "own" and client is not None:
            done.did += await _hand_over(client, one)
        now = known.document.spec.mode
        if now == "own" and asked.mode != "own":
            done.left.append((one.shown, "is in mode own already; --undo gives it back"))
        elif now != asked.mode:
            await place.set_mode(known, asked.mode)
            done.did.append((one.shown, f"mode {asked.mode}"))
        elif not fresh:
            done.did.append((one.shown, f"is in mode {asked.mode} already"))
    return done


def _first(mode: str) -> str:
    """A policy proves that it can be written before anything gives way to it."""
    return "recommend" if mode == "own" else mode


async def _hand_over(client: Client, one: Adoption) -> list[tuple[str, str]]:
    from podium.loop.adopt import hand

    copies, did = _copies(client.access.server), []
    for original in one.handed:
        copies.keep(original)
        new = await hand.hand_over(client, original, int(one.policy["spec"]["replicas"]["max"]))
        words = "gives way" if new else "has given way already"
        did.append((one.shown, f"{original.kind} {original.name} {words}"))
    return did


async def _given_back(client: Client, loaded: Loaded, asked: Asked, *, force: bool) -> adopted.Done:
    """Give back what was handed over; then take away the policies whose originals are all back."""
    from podium.clients.kubernetes import errors
    from podium.loop.adopt import hand, original
    from podium.loop.adopt.adoption import workload_of

    done, place, copies = adopted.Done(), _place(client, loaded, asked), _copies(client.access.server)
    originals, missing = await original.from_cluster(client, asked.namespace)
    if missing:
        raise errors.Forbidden("; ".join(missing))
    live = {one.key: one for one in originals}
    there = [one for one in await place.policies() if one.made_from and asked.means("/".join(one.workload))]
    there = [one for one in there if asked.namespace in ("", one.document.namespace)]
    kept = {one.key: one for one in copies.all() if asked.namespace in ("", one.namespace)}
    gone = [one for key, one in kept.items() if key not in live]
    stuck: set[str] = set()
    for one in [*(each for each in originals if each.record is not None or each.key in kept), *gone]:
        shown = "/".join(workload_of(one))
        if not asked.means(shown):
            continue
        for policy in there:
            if one.key in policy.made_from and policy.document.spec.mode == "own":
                await place.set_mode(policy, "recommend")
        try:
            if one.key not in live:
                await hand.make_again(client, one.value)
            elif not await hand.give_back(client, one, kept.get(one.key), whatever=force):
                copies.drop(one)  # it never gave way
                continue
        except hand.Changed as error:
            stuck.add(one.key)
            done.left.append((shown, f"{error}; --force gives back what was recorded"))
            continue
        copies.drop(one)
        words = "is back as it was" if one.key in live else "was deleted meanwhile, and is made again"
        done.did.append((shown, f"{one.kind} {one.name} {words}"))
    for policy in there:
        if not stuck & set(policy.made_from):
            await place.remove(policy)
            done.did.append(("/".join(policy.workload), f"policy taken away: {policy.shown}"))
    return done
