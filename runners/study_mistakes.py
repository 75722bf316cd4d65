"""What pydantic refused, in the words of the file that it stands in."""

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ablations.factor import nearest


def explain(error: ValidationError, model: type[BaseModel], where: str) -> list[str]:
    """A line for each thing that pydantic refused, in the words of the file it stands in."""
    return [_line(detail, model, where) for detail in error.errors()]


def _line(detail: ErrorDetails, model: type[BaseModel], where: str) -> str:
    path = ".".join(map(str, detail["loc"]))
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
            return (
                f"{where}: {path} = {detail['input']!r} is not known{nearest(str(detail['input']), choices)}"
            )
    message = detail["msg"].removeprefix("Value error, ")
    return f"{where}: {path} = {detail['input']!r}: {message[0].lower()}{message[1:]}"
