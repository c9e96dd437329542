"""What each verb does, one function a verb; `DO` joins them to the names of the lifecycle table."""

from ticketing.verbs import after, approval, handling, intake, joining
from ticketing.verbs.act import Act, Do

DO: dict[str, Do] = {**intake.DO, **handling.DO, **approval.DO, **after.DO, **joining.DO}

__all__ = ["DO", "Act"]
