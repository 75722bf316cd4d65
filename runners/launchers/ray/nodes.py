"""The nodes of a cluster: what each is, which are used, and where a trial may start."""

import importlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from runners.launchers import local
from runners.launchers.ray import on_node
from runners.launchers.ray.connection import brief, library
from runners.trial import Trial

_LOOK_SECONDS = 120.0
"""How long a node has to say what it is: importing PyTorch over a network takes its time."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node of the cluster.

    Attributes:
        id: Ray's.
        name: Of its machine and its address, for messages.
        host: What tells machines apart; nodes may share one.
        cpus: How many it offers to Ray.
    """

    id: str
    name: str
    host: str
    cpus: float


def look_around(device: str) -> tuple[dict[Node, on_node.Seen], list[str]]:
    """What each node is, and a line for each that cannot say or offers nothing."""
    ray = library()
    accelerated, told, asked = device != "cpu", list[str](), dict[Any, dict[str, Any]]()
    look = ray.remote(num_cpus=0, num_gpus=int(accelerated), max_calls=1, max_retries=0)(on_node.look)
    for node in ray.nodes():
        if not node["Alive"]:
            continue
        lacking = [name for name in ["CPU", *["GPU"] * accelerated] if not node["Resources"].get(name)]
        if lacking:
            told.append(f"{_name(node)} is not used: it offers no {lacking[0]} to Ray")
        else:
            asked[look.options(scheduling_strategy=on(node["NodeID"])).remote(device)] = node
    answered, silent = ray.wait(list(asked), num_returns=len(asked), timeout=_LOOK_SECONDS)
    told += [f"{_name(asked[one])} is not used: no answer within {_LOOK_SECONDS:.0f} s" for one in silent]
    seen = dict[Node, on_node.Seen]()
    for one in answered:
        node = asked[one]
        try:
            found: on_node.Seen = ray.get(one)
        except ray.exceptions.RayError as error:
            told.append(f"{_name(node)} is not used: {brief(error)}")
        else:
            seen[Node(node["NodeID"], _name(node), found.host, node["Resources"]["CPU"])] = found
    return seen, told


def settle(found: Sequence[Mapping[str, Any]], here: dict[str, Any]) -> dict[str, Any]:
    """The environment to use: this machine's if a node has it, else the most frequent one.

    Args:
        found: What the nodes say, at least one where there is a choice.
        here: What this machine is.
    """
    if not found or here in found:
        return here
    alike = Counter(tuple(sorted(facts.items())) for facts in found)
    return dict(alike.most_common(1)[0][0])


def difference(facts: Mapping[str, Any], expected: Mapping[str, Any]) -> str:
    """The facts that differ, with both values."""
    names = [name for name in {**expected, **facts} if facts.get(name) != expected.get(name)]
    return ", ".join(f"{name} ({facts.get(name)}, not {expected.get(name)})" for name in names)


def place(
    trial: Trial, nodes: Sequence[Node], running: Sequence[tuple[Node, Trial]], jobs: int
) -> Node | None:
    """The node that a trial may start on now, the one with least to do; None where it has to wait."""
    if any(other.wave != trial.wave for _, other in running):
        return None

    def beside(node: Node) -> list[Trial]:
        return [other for where, other in running if where.host == node.host]

    free = [node for node in nodes if local.may_start(trial, beside(node), jobs)]
    return min(free, key=lambda node: len(beside(node)), default=None)


def on(node: str) -> Any:
    """Ray's word for: on this node and no other."""
    strategies = importlib.import_module("ray.util.scheduling_strategies")
    return strategies.NodeAffinitySchedulingStrategy(node, soft=False)


def _name(node: Mapping[str, Any]) -> str:
    return f"node {node['NodeManagerHostname']} ({node['NodeManagerAddress']})"
