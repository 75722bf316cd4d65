"""The nodes of a Ray cluster: one that is started here for the run, or one that is joined by its address.

Ray carries trials to nodes and keeps other users of the cluster off what they need; what runs beside what is
decided here, on each host by the rule of the local launcher. A timed trial has its host to itself and holds
all arms of its contrast, so that no contrast spans hosts.

On its node a trial is run by the local launcher: in a fresh process of its own, forked from a server that
has imported PyTorch and knows nothing of Ray. The Ray worker beside it only waits. What a process measures
is so the same as without Ray.
"""

import math
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from results.records.directory import own_folder, parse_record, read_record, write_record
from results.records.files import RecordError, write_bytes
from results.records.record import Record, Status
from runners import checkpoints, printed
from runners.errors import BadInput
from runners.execute import make_record
from runners.launchers import Event, Launcher, Notify, Task, local
from runners.launchers.ray import on_node
from runners.launchers.ray.connection import brief, connect, library
from runners.launchers.ray.nodes import Node, difference, look_around, on, place, settle
from runners.outcomes import blank
from runners.run_folder import RunFolder
from runners.trial import Trial

_TRIES = 2
"""Of a trial whose process, worker or node dies."""


@dataclass(frozen=True, slots=True)
class Running:
    """A trial under way: what, where, Ray's promise of its record, since when, and its how manieth try."""

    task: Task
    node: Node
    promise: Any
    started: datetime
    start: float
    tries: int


@dataclass(slots=True)
class Cluster:
    """The cluster of one run.

    Attributes:
        address: As given: `HOST:PORT` or `auto`; None where RAY_ADDRESS decides, or else one is started.
        nodes: Those that trials run on.
    """

    address: str | None
    nodes: list[Node] = field(default_factory=list)

    def prepare(self) -> None:
        """Start the cluster or join it; Ctrl-C waits until that is done.

        Raises:
            BadInput: There is no Ray, or no cluster that answers.
        """
        if not library().is_initialized():
            with local.interrupts_noted():
                connect(self.address)
            self.nodes = []

    def environment(self, device: str, say: Callable[[str], None]) -> dict[str, Any]:
        """Look at all nodes and settle on those that are alike; see `runners.launchers.Launcher`.

        Raises:
            BadInput: No node can run trials, or the device is one of several that Ray chooses among.
        """
        if device.partition(":")[2] not in {"", "0"}:
            kind = device.partition(":")[0]
            raise BadInput(f"--device {device!r}: Ray chooses which accelerator of a node; use {kind}")
        from runners import environment

        self.prepare()
        seen, told = look_around(device)
        told += [
            f"{node.name} is not used: its copy of the suite is another one; install this one there"
            for node, what in seen.items()
            if what.sources != on_node.sources()
        ]
        seen = {node: what for node, what in seen.items() if what.sources == on_node.sources()}
        facts = settle([what.facts for what in seen.values()], environment.capture(device))
        told += [
            f"{node.name} is not used: its environment differs, in {difference(what.facts, facts)}"
            for node, what in seen.items()
            if what.facts != facts
        ]
        for line in told:
            say(line)
        self.nodes = [node for node, what in seen.items() if what.facts == facts]
        if not self.nodes:
            raise BadInput("--launcher ray: no node of the cluster can run trials; the lines above say why")
        return facts

    def run(
        self,
        tasks: Iterable[Task],
        *,
        directory: Path,
        environment: str,
        jobs: int,
        notify: Notify,
        until: float | None = None,
    ) -> None:
        """Run tasks, up to `jobs` side by side on each host; see `runners.launchers.Run`."""
        tasks = iter(tasks)
        queue = deque((task, 1) for task in _first(tasks))
        if not queue:
            return
        self.prepare()
        if not self.nodes:
            self.environment(queue[0][0].trial.device, lambda _: None)
        running, told = list[Running](), time.monotonic()
        with local.interrupts_noted() as interrupted, _leaving():
            while queue or running:
                while queue and (node := place(queue[0][0].trial, self.nodes, _placed(running), jobs)):
                    task, tries = queue.popleft()
                    running.append(_start(task, node, directory, environment, tries))
                    if not queue and self._has_room(running, jobs):
                        queue.extend((task, 1) for task in _first(tasks))
                left = math.inf if until is None else max(0.0, until - time.monotonic())
                ended = _ended(running, min(local.REFRESH_SECONDS, left))
                if interrupted():
                    raise KeyboardInterrupt
                if left <= local.REFRESH_SECONDS and not ended:
                    library().shutdown()  # what is under way ends with that, as where a run is interrupted
                    return
                for one in ended:
                    running.remove(one)
                    record, log, tried = _result(one, environment)
                    if record.status == "killed" and self._can_go_on(one, record, tried=tried):
                        queue.appendleft((one.task, one.tries + int(tried)))
                        continue
                    notify(Event(_write(record, log, directory), _trials(running)))
                    if not queue:
                        queue.extend((task, 1) for task in _first(tasks))
                if time.monotonic() - told >= local.REFRESH_SECONDS:
                    told = time.monotonic()
                    notify(Event(None, _trials(running)))

    def _has_room(self, running: Sequence[Running], jobs: int) -> bool:
        """Whether the next task is asked for: no sooner, as it may no longer be wanted when there is."""
        return len(running) < jobs * len({node.host for node in self.nodes})

    def _can_go_on(self, one: Running, record: Record, *, tried: bool) -> bool:
        """Whether a trial that was killed is tried again; nodes that are gone are forgotten.

        Raises:
            BadInput: No node is left to try it on.
        """
        if not tried:  # its node is gone, which Ray's own list of nodes says later
            self.nodes = [node for node in self.nodes if node.id != one.node.id]
        can_go_on = one.tries < _TRIES or not tried
        alive = {node["NodeID"] for node in library().nodes() if node["Alive"]}
        self.nodes = [node for node in self.nodes if node.id in alive]
        if not self.nodes and can_go_on:
            raise BadInput(
                f"--launcher ray: no node is left ({record.outcomes[0].reason}); "
                "the same command goes on with what is left"
            )
        return can_go_on


