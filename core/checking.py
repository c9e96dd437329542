"""A body that came from outside, checked against its model."""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from core.errors import Invalid

Model = TypeVar("Model", bound=BaseModel)


class Body(BaseModel):
    """What a caller sends: an unknown field is an error, so that a misspelt one is not silently lost."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, defer_build=True)


def check_body(model: type[Model], raw: Any) -> Model:
    """The body as its model. Raises Invalid naming the first field that is missing or wrong."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        name = ".".join(str(part) for part in first["loc"]) or "body"
        raise Invalid(f"{name}: {first['msg'][:1].lower()}{first['msg'][1:]}", name) from None
