"""Plugins that a test loads go with it: what is registered in a process is there for every later test."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_OWN = Path(__file__).resolve().parents[1] / "ablations"


@contextmanager
def left_as_they_were() -> Iterator[None]:
    """Forget what is loaded meanwhile: architectures, data sets, probes, launchers, studies, sections."""
    plugins, topics = _states()
    loaded, sections, networks = set(plugins), dict(topics), _networks()
    yield
    for source in _networks() - networks:
        from ablations.registry import unload_plugin

        unload_plugin(source)
    plugins, topics = _states()
    for path in plugins.keys() - loaded:
        from runners.plugins import _forget

        for file in plugins.pop(path).files:
            _forget(file.path)
    topics.clear()
    topics.update(sections)


def _networks() -> set[Path]:
    """Files of architectures that are not the suite's own, however they were loaded."""
    known = getattr(sys.modules.get("ablations.registry"), "_architectures", {})
    return {found.source for found in known.values() if not found.source.is_relative_to(_OWN)}


def _states() -> tuple[dict, dict]:  # type: ignore[type-arg]
    """Plugins and sections; empty where nobody asked for them so far."""
    plugins, topics = (sys.modules.get(name) for name in ("runners.plugins", "results.report.topics"))
    return getattr(plugins, "_loaded", {}), getattr(topics, "_registered", {})
