"""What pydantic refused, in the words of the file that it stands in."""

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ablations.factor import nearest
from runners.errors import written

_EXPECTED = {
    "string_type": "text in quotes",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "dict_type": "a table",
    "tuple_type": "a list",
    "too_short": "{min_length} or more entries",
    "string_too_short": "{min_length} or more characters",
    "greater_than_equal": "{ge} or more",
    "greater_than": "more than {gt}",
    "less_than_equal": "{le} or less",
    "less_than": "less than {lt}",
}
"""What was expected, by what pydantic calls the mistake, with the limits that it names."""


def explain(error: ValidationError, model: type[BaseModel], where: str) -> list[str]:
    """A line for each thing that pydantic refused."""
    details = error.errors()
    places = [detail["loc"] for detail in details]
    return [
        _line(detail, model, where)
        for detail in details
        # A list is short of what was refused in it, which is said already.
        if detail["type"] != "too_short" or not any(detail["loc"] == place[:-1] for place in places)
    ]


def _line(detail: ErrorDetails, model: type[BaseModel], where: str) -> str:
    location = list(detail["loc"])
    if location[:1] == ["workloads"] and len(location) > 1:
        where = f"{where}, workload {int(location[1]) + 1}"
        location = location[2:]
    path = ".".join(map(str, location))
    given = written(detail["input"])
    match detail["type"]:
        case "extra_forbidden":
            return f"{where}: no key {path!r}{nearest(path, model.model_fields)}"
        case "missing":
            field = model.model_fields.get(path)
            meaning = f" ({field.description})" if field is not None and field.description else ""
            return f"{where}: key {path!r} is missing{meaning}"
        case "literal_error":
            expected = str(detail.get("ctx", {}).get("expected", ""))
            choices = [choice.strip().strip("'") for choice in expected.replace(" or ", ", ").split(",")]
            return f"{where}: {path} = {given} is not known{nearest(str(detail['input']), choices)}"
        case "value_error":
            message = detail["msg"].removeprefix("Value error, ")
            return f"{where}: {path} = {given}: {message}" if path else f"{where}: {message}"
    wanted = detail["msg"].removeprefix("Input should be ")
    if detail["type"] in _EXPECTED:
        wanted = _EXPECTED[detail["type"]].format(**detail.get("ctx", {}))
    return f"{where}: {path} = {given}: expected {wanted}" if path else f"{where}: {given}: expected {wanted}"
