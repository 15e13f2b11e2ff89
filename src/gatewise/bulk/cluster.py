"""A Ray cluster for one job: a local one that is started and stopped, one with an address, or one that is there.

In: an address, or none, and how many workers. Out: Ray connected and silent, how many workers there are to be, and
failures of the cluster as one sentence.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from gatewise.bulk.extra import ray_extra
from gatewise.errors import ClusterError

_SILENT = {"RAY_BACKEND_LOG_LEVEL": "fatal", "RAY_USAGE_STATS_ENABLED": "0"}  # what users set themselves counts

_PATIENCE = 10.0  # seconds, for a cluster to answer


@contextmanager
def connected(address: str | None, workers: int, threads: int) -> Iterator[int]:
    """Ray for the time of the `with`; gives how many workers there are to be: for 0, as many as get their `threads`.

    A Ray that this process has started or joined already is used, and left as it is.
    Raises MissingExtraError without Ray, ClusterError where there is no cluster, and where a job on it fails.
    """
    with ray_extra():
        import ray
        import ray.data
    logger = logging.getLogger("ray.data")
    before, mine = logger.level, not ray.is_initialized()
    if mine:
        _start(ray, address, workers * threads)
    logger.setLevel(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"ray\.")  # hints to those who write Ray programs
            yield workers or max(1, int(ray.cluster_resources().get("CPU", 1)) // threads)
    except ray.exceptions.RayError as error:
        raise ClusterError(
            f"Ray: expected a job that comes to its end, found that it failed ({_reason(error)}); its output is not "
            "complete, start the job again"
        ) from error
    finally:
        logger.setLevel(before)
        if mine:
            ray.shutdown()


def _start(ray: Any, address: str | None, cpus: int) -> None:
    added = {name: value for name, value in _SILENT.items() if name not in os.environ}
    os.environ.update(added)
    quiet = {"logging_level": logging.CRITICAL, "log_to_driver": False}
    local = {"num_cpus": cpus or os.cpu_count(), "include_dashboard": False} if address is None else {}
    try:
        _knock(address)
        with _deaf():
            ray.init(address or "local", **local, **quiet)
    except (OSError, RuntimeError, ValueError) as error:  # OSError: ConnectionError among them
        where = "this machine" if address is None else address
        raise ClusterError(
            f"Ray: expected a cluster at {where}, found none ({_reason(error)}); check the address (host:port or "
            "auto), or leave it out for this machine alone"
        ) from error
    finally:
        for name in added:
            del os.environ[name]


def _knock(address: str | None) -> None:
    """Raise OSError where nobody listens: Ray itself would try for minutes."""
    host, colon, port = (address or "").rpartition(":")
    if colon and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), timeout=_PATIENCE).close()


@contextmanager
def _deaf() -> Iterator[None]:
    """Without standard error: Ray's core says there which level its log has, and nothing keeps it from that."""
    sys.stderr.flush()
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).strip().splitlines() if line.strip()]
    return lines[-1] if lines else type(error).__name__
