"""Registration by signature, look-ups that help, and plugins."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Annotated, Literal

import pytest
from torch import nn

import ablations
import ablations.architectures as families
from ablations import BEHAVIOURAL, EQUIVALENT, RESOURCE_ONLY, Examples, Range, architecture, registry

PLUGIN = '''
from torch import nn

from ablations import architecture


@architecture
def {name}() -> nn.Module:
    """A network of the user's own."""
    return nn.Identity()
'''


RUNNING = ("precision", "channels_last", "checkpointing", "fold_batchnorm")
KNOWN = sorted([*RUNNING, "depth", "fused", "kernel", "relu"])


@pytest.fixture(autouse=True)
def _registry_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_architectures", registry.architectures())


def tiny(
    *,
    depth: Literal[18, 50] = 50,
    relu: Annotated[Literal["inplace", "out_of_place"], EQUIVALENT] = "inplace",
    kernel: Annotated[int | tuple[int, int], Range(1, 7), Examples(2, (3, 2))] = 3,
    fused: Annotated[bool, RESOURCE_ONLY] = False,
) -> nn.Module:
    """A network for a test.

    Images to logits.

    Args:
        depth: Layers
            with weights.
        relu: Whether ReLU overwrites: its input.
        kernel: Window.

    Raises:
        fused: Not an argument's help.
    """
    if depth == 18 and fused:
        raise ValueError("depth 18 has nothing to fuse; set depth=50")
    return nn.Conv2d(1, 1, kernel)


def test_the_signature_is_the_design_space() -> None:
    assert architecture(tiny) is tiny
    found = registry.get("tiny")
    assert (found.name, found.summary) == ("tiny", "A network for a test.")
    assert found.source == Path(__file__).resolve()
    own = found.factors[: -len(RUNNING)]
    depth, relu, kernel, fused = own
    assert [factor.name for factor in own] == ["depth", "relu", "kernel", "fused"]
    assert [factor.kind for factor in own] == [BEHAVIOURAL, EQUIVALENT, BEHAVIOURAL, RESOURCE_ONLY]
    assert depth.levels == (50, 18)
    assert relu.levels == ("inplace", "out_of_place")
    assert (kernel.levels, kernel.range, kernel.pairs) == ((3, 2, (3, 2)), Range(1, 7), True)
    assert fused.levels == (False, True)


def test_every_architecture_has_the_factors_of_how_it_is_run() -> None:
    architecture(tiny)
    found = registry.get("tiny")
    assert tuple(factor.name for factor in found.factors[-len(RUNNING) :]) == RUNNING
    plain, other = found.variant({}), found.variant({"precision": "bf16", "channels_last": "true"})
    assert other.specification == "tiny:channels_last=true,precision=bf16"
    assert str(ablations.build(plain)) == str(ablations.build(other))


def test_a_factor_of_how_a_network_is_run_cannot_be_an_argument_too() -> None:
    def clash(*, precision: Literal["low", "high"] = "low") -> nn.Module:
        """A network of the user's own."""
        return nn.Identity()

    expected = "argument 'precision': every architecture has a factor of that name; rename it"
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
        architecture(clash)


def test_what_has_no_blocks_is_not_checkpointed() -> None:
    architecture(tiny)
    with pytest.raises(
        ValueError, match=r"^variant tiny:checkpointing=true: Conv2d: no block to checkpoint; "
    ):
        ablations.variant("tiny:checkpointing=true")


def test_the_docstring_is_the_help() -> None:
    architecture(tiny)
    factors = registry.get("tiny").factors[: -len(RUNNING)]
    assert {factor.name: factor.help for factor in factors} == {
        "depth": "Layers with weights.",
        "relu": "Whether ReLU overwrites: its input.",
        "kernel": "Window.",
        "fused": "",
    }


def test_a_duplicate_name_is_an_error() -> None:
    architecture(tiny)
    expected = f"architecture 'tiny' is registered already, by {Path(__file__).resolve()}; rename one"
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
        architecture(tiny)


def test_the_registry_hands_out_copies() -> None:
    handed_out = registry.architectures()
    handed_out.clear()
    assert "resnet" in registry.architectures()


def test_architectures_are_listed_in_order_of_their_names() -> None:
    architecture(tiny)

    @architecture
    def alexnet() -> nn.Module:
        """First in the alphabet, last to come."""
        return nn.Identity()

    assert list(registry.architectures()) == sorted(registry.architectures())
    assert next(iter(registry.architectures())) == "alexnet"


@pytest.mark.parametrize(
    ("look_up", "expected"),
    [
        (lambda: registry.get("tinny"), "no architecture 'tinny'; did you mean 'tiny'?"),
        (lambda: registry.get("zzz"), "no architecture 'zzz'; one of: resnet, tiny"),
        (
            lambda: registry.get("tiny").factor("depht"),
            "architecture 'tiny' has no factor 'depht'; did you mean 'depth'?",
        ),
        (
            lambda: registry.get("tiny").factor("zzz"),
            "architecture 'tiny' has no factor 'zzz'; one of: "
            + ", ".join(sorted((*RUNNING, "depth", "fused", "kernel", "relu"))),
        ),
        (
            lambda: registry.get("tiny").variant({"zzz": 1}),
            "architecture 'tiny' has no factor 'zzz'; one of: "
            + ", ".join(sorted((*RUNNING, "depth", "fused", "kernel", "relu"))),
        ),
        (
            lambda: registry.get("tiny").variant({"depth": 34}),
            "factor 'depth' has no level '34': expected one of 18, 50; nearest is 18",
        ),
        (
            lambda: registry.get("tiny").variant({"depth": 18, "fused": True}),
            "variant tiny:depth=18,fused=true: depth 18 has nothing to fuse; set depth=50",
        ),
    ],
)
def test_an_unknown_name_or_an_impossible_combination_is_refused_with_a_hint(
    monkeypatch: pytest.MonkeyPatch, look_up: Callable[[], object], expected: str
) -> None:
    resnet = registry.get("resnet")
    monkeypatch.setattr(registry, "_architectures", {"resnet": resnet})
    architecture(tiny)
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
        look_up()


def test_making_a_variant_allocates_nothing() -> None:
    devices = []

    @architecture
    def watched() -> nn.Module:
        """Says where its parameters lie."""
        layer = nn.Linear(2, 2)
        devices.append(layer.weight.device.type)
        return layer

    registry.variant("watched")
    assert devices == ["meta"]


def test_a_variant_is_judged_once_a_process() -> None:
    asked = []

    @architecture
    def judged(*, depth: Literal[18, 50] = 50) -> nn.Module:
        """Counts how often it is built."""
        asked.append(depth)
        if depth == 18:
            raise ValueError("too shallow\n to build")
        return nn.Identity()

    for _ in range(2):
        registry.variant("judged")
        with pytest.raises(ValueError, match=r"^variant judged:depth=18: too shallow to build$"):
            registry.variant("judged:depth=18")
    assert asked == [50, 18]


def test_a_sketch_is_the_variant_and_its_network_without_data() -> None:
    architecture(tiny)
    variant, network = registry.get("tiny").sketch({"kernel": (3, 2)})
    assert str(variant) == "tiny:kernel=3x2"
    assert [(name, tuple(value.shape)) for name, value in network.named_parameters()] == [
        ("weight", (1, 1, 3, 2)),
        ("bias", (1,)),
    ]
    assert all(value.is_meta for value in network.parameters())
    with pytest.raises(ValueError, match="depth 18 has nothing to fuse"):
        registry.get("tiny").sketch({"depth": 18, "fused": True})


def test_only_names_that_there_are_can_be_imported() -> None:
    assert callable(ablations.build)
    with pytest.raises(AttributeError, match="module 'ablations' has no attribute 'biuld'"):
        ablations.biuld  # noqa: B018


ANNOTATION = "annotate it with Literal[...], bool, or Annotated[int, Range(...)]"
KEYWORD = "a factor is a keyword-only argument with a default"


def positional(depth: Literal[18, 50] = 50) -> None: ...
def required(*, depth: Literal[18, 50]) -> None: ...
def anything(**depth: Literal[18, 50]) -> None: ...
def unannotated(*, depth=50) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001
def boundless(*, depth: int = 50) -> None: ...
def wordy(*, depth: str = "deep") -> None: ...
def outside(*, depth: Annotated[int, Range(1, 9)] = 50) -> None: ...
def unlisted(*, depth: Literal[18, 34] = 50) -> None: ...  # type: ignore[assignment]
def example(*, depth: Annotated[int, Range(1, 50), Examples(51)] = 50) -> None: ...
def unwritable(*, depth: Literal["very deep"] = "very deep") -> None: ...


@pytest.mark.parametrize(
    ("construct", "expected"),
    [
        (positional, f"argument 'depth': {KEYWORD}"),
        (required, f"argument 'depth': {KEYWORD}"),
        (anything, f"argument 'depth': {KEYWORD}"),
        (unannotated, f"argument 'depth': {ANNOTATION}"),
        (boundless, f"argument 'depth': {ANNOTATION}"),
        (wordy, f"argument 'depth': {ANNOTATION}"),
        (
            outside,
            "factor 'depth' has no level '50': expected a whole number from 1 to 9; nearest is 9",
        ),
        (unlisted, "factor 'depth' has no level '50': expected one of 18, 34; nearest is 34"),
        (example, "factor 'depth' has no level '51': expected a whole number from 1 to 50; nearest is 50"),
        (
            unwritable,
            "factor 'depth': 'very deep' cannot be written in a specification;"
            " use letters, digits, '_', '-' and '.'",
        ),
    ],
)
def test_a_signature_that_is_no_design_space_is_refused_and_not_registered(
    construct: registry.Constructor, expected: str
) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
        architecture(construct)
    assert construct.__name__ not in registry.architectures()


def test_the_public_names_stay_what_they_are_once_families_are_discovered() -> None:
    registry.architectures()
    hidden = [name for name in ablations.__all__ if isinstance(getattr(ablations, name), ModuleType)]
    assert hidden == []


def test_a_file_among_the_architectures_is_all_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "newcomer.py").write_text(PLUGIN.format(name="newcomer"))
    monkeypatch.setattr(families, "__path__", [*families.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "ablations.architectures.newcomer", raising=False)
    assert str(registry.variant("newcomer")) == "newcomer"


def test_a_plugin_registers_once_however_often_it_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(PLUGIN.format(name="mine"))
    monkeypatch.chdir(tmp_path)
    ablations.load_plugin(file)
    ablations.load_plugin(Path("mine.py"))
    assert registry.get("mine").source == file.resolve()


def test_two_plugins_of_one_file_name_are_two_plugins(tmp_path: Path) -> None:
    files = [tmp_path / folder / "net.py" for folder in ("one", "two")]
    for file in files:
        file.parent.mkdir()
        file.write_text(PLUGIN.format(name=file.parent.name))
    for file in (*files, *files):
        ablations.load_plugin(file)
    assert [registry.get(name).source for name in ("one", "two")] == [file.resolve() for file in files]


@pytest.mark.parametrize("name", ["missing.py", ".", "notes.txt"])
def test_a_plugin_that_is_no_python_file_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.txt").write_text("")
    file = (tmp_path / name).resolve()
    expected = f"plugin {file}: expected a Python file that registers architectures"
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
        ablations.load_plugin(tmp_path / name)


@pytest.mark.parametrize(
    ("ending", "reason"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import no_such_package", "ModuleNotFoundError: No module named 'no_such_package'"),
        ("def (:", "SyntaxError: invalid syntax (failing.py, line 11)"),
    ],
)
def test_a_plugin_that_fails_says_why_and_can_be_corrected(tmp_path: Path, ending: str, reason: str) -> None:
    file = tmp_path / "failing.py"
    file.write_text(PLUGIN.format(name="mine") + ending + "\n")
    expected = f"plugin {file.resolve()} failed: {reason}"
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
        ablations.load_plugin(file)
    assert "mine" not in registry.architectures()

    file.write_text(PLUGIN.format(name="mine"))
    ablations.load_plugin(file)
    assert "mine" in registry.architectures()


def test_a_plugin_cannot_take_a_name_of_the_suite_even_if_it_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    resnet = registry.get("resnet")
    monkeypatch.setattr(registry, "_architectures", {})
    for module in list(sys.modules):
        if module.startswith("ablations.architectures."):
            monkeypatch.delitem(sys.modules, module)
    file = tmp_path / "impostor.py"
    file.write_text(PLUGIN.format(name="resnet"))
    expected = (
        f"plugin {file.resolve()} failed: ValueError: architecture 'resnet' is registered already,"
        f" by {resnet.source}; rename one"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
        ablations.load_plugin(file)
    assert registry.get("resnet").source == resnet.source
