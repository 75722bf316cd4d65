"""The frames of what was recorded, value by value."""

from results.tables.columns import kinds
from results.tables.columns.kinds import OF_METRIC, Frame, anything, count, maybe, number, text

MEASUREMENTS = Frame(
    "measurements",
    "a raw sample of a metric, warm-up left out; only the last attempt of a trial counts, if it ended well",
    (
        *(kinds.TRIAL, kinds.WORKLOAD, kinds.KIND, kinds.METRIC, kinds.UNIT, kinds.MODE, kinds.SPLIT),
        *(kinds.SOURCE, kinds.DEVICE, kinds.ARM, kinds.ROLE, kinds.VARIANT, kinds.DATASET),
        *(kinds.INPUT_SIZE, kinds.BATCH_SIZE, kinds.PRECISION, kinds.ENVIRONMENT, kinds.BLOCK),
        kinds.OCCASION,
        text("pair", "What a sample's partners in other arms share beside the round: trial or block."),
        count("round", "", "Which sample of its measurement it is, from 0; rounds are no replicates."),
        number("value", OF_METRIC, "The sample."),
        kinds.STARTED_AT,
    ),
    recorded=True,
)
CURVES = Frame(
    "curves",
    "a point of a learning curve; trainings that diverged have none",
    (
        *(kinds.ENVIRONMENT, kinds.WORKLOAD, kinds.BLOCK, kinds.ARM, kinds.ROLE, kinds.METRIC),
        text("split", "On which images: `validation`, or `train`."),
        count("step", "steps", "Optimizer steps taken before."),
        number("value", "the metric's", "The metric there."),
    ),
    recorded=True,
)
INSIDE = Frame(
    "inside",
    "a quantity of a layer at a look into a training; trainings that diverged up to the last look before",
    (
        *(kinds.ENVIRONMENT, kinds.WORKLOAD, kinds.ARM, kinds.ROLE),
        text("status", "How the training ended: `ok` or `diverged`."),
        kinds.BLOCK,
        count("step", "steps", "Optimizer step, 1 first; weights are those before it."),
        text("layer", "Dotted name of the module; `relu:2` is its second call in a forward pass."),
        count("depth", "layers", "How many layers with weights a forward pass has entered up to it."),
        count("channels", "channels", "Output channels, or units, of the layer."),
        text(
            "what",
            "`gradient_norm`, `gradient_to_weight`, `input_mean`, `input_variance`, `input_drift`, "
            "`chance_drift` or `dead_share`.",
        ),
        number("value", "", "The quantity; missing where it was no finite number."),
    ),
    recorded=True,
)
MEMORY_PROFILES = Frame(
    "memory_profiles",
    "the memory of one step of an arm, in one mode and from one source",
    (
        *(kinds.ENVIRONMENT, kinds.WORKLOAD, kinds.ARM, kinds.MODE, kinds.SOURCE, kinds.DEVICE),
        *(kinds.ROLE, kinds.VARIANT),
        count("peak_bytes", "bytes", "Most bytes of tensors alive at once."),
        anything("peak_bytes_by_phase", "bytes", "The same by phase: a dict."),
        anything("by_category", "bytes", "Bytes alive at the peak by category (`activations`, ...): a dict."),
        anything("saved_by_module", "bytes", "Left for the backward pass, by module: a dict."),
        anything("timeline", "bytes", "Live bytes over the operations: `operation`, `live_bytes`."),
        text("target", "Whose allocator rounded the sizes and whose defaults hold: `cuda` or `cpu`."),
        count("static_bytes", "bytes", "Alive all through the step."),
        count("saved_bytes", "bytes", "What the forward pass leaves for the backward pass."),
        count("allocations", "tensors", "Made during the step."),
        count("allocated_bytes", "bytes", "Sum of what was made during the step."),
        maybe("reserved_bytes", "bytes", "What the allocator holds, or would hold, from the device."),
        maybe("modelled_allocated_bytes", "bytes", "What CUDA's allocator would report as allocated."),
        anything("left_out", "", "What the modelled figures do not hold, in words: a tuple."),
        anything("by_module", "bytes", "Bytes alive at the peak by module: a dict."),
        text("peak_operator", "The operator at the peak."),
        text("peak_module", "The module that it belongs to."),
        number("simulation_seconds", "seconds", "Wall time of the simulation, building included."),
        anything("against_baseline", "", "The difference to the baseline by tensor; None for the baseline."),
        number("safety_margin", "fraction", "Share of a card that `largest_batch_size` leaves free."),
        anything("largest_batch_size", "images", "Most images a step for each card: a dict."),
    ),
    recorded=True,
)
RECORDED = (MEASUREMENTS, CURVES, INSIDE, MEMORY_PROFILES)
