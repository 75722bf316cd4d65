"""Images trained a second over a whole study on Fashion-MNIST, beside what one would write for it.

The same network, batch, images and epochs; a study of ten trainings, command, planning and report included,
one training in each other way, which takes ten times as long for ten. `images_per_second` stands beside each.
"""

import gzip
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from torch import nn
from torch.utils.data import DataLoader, Subset
from torchvision import transforms

import ablations
import results
from runners import datasets
from runners.datasets import fashion_mnist

pytestmark = pytest.mark.bench

Benchmark = Callable[..., Any]
ROOT = Path(__file__).parents[2]
VARIANT = "resnet:depth=18,width=16,in_channels=1,num_classes=10"
IMAGES, EPOCHS, BATCH, SIZE = 12_000, 10, 64, 28
STUDY = f"""
architecture = "resnet"
[factors]
relu = ["inplace", "out_of_place"]
[[workloads]]
kind = "convergence"
levels = {{ depth = 18, width = 16 }}
dataset = "fashion-mnist"
image_size = {SIZE}
batch_size = {BATCH}
epochs = {EPOCHS}
train_images = {IMAGES}
validation_images = 1000
nesterov = true
seeds = 4
"""
TRAININGS = 10
"""Four seeds each of the baseline and its duplicate, two of the arm, which is a placebo."""


@pytest.fixture(scope="module")
def accuracies() -> Iterator[dict[str, float]]:
    """What each way reaches: a faster one that learns less would be none."""
    found: dict[str, float] = {}
    yield found
    assert max(found.values()) - min(found.values()) < 0.03, found


@pytest.fixture(autouse=True)
def _needs_the_images() -> None:
    if (reason := datasets.get("fashion-mnist").unavailable()) is not None:
        pytest.skip(reason)


def timed(benchmark: Benchmark, work: Callable[[], float], images: int) -> float:
    """One run of what takes a minute; the images of its trainings by its seconds."""
    accuracy: float = benchmark.pedantic(work, rounds=1, warmup_rounds=0)  # type: ignore[attr-defined]
    stats = benchmark.stats.stats  # type: ignore[attr-defined]
    benchmark.extra_info["images_per_second"] = images / stats.mean  # type: ignore[attr-defined]
    benchmark.extra_info["test_accuracy"] = accuracy  # type: ignore[attr-defined]
    print(f"\n{images / stats.mean:,.0f} images/s, test accuracy {accuracy:.3f}")
    return accuracy


@pytest.mark.benchmark(group="trainings on Fashion-MNIST")
def test_ours(benchmark: Benchmark, tmp_path: Path, accuracies: dict[str, float]) -> None:
    (tmp_path / "study.toml").write_text(STUDY)

    def study() -> float:
        command = [sys.executable, "-m", "runners", "run", "study.toml", "--out", "run", "--quiet"]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        subprocess.run(command, cwd=tmp_path, env=environment, check=True, stdout=subprocess.DEVNULL)
        values = results.load(tmp_path / "run").measurements.query("metric == 'test_accuracy'")["value"]
        assert len(values) == TRAININGS
        return float(values.mean())

    accuracies["ours"] = timed(benchmark, study, TRAININGS * IMAGES * EPOCHS)


def fit(
    network: nn.Module, epochs: Callable[[], Iterator[tuple[torch.Tensor, torch.Tensor]]], **memory: Any
) -> None:
    """The loop of any tutorial, with a cosine."""
    optimizer = torch.optim.SGD(network.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4, nesterov=True)
    steps = EPOCHS * (IMAGES // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.05, total_steps=steps + 1, pct_start=0.1)
    network.train()
    for _ in range(EPOCHS):
        for images, labels in epochs():
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(images.to(**memory)), labels).backward()
            optimizer.step()
            schedule.step()


@torch.no_grad()
def accuracy(network: nn.Module, batches: Iterator[tuple[torch.Tensor, torch.Tensor]]) -> float:
    network.eval()
    right = [(network(images).argmax(1) == labels).float() for images, labels in batches]
    return float(torch.cat(right).mean())


@pytest.mark.benchmark(group="trainings on Fashion-MNIST")
def test_the_loop_one_would_write(benchmark: Benchmark, tmp_path: Path, accuracies: dict[str, float]) -> None:
    """One process, torchvision's data set, a DataLoader with two workers, PyTorch's own threads."""
    raw = tmp_path / "FashionMNIST" / "raw"
    raw.mkdir(parents=True)
    folder = fashion_mnist._folder()
    assert folder is not None
    for name in fashion_mnist._CHECKSUMS:
        path = fashion_mnist._existing(folder / name)
        assert path is not None
        content = path.read_bytes()
        (raw / name).write_bytes(gzip.decompress(content) if path.suffix == ".gz" else content)

    def loop() -> float:
        torch.set_num_threads(os.cpu_count() or 1)
        prepare = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.2860,), (0.3530,))])
        train, test = (
            torchvision.datasets.FashionMNIST(str(tmp_path), train=which, transform=prepare)
            for which in (True, False)
        )
        loader = DataLoader(Subset(train, range(IMAGES)), BATCH, shuffle=True, num_workers=2, drop_last=True)
        network = ablations.build(VARIANT, seed=0)
        fit(network, lambda: iter(loader))
        return accuracy(network, iter(DataLoader(test, 500, num_workers=2)))

    accuracies["loop"] = timed(benchmark, loop, IMAGES * EPOCHS)


@pytest.mark.benchmark(group="trainings on Fashion-MNIST")
def test_an_experts_loop(benchmark: Benchmark, accuracies: dict[str, float]) -> None:
    """All images in memory beforehand, channels last, PyTorch's own threads: no loader at all."""

    def loop() -> float:
        torch.set_num_threads(os.cpu_count() or 1)
        development, test = datasets.get("fashion-mnist").load(SIZE)
        images, labels = development.batch(slice(0, IMAGES))
        images = images.contiguous(memory_format=torch.channels_last)

        def epoch() -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
            order = torch.randperm(IMAGES)
            for start in range(0, IMAGES - BATCH + 1, BATCH):
                chosen = order[start : start + BATCH]
                yield images[chosen], labels[chosen]

        network = ablations.build(VARIANT, seed=0).to(memory_format=torch.channels_last)
        fit(network, epoch, memory_format=torch.channels_last)
        return accuracy(network, (test.batch(slice(at, at + 500)) for at in range(0, len(test), 500)))

    accuracies["expert"] = timed(benchmark, loop, IMAGES * EPOCHS)
