"""What holds of these files: `python -m pytest` in this folder."""

from pathlib import Path

import pytest
import torch

import ablations
from ablations import EQUIVALENT
from runners import datasets, plugins, probes, study
from runners.plan import plan

HERE = Path(__file__).parents[1]
plugins.load([HERE / name for name in ("network.py", "stripes.py", "layers_probe.py")])
MINE = ablations.get("mine")
LEVELS = [(factor, level) for factor in MINE.factors for level in factor.levels]


@pytest.mark.parametrize(("factor", "level"), LEVELS)
def test_every_level_learns(factor: ablations.Factor, level: ablations.Level) -> None:
    variant = MINE.variant({factor.name: level})
    channels = level if factor.name == "in_channels" and isinstance(level, int) else 3
    network = ablations.build(variant)
    network(torch.randn(2, channels, 32, 32)).sum().backward()
    assert all(value.grad is not None and value.grad.isfinite().all() for value in network.parameters())


def test_equivalent_factors_change_no_bit() -> None:
    image = torch.randn(2, 3, 32, 32)
    expected = ablations.build(MINE.variant({}))(image)
    for factor in MINE.factors:
        for level in factor.levels if factor.kind is EQUIVALENT else ():
            assert torch.equal(ablations.build(MINE.variant({factor.name: level}))(image), expected)


def test_the_data_set_is_what_it_says() -> None:
    stripes = datasets.get("stripes")
    development, test = stripes.load(24)
    assert (len(development), len(test)) == (stripes.development_size, stripes.test_size)
    images, labels = test.batch(slice(0, 4))
    assert images.shape == (4, stripes.in_channels, 24, 24)
    assert set(labels.tolist()) == set(range(stripes.num_classes))


def test_the_study_can_run() -> None:
    assert "layer_count" in probes.metrics()
    planned = plan(study.load(str(HERE / "study.toml")))
    assert planned.warnings == ()
