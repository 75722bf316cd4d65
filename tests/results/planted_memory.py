"""Planted memory profiles, and a full-factorial memory study: what is true of each arm is written here."""

from collections.abc import Iterator
from itertools import product
from pathlib import Path

from results.records.directory import write_record
from results.records.files import write_json
from results.records.metric import Metric
from results.records.profile_summary import Against, ProfileSummary, TensorChange, Timeline
from results.records.record import Measurement, Outcome, Record
from results.records.resolved_study import Arm, FactorInfo, ResolvedStudy, Workload, write_study

MIB = 2**20
CARDS = {"80GiB": 700, "8GiB": None, "24GiB": 200}

FACTORS = (
    FactorInfo("stem", "behavioural", "How the stem sees the image.", ("shallow", "deep32", "deep64")),
    FactorInfo("norm", "behavioural", "Which layer normalises.", ("batch", "none", "group", "layer")),
    FactorInfo("relu", "equivalent", "Whether ReLU overwrites its input.", ("inplace", "out_of_place")),
    FactorInfo("shortcut", "equivalent", "Whether the addition overwrites.", ("inplace", "out_of_place")),
)
METRICS = (
    Metric("peak_bytes", "peak memory", "bytes", "lower", "ratio", 0.01, "Most bytes alive.", True, True),
    Metric(
        "saved_bytes",
        "saved for backward",
        "bytes",
        "lower",
        "ratio",
        0.01,
        "Kept for backward.",
        True,
        can_be_zero=True,
    ),
    Metric("allocations", "allocations", "count", "lower", "ratio", 0.01, "Tensors made.", True),
)
STEM_MIB = {"shallow": 0, "deep32": 40, "deep64": 90}
NORM_MIB = {"batch": 100, "none": 0, "group": 70, "layer": 80}


def truth(levels: dict[str, str], mode: str) -> dict[str, int]:
    """Bytes saved, transient bytes and allocations of an arm. ReLU costs only where nothing normalises."""
    relu = levels["relu"] == "out_of_place"
    shortcut = levels["shortcut"] == "out_of_place"
    saved = 600 + STEM_MIB[levels["stem"]] + NORM_MIB[levels["norm"]]
    saved += 50 if relu and levels["norm"] == "none" else 0
    transient = 30 + (11 if shortcut and mode == "inference" else 0)
    return {
        "saved_bytes": saved * MIB if mode == "train" else 0,
        "transient": transient * MIB,
        "allocations": 400 + 33 * relu + 16 * shortcut,
    }


def profile(
    mode: str,
    source: str,
    device: str,
    *,
    saved: int,
    transient: int,
    against: Against | None,
    module: str = "layer1.0.relu",
    cards: dict[str, int | None] | None = None,
) -> ProfileSummary:
    """A profile whose categories sum to its peak."""
    train = mode == "train"
    by_category = {
        "parameters": 45 * MIB,
        "gradients": 45 * MIB * train,
        "optimizer_state": 45 * MIB * train,
        "buffers": MIB,
        "inputs": 20 * MIB,
        "activations": saved,
        "transient": transient,
    }
    peak = sum(by_category.values())
    static = peak - saved - transient
    live = [static, *(static + saved * i // 20 for i in range(1, 21)), peak]
    live += [static + saved * i // 20 for i in range(19, -1, -1)] if train else [static]
    phases = {"forward": 0, "backward": 21, "optimizer_step": len(live) - 2} if train else {"inference": 0}
    halves = {module: saved - saved // 4, "conv1": saved // 8, "": saved // 4 - saved // 8}
    return ProfileSummary(
        mode=mode,
        source=source,
        device=device,
        peak_bytes=peak,
        peak_bytes_by_phase=dict.fromkeys(phases, peak),
        by_category=by_category,
        saved_by_module={name: nbytes for name, nbytes in halves.items() if nbytes},
        timeline=Timeline(tuple(range(len(live))), tuple(live), phases),
        largest_batch_size=cards or {},
        safety_margin=0.1,
        against_baseline=against,
    )


def against(peak: int, saved: int, allocations: int, reason: str, module: str) -> Against:
    """An arm less the baseline, with one tensor more at its peak."""
    shape = (256, 64, 112, 112)
    tensor = TensorChange("activations", module, shape, "float32", 1, 3, 2 * 205_520_896)
    return Against(peak, saved, allocations, 3 * peak, reason, (tensor,))


def arms() -> Iterator[tuple[Arm, dict[str, str]]]:
    """All 48 arms with their levels, the baseline first."""
    for combination in product(*(factor.levels for factor in FACTORS)):
        levels = {factor.name: level for factor, level in zip(FACTORS, combination, strict=True)}
        changes = {f.name: levels[f.name] for f in FACTORS if levels[f.name] != f.levels[0]}
        name = ",".join(f"{key}={level}" for key, level in sorted(changes.items())) or "baseline"
        yield Arm(name, "arm" if changes else "baseline", changes), levels


def write_factorial(path: Path, measured: bool = True) -> Path:
    """A memory study of 48 arms in one workload; without `measured`, profiles alone tell the numbers."""
    found = list(arms())
    variants = {arm.name: f"resnet:depth=50{',' if arm.changes else ''}{arm.name}" for arm, _ in found}
    workload = Workload(
        *("memory-224", "memory", "exact", 1, variants, 224, 256, "fp32", None, "resnet depth 50, 224 px", {})
    )
    question = "What does each choice need in memory?"
    every = tuple(arm for arm, _ in found)
    write_study(
        path,
        ResolvedStudy(
            "factorial", question, "resnet", "full-factorial", 1, FACTORS, every, (workload,), METRICS
        ),
    )
    write_json(path / "environment" / "laptop-1.json", {"cpu": "Example CPU"})
    first = {mode: truth(found[0][1], mode) for mode in ("train", "inference")}
    for i, (arm, levels) in enumerate(found):
        values, profiles = [], []
        for mode in ("inference", "train"):
            true = truth(levels, mode)
            less = {name: true[name] - first[mode][name] for name in true}
            explained = against(
                less["saved_bytes"] + less["transient"],
                less["saved_bytes"],
                less["allocations"],
                f"because of {arm.name} in {mode}",
                "layer1.0.relu",
            )
            profiles.append(
                profile(
                    *(mode, "simulated", "cuda"),
                    saved=true["saved_bytes"],
                    transient=true["transient"],
                    against=explained if arm.changes else None,
                    cards=CARDS,
                )
            )
            shown = {"peak_bytes": profiles[-1].peak_bytes}
            shown |= {name: true[name] for name in ("saved_bytes", "allocations")} if measured else {}
            values += [
                Measurement(name, (float(value),), "simulated", "cuda", mode=mode)
                for name, value in shown.items()
            ]
        outcome = Outcome(
            arm.name,
            variants[arm.name],
            dict(levels),
            measurements=tuple(values),
            details={"profiles": profiles},
        )
        trial = f"memory-{47 - i:02d}"  # not in the study's order
        write_record(
            path,
            Record(trial, "memory-224", "exact", "laptop-1", 1, "2026-01-01T00:00:00+00:00", 1.0, (outcome,)),
        )
    return path
