"""From what a user names to who runs the pieces."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias, Union

from circuitz.errors import ClusterError
from circuitz.jobs.job import Executor

if TYPE_CHECKING:
    from distributed import Client

Cluster: TypeAlias = Union[str, "Client", Executor, None]
"""An address as ``tcp://host:8786``, a ``dask.distributed.Client``, or an executor of your own."""


@contextmanager
def executor_for_cluster(cluster: Cluster) -> Generator[Executor | None]:
    """Return who runs the pieces; ``None`` is this process.

    A connection made here, to an address, is closed when the block ends; a client that was given
    stays as it is.

    Raises
    ------
    ClusterError
        If Dask is not installed, nobody answers at the address, no worker is there, or a worker
        has no circuitz, or another version of it or of what it computes with.
    """
    given: Any = cluster
    # Dask's client has a method map too, of another kind: its module tells them apart.
    dask = isinstance(given, str) or type(given).__module__.partition(".")[0] == "distributed"
    if not dask:
        if given is not None and not isinstance(given, Executor):
            raise ClusterError(
                f"A {type(given).__name__} is no cluster.",
                "Give an address as tcp://host:8786, or a dask.distributed.Client.",
            )
        yield given
        return
    try:
        from circuitz.jobs.dask_executor import DaskExecutor, connect_scheduler  # noqa: PLC0415 (an extra)
    except ImportError as problem:
        raise ClusterError(
            "A cluster needs Dask, which is not installed here.", "pip install 'circuitz[cluster]'"
        ) from problem
    if isinstance(given, str):
        with connect_scheduler(given) as client:
            yield DaskExecutor(client)
    else:
        yield DaskExecutor(given)
