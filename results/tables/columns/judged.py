"""The frames of what was judged: contrasts with their intervals and verdicts."""

from results.tables.columns import kinds
from results.tables.columns.kinds import (
    OF_EFFECT,
    OF_METRIC,
    Column,
    Frame,
    count,
    flag,
    maybe,
    number,
    text,
)

_BLOCKS = "blocks (`block_unit`)"
_LOG = "logarithm of a ratio, or as `unit` says"

_CONTRACT = (
    *(kinds.WORKLOAD, kinds.METRIC, kinds.UNIT, kinds.MODE),
    text("factor", "What was changed; `(control)` for the A/A rows; of an interaction `one+other`."),
    text("level", "To what it was changed; `duplicate` for the A/A rows."),
    text("baseline_level", "What it is in the baseline."),
    kinds.VARIANT,
    text("baseline_variant", "The baseline's network, as a specification."),
    *(
        kinds.DATASET,
        kinds.SPLIT,
        maybe("input_size", "pixels", kinds.INPUT_SIZE.meaning),
        kinds.BATCH_SIZE,
        kinds.PRECISION,
        kinds.DEVICE,
    ),
    *(kinds.ENVIRONMENT, kinds.SOURCE),
    number("baseline_value", OF_METRIC, "Mean of the baseline; geometric where effects are ratios."),
    number("value", OF_METRIC, "Mean of the arm, likewise."),
    number("effect", OF_EFFECT, "Arm over baseline, or arm less baseline: see `effect_kind`."),
    kinds.EFFECT_KIND,
    number("ci_low", OF_EFFECT, "Lower end of the 95 % interval, simultaneous over the family."),
    number("ci_high", OF_EFFECT, "Upper end of it."),
    maybe("n", _BLOCKS, "Processes or seeds of the arm, never rounds or steps."),
    text("block_unit", "What n counts: `process`, `seed`, `occasion` or `exact`."),
    *(kinds.P_VALUE, kinds.P_ADJUSTED),
    text("family", "The comparisons that the interval holds for at once."),
    number("margin", "ratio less 1, or as `unit` says", "The smallest effect that counts, as declared."),
    maybe("n_needed", _BLOCKS, "How many in all would likely decide, from the spread alone."),
    kinds.VERDICT,
    text("note", "Why the row says what it says, in words; for people, not to be parsed."),
)
_EXTRA = (
    *(kinds.ARM, kinds.KIND, kinds.LABEL),
    text("better", "The direction that a reader wants: `lower` or `higher`."),
    flag("headline", "Stands in the headline table."),
    number("ci_low_unadjusted", OF_EFFECT, "Lower end of the 95 % interval of this row alone."),
    number("ci_high_unadjusted", OF_EFFECT, "Upper end of it."),
    number("sd", _LOG, "Standard deviation between blocks, on the scale of the analysis."),
    number("correlation", "", "Correlation of arm and baseline over blocks: what pairing is worth."),
    number("bootstrap_low", OF_EFFECT, "Lower end of a bootstrap interval; from 20 blocks on."),
    number("bootstrap_high", OF_EFFECT, "Upper end of it."),
    maybe("comparisons", "", "Size of the family."),
    flag("inert", "The change does nothing in this context: no shape, operator or output differs."),
    kinds.NOISE_FLOOR,
)
_FACTS = (
    flag("exact", "One trial decides: the interval is the value."),
    flag("placebo", "The arm must match the baseline bit for bit."),
    flag("identical", "It gave the baseline's number in every block."),
    flag("detectable", "Equivalent, and yet the interval leaves out no effect."),
    text(
        "cause",
        "Why nothing is decided: `too_few`, `imprecise`, `beyond_reach`, `tied`, `censored`, `unmeasured`, "
        "`missed`, `tests_disagree`, `heaps`, `aliased`; empty where it is.",
    ),
    text(
        "fault",
        "Why it cannot be believed: `control`, `differs`, `disagree`, `impossible`; empty where it can.",
    ),
    text("fault_detail", "Which values or block."),
    maybe("lost", _BLOCKS, "Blocks of the arm that did not end well."),
    maybe("baseline_lost", _BLOCKS, "Likewise of the baseline."),
    maybe("censored", _BLOCKS, "Blocks of the arm in which the metric was censored."),
    maybe("baseline_censored", _BLOCKS, "Likewise of the baseline."),
    text("isolation", "What processes of one arm alone say: `agree`, `disagree`, `too few`; empty: none."),
    maybe("at_chance", _BLOCKS, "Blocks in which the arm guessed."),
    number("heap_low", OF_METRIC, "Where blocks fall into two heaps, the mean of the lower one."),
    number("heap_high", OF_METRIC, "The mean of the upper one."),
    maybe("heap_low_n", _BLOCKS, "How many blocks are in the lower one."),
    maybe("n_needed_low", _BLOCKS, "Lower end of how many in all would be narrow enough (90 %)."),
    maybe("n_needed_high", _BLOCKS, "Upper end of it."),
    number("smallest_detectable", OF_EFFECT, "Smallest true effect found in 80 of 100 repeats."),
    kinds.BEYOND_MARGIN,
    flag("control_differs", "The duplicate's own 95 % interval leaves out no effect here."),
    maybe("baseline_n", _BLOCKS, "Blocks of the baseline, where the two are not paired."),
    number("freedom", "", "Degrees of freedom of `sd`."),
    text("aliases", "Effects that a fraction cannot tell this one from."),
    maybe("sets", "sets of arms", "Pairs or quadruples averaged over; 0 in a fraction, missing of an arm."),
    maybe("sets_planned", "sets of arms", "How many the design has."),
)
_CONTRASTS: tuple[Column, ...] = (*_CONTRACT, *_EXTRA, *_FACTS)

