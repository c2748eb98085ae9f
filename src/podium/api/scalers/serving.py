"""Opens the doors that the settings name, keeps their certificates fresh, and closes them again."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

import structlog

from podium.api.scalers.certificates import Keyring
from podium.api.scalers.external_metrics import Door
from podium.api.server import Permanent
from podium.loop.clusters.kubernetes.aggregator import Aggregator
from podium.loop.modes.board import Board
from podium.loop.modes.settings import MetricSettings

FRESH_SECONDS = 60.0  # between two looks at the files of a certificate, and at who signs the aggregator
log = structlog.get_logger()


Ask = Callable[[], Awaitable[Aggregator | str]]  # who it is, or why that cannot be known now


@contextlib.asynccontextmanager
async def opened(settings: MetricSettings, board: Board, token: str, ask: Ask, now: float) -> AsyncIterator[None]:
    """The doors, open. Raises Permanent where one cannot be opened. `ask` who the aggregator is, where no file says."""
    tasks: list[asyncio.Task[None]] = []
    try:
        if settings.listen is not None:
            tasks += await _metrics(settings, settings.listen, board, token, ask, now)
        if settings.keda is not None:
            tasks.append(await _keda(settings, settings.keda, board))
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _metrics(
    settings: MetricSettings, listen: str, board: Board, token: str, ask: Ask, now: float
) -> list[asyncio.Task[None]]:
    try:
        ring = Keyring(settings.certificate, settings.key, now)
        if settings.client_ca is not None:
            ring.trust(await asyncio.to_thread(settings.client_ca.read_text))
    except (OSError, ssl.SSLError) as error:
        raise Permanent(f"metric.certificate, metric.key, metric.clientCa: {error}") from error
    known = Aggregator("", settings.allowed_names)

    async def keep_fresh() -> None:
        nonlocal known
        said = ""
        while True:
            found = known if settings.client_ca is not None else await ask()
            trouble = found if isinstance(found, str) else ""
            try:
                ring.renew()
                if isinstance(found, Aggregator):
                    ring.trust(found.authority)
                    known = found
            except (OSError, ssl.SSLError) as error:
                trouble = str(error)
            if trouble and trouble != said:
                log.warning("HPAs may not be let in: who the API server's aggregator is cannot be read", reason=trouble)
            said = trouble
            await asyncio.sleep(FRESH_SECONDS / 6 if said else FRESH_SECONDS)

    host, _, port = listen.rpartition(":")
    door = Door(board, token, lambda: known.names)
    serving = asyncio.create_task(door.serve(host.strip("[]"), int(port), ring.context), name="external metrics")
    return [await _begun(serving, listen), asyncio.create_task(keep_fresh(), name="external metrics' certificates")]


async def _keda(settings: MetricSettings, listen: str, board: Board) -> asyncio.Task[None]:
    try:
        from podium.api.scalers.keda import Scaler

        certificate, authority = None, None
        if settings.certificate is not None and settings.key is not None:
            read = asyncio.to_thread
            certificate = (await read(settings.key.read_bytes), await read(settings.certificate.read_bytes))
        if settings.keda_client_ca is not None:
            authority = await asyncio.to_thread(settings.keda_client_ca.read_bytes)
        serving = asyncio.create_task(Scaler(board).serve(listen, certificate, authority), name="keda")
        return await _begun(serving, listen)
    except ImportError as error:
        raise Permanent(f"metric.keda needs the extra: pip install 'podium[keda]' ({error})") from error
    except OSError as error:
        raise Permanent(f"metric.certificate, metric.key, metric.kedaClientCa: {error}") from error


async def _begun(serving: asyncio.Task[None], listen: str) -> asyncio.Task[None]:
    """The task, once it did not fail at once. Raises Permanent when the address cannot be had."""
    done, _ = await asyncio.wait([serving], timeout=0.3)
    if done:
        error = serving.exception()
        if isinstance(error, ImportError):
            raise error
        raise Permanent(f"metric: {listen} cannot be listened on: {error}") from error
    return serving
