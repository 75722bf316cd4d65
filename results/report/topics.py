"""The topics of the report: every file in `sections/` has one, found by discovery and listed nowhere."""

import importlib
import pkgutil

from results.report import sections
from results.report.section import Topic

_registered: dict[str, Topic] = {}


def register(topic: Topic) -> None:
    """Add a topic of a plugin.

    Raises:
        ValueError: Its name is taken, or it is no topic.
    """
    if not isinstance(topic, Topic):
        raise ValueError(f"section {topic!r}: expected a results.report.section.Topic")
    if topic.name in _builtin() or _registered.get(topic.name, topic) is not topic:
        raise ValueError(f"section {topic.name!r} is there already; rename one")
    _registered[topic.name] = topic


def topics() -> list[Topic]:
    """Every topic in the order of the report."""
    found = {**_builtin(), **_registered}
    return sorted(found.values(), key=lambda topic: (topic.order, topic.name))


def _builtin() -> dict[str, Topic]:
    modules = pkgutil.iter_modules(sections.__path__)
    found = [importlib.import_module(f"{sections.__name__}.{module.name}") for module in modules]
    return {module.TOPIC.name: module.TOPIC for module in found}