EFFECTS = Frame(
    "effects",
    "an arm against the baseline in one metric and context; `effects(control=True)` holds the A/A rows, too",
    _CONTRASTS,
)
MAIN_EFFECTS = Frame(
    "main_effects", "a change averaged over the others of a factorial design, in one metric", _CONTRASTS
)
INTERACTIONS = Frame(
    "interactions", "what two changes do together beyond what each does alone, in one metric", _CONTRASTS
)
CORNERS = Frame(
    "corners",
    "one of the four corners of an interaction of two factors, in a headline metric",
    (
        *kinds.CELL,
        text("arm", "The interaction, as `interactions` names it in `arm`."),
        text("factor", "Both factors, the first one first: `one+other`."),
        text("first_level", "Level of the first."),
        text("second_level", "Level of the second."),
        number("value", "the metric's", "Mean of the arms with these levels."),
        count("arms", "arms", "How many arms these are."),
    ),
)
NOISE = Frame(
    "noise_floor",
    "the baseline against its own duplicate, in one metric that varies",
    (
        *(kinds.WORKLOAD, kinds.METRIC, kinds.LABEL, kinds.MODE, kinds.SPLIT, kinds.SOURCE, kinds.DEVICE),
        kinds.ENVIRONMENT,
        flag("headline", "Stands in the headline table."),
        *(kinds.UNIT, kinds.EFFECT_KIND),
        number(
            "noise_floor", "ratio less 1, or as `unit` says", "The same as `half_width`, as tables show it."
        ),
        number("half_width", _LOG, "How far the 95 % interval reaches from no effect; may be infinite."),
        number("effect", OF_EFFECT, "Duplicate over baseline, or duplicate less baseline."),
        number("ci_low", OF_EFFECT, "Lower end of the 95 % interval of this row alone."),
        number("ci_high", OF_EFFECT, "Upper end of it."),
        number("sd", _LOG, "Standard deviation between blocks, on the scale of the analysis."),
        maybe("n", "blocks", "Processes or seeds of the duplicate."),
        text("block_unit", "What a block is: `process` or `seed`."),
        flag("control_differs", "The interval does not hold no effect."),
        text("verdict", "`quiet`, or `failed`: beyond what the family of A/A rows explains."),
    ),
)
CLAIMS = Frame(
    "claims",
    "a claim that the study declares, in one environment",
    (
        text("claim", "Its name."),
        text("source", "Who says so."),
        text("statement", "What is said, as a sentence."),
        text("predicted", "What that means for the contrast, fixed before the run."),
        text("measured", "What was seen, in words."),
        number("ci_low", OF_EFFECT, "Lower end of the interval of the claim's own change."),
        number("ci_high", OF_EFFECT, "Upper end of it."),
        text("verdict", "`supported`, `contradicted`, `equivalent`, `inconclusive` or `not run`."),
        text("reason", "Why it is not decided, or the context in which it is."),
        text("evidence", "Where the numbers stand."),
        text("original", "The source's own figure, in words."),
        *(kinds.ENVIRONMENT, kinds.WORKLOAD, kinds.ARM, kinds.METRIC, kinds.MODE),
        number(
            "effect", OF_EFFECT, "Of the claim's own change, also where the study makes it the other way."
        ),
        kinds.UNIT,
        maybe("n", "blocks", "Processes or seeds."),
    ),
)
TARGET_COST = Frame(
    "target_cost",
    "an arm in a context that was both trained in and timed: what reaching the target takes",
    (
        *(kinds.ENVIRONMENT, kinds.WORKLOAD),
        text("timed_workload", "The workload that the time of a step comes from."),
        kinds.ARM,
        number("steps", "steps", "Optimizer steps to the target."),
        number("images", "images", "The same times the batch."),
        number("seconds", "seconds", "Steps times the time of a step, measured alone."),
        number("baseline_steps", "steps", "Steps of the baseline."),
        number("baseline_seconds", "seconds", "Seconds of the baseline."),
        number("effect", "ratio", "Seconds over the baseline's."),
        number("ci_low", "ratio", "Lower end of its 95 % interval, simultaneous over the arms."),
        number("ci_high", "ratio", "Upper end of it."),
        number("margin", "ratio less 1", "The smallest effect that counts."),
        *(kinds.VERDICT, kinds.BEYOND_MARGIN),
        number("peak_bytes", "bytes", "Peak memory of a training step in that context; missing if unknown."),
        text("peak_source", "`simulated` or `measured`; empty where unknown."),
    ),
)
JUDGED = (EFFECTS, MAIN_EFFECTS, INTERACTIONS, CORNERS, NOISE, CLAIMS, TARGET_COST)
