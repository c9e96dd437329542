"""A body that came from outside, checked against its model."""

from datetime import date
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, ValidationError

from core.errors import Invalid

Model = TypeVar("Model", bound=BaseModel)
FIRST_YEAR, LAST_YEAR = 2000, 2199


def _is_of_our_time(value: date) -> date:
    """Far from both ends of what can be counted with, so that no zone or limit leads past them."""
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise ValueError(f"the year lies between {FIRST_YEAR} and {LAST_YEAR}")
    return value


def check_year(value: date, field: str) -> None:
    """The same for what stands in an address. Raises Invalid naming the field."""
    try:
        _is_of_our_time(value)
    except ValueError as error:
        raise Invalid(f"{field}: {error}", field) from None


Moment = Annotated[AwareDatetime, AfterValidator(_is_of_our_time)]
"""A moment with an offset, as a caller sends it."""

Day = Annotated[date, AfterValidator(_is_of_our_time)]
"""A date, as a caller sends it."""


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
