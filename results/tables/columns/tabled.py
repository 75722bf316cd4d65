"""The frames of what was counted and averaged, without a verdict on an arm."""

from results.tables.columns import kinds
from results.tables.columns.kinds import Frame, count, flag, maybe, number, text

_MEDIAN = "Geometric mean over processes of the median over rounds."

VARIANTS = Frame(
    "variants",
    "an arm, the headline metrics of all workloads side by side; with several environments, each has columns "
    "of its own, its id in brackets",
    (
        *(kinds.ARM, kinds.ROLE),
        text("factor", "What the arm changes, of several joined by `+`; `(control)` for the duplicate."),
        text("level", "To what."),
        text("baseline_level", "What it is in the baseline."),
        text("WORKLOAD: variant", "Its network in that workload, as a specification.", ".*: variant"),
        text("WORKLOAD: status", "What became of it there: `ok`, or a tally.", r".*: status( \(.*\))?"),
        text("WORKLOAD: diverged", "Seeds that diverged, of how many: `2/8`.", r".*: diverged( \(.*\))?"),
        number(
            "WORKLOAD: METRIC (CONTEXT)",
            "the metric's",
            "Its mean; in brackets mode, split, source, device.",
            r".*: [^:]+ \(.*\)",
        ),
    ),
)
TRIALS = Frame(
    "trials",
    "an arm of a trial, in its last attempt",
    (
        *(kinds.TRIAL, kinds.WORKLOAD, kinds.BLOCK, kinds.OCCASION, kinds.ARM, kinds.VARIANT),
        text(
            "status",
            "`ok`, `out_of_memory`, `diverged`, `not_applicable`, `failed`, `killed` or `timed_out`.",
        ),
        text("reason", "Why it is not `ok`."),
        number("seconds", "seconds", "Wall time of the whole trial."),
        *(kinds.ENVIRONMENT, kinds.ATTEMPT, kinds.STARTED_AT),
        text("log", "File in the run directory that holds what it printed; empty for none."),
    ),
)
SPEED = Frame(
    "speed",
    "an arm of a timed workload in one mode, also where it has no figure",
    (
        *(kinds.ENVIRONMENT, kinds.WORKLOAD, kinds.MODE, kinds.DEVICE, kinds.ARM, kinds.ROLE),
        number("batch_size", "images", "Images a step of this arm."),
        number("images_per_second", "images/s", _MEDIAN),
        number("step_seconds", "seconds", f"A step. {_MEDIAN}"),
        number(
            "step_seconds_per_gmac", "seconds", "A step, per 10^9 multiply-accumulates of its forward pass."
        ),
        number("forward_seconds", "seconds", "The forward pass alone."),
        number("backward_seconds", "seconds", "The backward pass alone."),
        number("optimizer_seconds", "seconds", "The optimizer alone."),
        number("latency_p50_seconds", "seconds", "Median latency of a step."),
        number("latency_p95_seconds", "seconds", "95th percentile of it."),
        number("latency_p99_seconds", "seconds", "99th percentile of it."),
        number("device_step_seconds", "seconds", "A step by the device's own clock."),
        number("compile_seconds", "seconds", "What compiling took."),
        number("macs", "multiply-accumulates", "Of one image, forward."),
        number("gmacs_per_second", "10^9/s", "`macs` times `images_per_second`, also in training."),
        number("energy_joules_per_image", "joules", "Where a process holds one arm and the device tells."),
        number("steps_timed", "steps", "Steps that the figures rest on."),
        number("processes", "processes", "Processes that the figures rest on."),
        number("marked_share", "fraction", "Stretches in which something stood in the way of timing."),
        number("unsteady_processes", "processes", "Processes whose warm-up never ended in a steady state."),
        number("noise_floor", "ratio less 1", "Of the headline metric."),
        text("sweep", "The workload whose sweep over batch sizes this is part of; empty for none."),
    ),
)
BUILDING_BLOCKS = Frame(
    "building_blocks",
    "an imported benchmark in one environment and version of the code, against the baseline of its group",
    (
        kinds.ENVIRONMENT,
        text("version", "Of the code: a commit, `... with changes`, or `no commit`."),
        text("commit", "The whole hash of the commit."),
        flag("dirty", "There were changes that were not committed."),
        text("benchmark", "Full name of the benchmark."),
        text("group", "Its group: benchmarks that are compared."),
        text("block", "The building block."),
        text("level", "Which kind of it."),
        text("mode", "What was timed: `forward`, ..."),
        maybe("image_size", "pixels", "Height and width of the input."),
        maybe("batch_size", "images", "Images a call."),
        maybe("channels", "channels", "Of the input."),
        flag("is_baseline", "It is the baseline of its group."),
        text("baseline_level", "The level that it is set against."),
        count("baselines", "", "Baselines that its group names: a verdict takes exactly one."),
        *(kinds.METRIC, text("unit", "Unit of the metric: `seconds`.")),
        number("baseline_value", "seconds", "Geometric mean over files of the baseline's median."),
        number("value", "seconds", "The same of this level."),
        number("effect", "ratio", "Value over baseline value."),
        text("effect_kind", "`ratio`; missing for a baseline."),
        number("ci_low", "ratio", "Lower end of the 95 % interval, simultaneous over the group."),
        number("ci_high", "ratio", "Upper end of it."),
        maybe("n", "files", "Files, each of a process of its own."),
        text("block_unit", "`file`."),
        *(kinds.P_VALUE, kinds.P_ADJUSTED),
        maybe("comparisons", "", "Size of the group's family."),
        number("margin", "ratio less 1", "The smallest effect that counts."),
        maybe("n_needed", "files", "How many in all would likely decide."),
        text("verdict", "As in `effects`; empty for a baseline."),
        text("cause", "Why nothing is decided, as in `effects`."),
        flag("detectable", "Equivalent, and yet the interval leaves out no effect."),
        maybe("n_needed_low", "files", "Lower end of how many in all would be narrow enough (90 %)."),
        maybe("n_needed_high", "files", "Upper end of it."),
        kinds.BEYOND_MARGIN,
    ),
)
TABLED = (VARIANTS, TRIALS, SPEED, BUILDING_BLOCKS)