def _first(tasks: Iterator[Task]) -> list[Task]:
    """The next task, if there is one."""
    return [task for task in [next(tasks, None)] if task is not None]


def _placed(running: Sequence[Running]) -> list[tuple[Node, Trial]]:
    return [(one.node, one.task.trial) for one in running]


def _trials(running: Sequence[Running]) -> tuple[Trial, ...]:
    return tuple(one.task.trial for one in running)


def _start(task: Task, node: Node, directory: Path, environment: str, tries: int) -> Running:
    trial = task.trial
    perform = _on_accelerator() if trial.device != "cpu" else _on_cpu()
    promise = perform.options(
        num_cpus=node.cpus if trial.timed else 1,
        scheduling_strategy=on(node.id),
        name=f"{trial.workload.name} {trial.block}",
    ).remote(
        trial.to_json(),
        task.attempt,
        environment,
        on_node.identity(directory),
        os.environ.get(on_node.THREADS),
        on_node.digest(map(Path, trial.plugins)),
    )
    return Running(task, node, promise, datetime.now(UTC), time.perf_counter(), tries)


@cache
def _on_cpu() -> Any:
    """What runs a trial; its worker stays, with the server that trials are forked from."""
    return library().remote(max_retries=0)(on_node.perform)


@cache
def _on_accelerator() -> Any:
    """Likewise, in a worker of its own: which accelerators are visible is settled when its server starts."""
    options = {"num_gpus": 1, "max_calls": 1, "runtime_env": {"env_vars": {"ABLATE_ACCELERATOR": "1"}}}
    return library().remote(max_retries=0, **options)(on_node.perform)


def _ended(running: Sequence[Running], seconds: float) -> list[Running]:
    """Those that have ended within so many seconds from now, as soon as one has."""
    if not running:
        return []
    ready, _ = library().wait([one.promise for one in running], timeout=seconds)
    return [one for one in running if one.promise in ready]


def _result(one: Running, environment: str) -> tuple[Record, bytes | None, bool]:
    """What came of a trial: its own record, or one that says why there is none; and whether it was begun."""
    exceptions = library().exceptions
    status: Status = "failed"
    begun = True
    try:
        text, log = library().get(one.promise)
        record = parse_record(text, f"what {one.node.name} sent")
        if (record.trial, record.environment, record.attempt) == (
            one.task.trial.id, environment, one.task.attempt,
        ):  # fmt: skip
            return record, log, True
        reason = f"{one.node.name} sent the record of another trial"
    except exceptions.RayTaskError as error:  # of a class that is also its cause's
        reason = f"{one.node.name}: {brief(error.cause or error)}"
    except RecordError as error:
        reason = str(error)
    except exceptions.RayError as error:
        status, reason = "killed", f"its worker on {one.node.name} died: {brief(error)}"
        begun = not isinstance(error, exceptions.TaskUnschedulableError)
    trial = one.task.trial
    outcomes = tuple(replace(blank(arm), status=status, reason=reason) for arm in trial.arms)
    seconds = time.perf_counter() - one.start
    return make_record(trial, environment, one.task.attempt, outcomes, one.started, seconds, {}), None, begun


def _write(record: Record, log: bytes | None, directory: Path) -> Record:
    """Keep a record and what its trial printed; one that is there already, by another run, counts.

    Raises:
        StorageError: The run directory takes no more.
    """
    if log is not None:
        own_folder(directory, printed.FOLDER)
        write_bytes(directory / printed.log_name(record.trial, record.environment, record.attempt), log)
    try:
        write_record(directory, record)
    except FileExistsError:
        record = read_record(directory / "records" / record.file_name)
    checkpoints.discard(record, RunFolder(directory, record.environment))
    return record


@contextmanager
def _leaving() -> Iterator[None]:
    """Whatever ends the run before its time leaves the cluster, and ends a cluster that was started here.

    What is under way ends with that, and is run again next time. Tasks are not cancelled one by one: Ray
    aborts this process where a task ends in the instant in which it is cancelled.
    """
    try:
        yield
    except BaseException:
        library().shutdown()
        raise


@cache
def at(address: str | None) -> Launcher:
    """The launcher of a cluster; the same one for the same address, as it is connected once."""
    cluster = Cluster(address)
    return Launcher(
        name="ray",
        summary="nodes of a Ray cluster, its own or ray:HOST:PORT; on each host as local",
        run=cluster.run,
        prepare=cluster.prepare,
        environment=cluster.environment,
        at=at,
    )


LAUNCHER = at(None)
