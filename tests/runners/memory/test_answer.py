"""`ablate memory`: the keys of the contract, and one line for what cannot be answered."""

import json

import pytest

import ablations
from runners.__main__ import _main

SMALL = "resnet:depth=18,width=4"
KEYS = {
    *("variant", "mode", "source", "target", "device", "peak_bytes", "static_bytes", "saved_bytes"),
    *("allocations", "reserved_bytes", "by_category", "by_module", "simulation_seconds"),
}


def answered(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    assert _main(["memory", SMALL, "--image-size", "32", "--batch-size", "2", "--json", *arguments]) == 0
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    return found


def test_the_answer_has_the_keys_of_the_contract(capsys: pytest.CaptureFixture[str]) -> None:
    found = answered(capsys)
    assert set(found) >= KEYS
    assert (found["source"], found["target"]) == ("simulated", "cuda")
    categories = found["by_category"]
    assert isinstance(categories, dict)
    assert sum(categories.values()) == found["peak_bytes"]
    assert isinstance(found["left_out"], list)
    assert "not yet validated on CUDA" in found["left_out"]


def test_a_measurement_tells_the_allocators_peak_and_the_scratch(capsys: pytest.CaptureFixture[str]) -> None:
    found = answered(capsys, "--measure")
    assert set(found) >= KEYS | {"allocator_peak_bytes", "workspace_bytes"}
    assert found["source"] == "measured"
    scratch = found["workspace_by_operator"]
    assert isinstance(scratch, dict)
    assert any(operator.startswith("aten.convolution") for operator in scratch)
    layers = found["layers"]
    assert isinstance(layers, dict)
    assert list(layers["resident_peak_bytes_by_phase"]) == ["forward", "backward", "optimizer_step"]
    peak, allocator_peak = found["peak_bytes"], found["allocator_peak_bytes"]
    assert isinstance(peak, int)
    assert isinstance(allocator_peak, int)
    assert peak <= allocator_peak < max(layers["resident_peak_bytes_by_phase"].values())


def test_a_simulation_for_the_cpu_is_what_is_followed_there(capsys: pytest.CaptureFixture[str]) -> None:
    simulated = answered(capsys, "--target", "cpu")
    measured = answered(capsys, "--measure")
    for key in ("peak_bytes", "static_bytes", "saved_bytes", "allocations", "by_category"):
        assert simulated[key] == measured[key]


def test_a_difference_is_told_by_tensor(capsys: pytest.CaptureFixture[str]) -> None:
    found = answered(capsys, "--against", f"{SMALL},stem=deep64")
    against = found["against"]
    assert isinstance(against, dict)
    assert against["their_peak_bytes"] + against["peak_bytes"] == found["peak_bytes"]
    assert against["tensors"]
    assert against["reason"]


def test_cards_are_told_their_largest_batch_the_smallest_card_first(
    capsys: pytest.CaptureFixture[str],
) -> None:
    batches = answered(capsys, "--fit", "1gib, 64.0 MiB,1GiB")["largest_batch_size"]
    assert isinstance(batches, dict)
    assert list(batches) == ["64MiB", "1GiB"]
    assert 0 < batches["64MiB"] < batches["1GiB"]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--batch-size", "0"], "Invalid value for '--batch-size': Input should be greater than"),
        (["--image-size", "4000000000"], "Invalid value for '--image-size': Input should be less than"),
        (["--batch-size", "9000000000000000000"], "more elements than a tensor can count"),
        (["--fit", "3XB"], "--fit '3XB': no unit 'XB'"),
        (["--fit", "many"], "--fit 'many': expected a size such as 24GiB"),
        (["--optimizer", "sdg"], "optimizer 'sdg': expected one of sgd, adamw"),
        (["--mode", "trian"], "mode 'trian': expected one of train, inference"),
        (["--target", "tpu"], "--target 'tpu': expected cuda or cpu"),
        (["--against", "resnet:stm=deep64"], "no factor 'stm'; did you mean 'stem'?"),
        (["--image-size", "1", "--batch-size", "1"], "Expected more than 1 value per channel"),
    ],
)
def test_what_cannot_be_answered_is_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], line: str
) -> None:
    assert _main(["memory", SMALL, "--image-size", "32", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert line in captured.err


def test_the_answer_opens_with_what_was_asked(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--image-size", "32", "--batch-size", "6", "--fit", "16MiB,1MiB,1GiB")
    assert _main(["memory", SMALL, *arguments]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert _main(["memory", SMALL, *arguments, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["fits"] == {"1MiB": False, "16MiB": True, "1GiB": True}
    for line, (card, fits) in zip(lines, found["fits"].items(), strict=False):
        assert line.startswith(f"fits in {card}: {'yes' if fits else 'no'}, ")
        assert " MiB reserved at batch 6; " in line
    assert lines[0].endswith("; not even the smallest batch, 10% of the card left free")
    assert f"; at most {found['largest_batch_size']['1GiB']} images, " in lines[2]


def test_a_card_that_holds_fewer_than_asked_for_does_not_fit(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ("--image-size", "32", "--batch-size", "500", "--fit", "16MiB", "--json")
    assert _main(["memory", SMALL, *arguments]) == 0
    found = json.loads(capsys.readouterr().out)
    assert 1 < found["largest_batch_size"]["16MiB"] < 500
    assert found["fits"] == {"16MiB": False}


def test_a_batch_that_cannot_be_trained_is_no_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """Where a pyramid pools to one cell, BatchNorm takes two images at least."""
    arguments = ["pspnet:depth=18,width=4,num_classes=5", "--image-size", "33", "--batch-size", "8", "--json"]
    assert _main(["memory", *arguments, "--fit", "1MiB,24MiB,1GiB"]) == 0
    batches = json.loads(capsys.readouterr().out)["largest_batch_size"]
    assert batches["1MiB"] is None
    assert 2 <= (batches["24MiB"] or 2) < batches["1GiB"]
    assert _main(["memory", *arguments[:-2], "1"]) == 2
    assert "more than 1 value per channel" in capsys.readouterr().err


def test_several_variants_are_each_what_they_are_alone(capsys: pytest.CaptureFixture[str]) -> None:
    others = [f"{SMALL},checkpointing=true", f"{SMALL},precision=bf16-autocast"]
    asked = ["--image-size", "32", "--batch-size", "2", "--json"]

    def told(*variants: str) -> object:
        assert _main(["memory", *variants, *asked]) == 0
        text = capsys.readouterr().out
        found = json.loads(text)
        for one in found if isinstance(found, list) else [found]:
            del one["simulation_seconds"]
        return found

    assert told(SMALL, *others) == [told(one) for one in (SMALL, *others)]


def test_a_level_is_as_if_the_command_line_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["--image-size", "32", "--batch-size", "2", "--json"]
    peaks = []
    for said in ([f"{SMALL},precision=bf16-autocast"], [SMALL, "--precision", "bf16-autocast"], [SMALL]):
        assert _main(["memory", *said, *asked]) == 0
        peaks.append(json.loads(capsys.readouterr().out)["peak_bytes"])
    assert peaks[0] == peaks[1] < peaks[2]


def test_of_several_none_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert _main(["memory", SMALL, SMALL, "--against", SMALL]) == 2
    expected = "ablate: --against explains one variant; of several, each is set against the first\n"
    assert capsys.readouterr().err == expected


def test_one_that_fails_says_so_and_takes_no_other_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    small = "pool_kernel=7,pool_padding=0"
    asked = ["memory", SMALL, f"{SMALL},{small}", f"{SMALL},relu=out_of_place", "--image-size", "8"]
    assert _main([*asked, "--json"]) == 1
    first, failed, last = json.loads(capsys.readouterr().out)
    assert set(failed) == {"variant", "failed"}
    assert "an image of 8 px does not fit through the network" in failed["failed"]
    assert first["peak_bytes"] > 0 < last["peak_bytes"]
    assert _main(asked) == 1
    assert f"{failed['variant']}: {failed['failed']}" in capsys.readouterr().out
    assert _main(["memory", SMALL, f"{SMALL},stm=deep64"]) == 2, "a name that is wrong is no variant"
    assert (
        _main(["memory", f"{SMALL},{small}", f"{SMALL},{small},relu=out_of_place", "--image-size", "8"]) == 2
    )
    assert "does not fit through the network" in capsys.readouterr().err


def test_each_is_every_other_level_of_every_factor(capsys: pytest.CaptureFixture[str]) -> None:
    assert _main(["memory", SMALL, "--each", "--image-size", "32", "--batch-size", "2", "--json"]) in (0, 1)
    found = [one["variant"] for one in json.loads(capsys.readouterr().out)]
    assert found[0] == SMALL
    assert len(set(found)) == len(found)
    for expected in (
        "width=4",
        "depth=18,norm=group,width=4",
        "checkpointing=true,depth=18,width=4",
    ):
        assert f"resnet:{expected}" in found
    usual = dict(ablations.variant(SMALL).levels)
    for one in found[1:]:
        levels = dict(ablations.variant(one).levels)
        assert len([name for name, level in levels.items() if level != usual[name]]) == 1, one
        assert (levels["in_channels"], levels["num_classes"]) == (usual["in_channels"], usual["num_classes"])


def test_of_equal_peaks_the_one_that_reserves_less_is_least(capsys: pytest.CaptureFixture[str]) -> None:
    asked = [SMALL, f"{SMALL},norm=none", f"{SMALL},norm=frozen", f"{SMALL},precision=bf16"]
    assert _main(["memory", *asked, "--image-size", "64", "--batch-size", "32", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    least = min(found, key=lambda one: (one["reserved_bytes"], one["peak_bytes"]))
    assert _main(["memory", *asked, "--image-size", "64", "--batch-size", "32"]) == 0
    assert f"Least: {least['variant']}, " in capsys.readouterr().out
