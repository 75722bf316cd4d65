"""How far a training has come, kept in a file from time to time: whoever goes on from it gets the same bits.

That takes parameters, buffers, the optimizer's tensors, the states of random generators and the course. The
order of images and what augmentation draws follow from the step.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict

import torch
from pydantic import TypeAdapter
from torch import Tensor, nn

from results.records.directory import own_folder
from results.records.files import RecordError
from results.records.values import Count
from runners import checkpoints, devices, tensor_file
from runners.probes.convergence.course import Course, Scores
from runners.probes.convergence.inside import Note, Seen
from runners.run_folder import CURRENT
from runners.trial import Trial

_FORMAT = 1
_MEANS = "inside."
_STEPS = TypeAdapter(list[Count])
_NOTES = TypeAdapter(list[Note])
_OF_ANY_MODULE = frozenset(vars(nn.Module()))


class Unusable(Exception):  # noqa: N818 - no error: there is a way without it
    """There is no such checkpoint; the message says why."""


class Checkpoint:
    """The file of one trial's training; where there is no run directory, there is none.

    Attributes:
        resumed_at_step: After which steps a process went on with this training, this one last.
    """

    def __init__(self, trial: Trial) -> None:
        """Of a trial that this process runs."""
        place = CURRENT.get()
        self._path = None if place is None else checkpoints.path_of(trial.id, place)
        self._identity = {
            "format": _FORMAT,
            "trial": trial.id,
            "environment": None if place is None else place.environment,
            "torch": str(torch.__version__),
        }
        self._device, self._told = trial.device, False
        self.resumed_at_step: list[int] = []

    def begin(self, network: nn.Module, optimizer: torch.optim.Optimizer, seconds: float) -> Course:
        """Bring a training that is about to begin to where the file left it.

        A file that is damaged, or another training's, is told of and not used.

        Args:
            network: As it was built; changed in place.
            optimizer: Of that network's parameters; likewise.
            seconds: Wall time of training from one checkpoint to the next.

        Returns:
            The course until then: as many losses as steps were taken, none if the training begins anew.
        """
        self._network, self._optimizer, self._seconds = network, optimizer, seconds
        self._aside, self._since = _kept_aside(network), time.monotonic()
        if self._path is None or not self._path.is_file():
            return Course()
        drawn = torch.get_rng_state()
        try:
            facts, tensors = tensor_file.read(self._path)
            self._check(facts)
            resumed, course = _STEPS.validate_python(facts["resumed_at_step"]), _course(tensors)
            course.inside.notes += _NOTES.validate_python(facts["inside"])
            self._put_back(tensors)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with it, there is a way without it
            torch.set_rng_state(drawn)
            print(f"checkpoint not used, the training begins anew: {_said(error)}")
            return Course()
        self.resumed_at_step = [*resumed, len(course.losses)]
        return course

    def keep(self, course: Course) -> None:
        """Write the file after a step, if it is time to; where that fails it is told, once."""
        if self._path is None or time.monotonic() - self._since < self._seconds:
            return
        try:
            _refuse_changes(self._aside, _kept_aside(self._network))
            own_folder(self._path.parent.parent, self._path.parent.name)
            facts = {
                **self._identity,
                "resumed_at_step": self.resumed_at_step,
                "inside": course.inside.notes,
            }
            tensor_file.write(self._path, facts, dict(self._tensors(course)))
        except Exception as error:  # noqa: BLE001 - the training matters more
            if not self._told:
                print(f"no checkpoint after step {len(course.losses)}, the training goes on: {_said(error)}")
            self._told = True
        self._since = time.monotonic()

    def _check(self, facts: Mapping[str, object]) -> None:
        """Refuse another training's.

        Raises:
            Unusable: It is.
        """
        for key, own in self._identity.items():
            if facts.get(key) != own:
                raise Unusable(f"its {key} is {facts.get(key)}, not {own}")

    def _tensors(self, course: Course) -> Iterator[tuple[str, Tensor]]:
        for name, tensor in _registered(self._network).items():
            yield f"network.{name}", tensor
        for index, state in self._optimizer.state_dict()["state"].items():
            for key, value in state.items():
                yield f"optimizer.{index}.{key}", value
        yield "random.cpu", torch.get_rng_state()
        if self._device != "cpu":
            yield "random.device", devices.random_state(self._device)
        rows = [list(asdict(scores).values()) for scores in course.evaluations]
        yield "course.losses", torch.tensor(course.losses, dtype=torch.float64)
        yield "course.steps", torch.tensor(course.steps, dtype=torch.int64)
        yield "course.evaluations", torch.tensor(rows, dtype=torch.float64)
        yield "course.train_losses", torch.tensor(course.train_losses, dtype=torch.float64)
        for layer, means in course.inside.means.items():
            yield f"{_MEANS}{layer}", means

    def _put_back(self, tensors: Mapping[str, Tensor]) -> None:
        """Into network, optimizer and generators, once all of it is found to fit.

        Raises:
            Unusable: It does not.
        """
        registered, state = _registered(self._network), dict[int, dict[str, Tensor]]()
        parameters = [one for group in self._optimizer.param_groups for one in group["params"]]
        for name, tensor in registered.items():
            found = tensors.get(f"network.{name}")
            if found is None or (found.shape, found.dtype) != (tensor.shape, tensor.dtype):
                raise Unusable(f"it has no {name} as the network has")
        for name, tensor in tensors.items():
            part, _, key = name.partition(".")
            if part == "network" and key not in registered:
                raise Unusable(f"it has a {key}, and the network has none")
            if part == "optimizer":
                index, _, key = key.partition(".")
                if tensor.dim() and tensor.shape != parameters[int(index)].shape:
                    raise Unusable(f"no parameter has such a {key}")
                state.setdefault(int(index), {})[key] = tensor
        torch.set_rng_state(tensors["random.cpu"])
        if self._device != "cpu":
            devices.set_random_state(self._device, tensors["random.device"])
        groups = self._optimizer.state_dict()["param_groups"]
        self._optimizer.load_state_dict({"state": state, "param_groups": groups})
        for name, tensor in registered.items():
            tensor.copy_(tensors[f"network.{name}"])


def _course(tensors: Mapping[str, Tensor]) -> Course:
    losses, steps, evaluations, train_losses = (
        tensors[f"course.{part}"].tolist() for part in ("losses", "steps", "evaluations", "train_losses")
    )
    means = {name.removeprefix(_MEANS): one for name, one in tensors.items() if name.startswith(_MEANS)}
    return Course(losses, steps, [Scores(*row) for row in evaluations], train_losses, Seen(means=means))


def _registered(network: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers, those that a state dict leaves out among them."""
    named = (network.named_parameters(), network.named_buffers())
    return {name: tensor.detach() for kind in named for name, tensor in kind}


def _kept_aside(network: nn.Module) -> dict[str, object]:
    """What modules hold beside parameters and buffers, in a form that shows whether it changes."""
    return {
        f"{name}.{key}".removeprefix("."): _seen(value)
        for name, module in network.named_modules()
        for key, value in vars(module).items()
        if key not in _OF_ANY_MODULE
    }


def _seen(value: object) -> object:
    match value:
        case Tensor():
            return id(value), value._version
        case torch.Generator():
            return value.get_state().tolist()
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - it is the arm's own code
        return None


def _refuse_changes(before: Mapping[str, object], after: Mapping[str, object]) -> None:
    """Refuse a network that keeps in other places what it has become: it would come back as it never was.

    Raises:
        Unusable: It does.
    """
    for name in {**before, **after}:
        if name not in after or name not in before or before[name] != after[name]:
            raise Unusable(f"the network changes its {name}, which is neither a parameter nor a buffer")


def _said(error: Exception) -> str:
    text = " ".join(str(getattr(error, "strerror", None) or error).split())
    return text if isinstance(error, Unusable | RecordError | OSError) else f"{type(error).__name__}: {text}"
