"""What each verb does, one function a verb; the tables join them to the names of the lifecycle table.

`MAY` refuses who may not (403) before the body is looked at, `CHECKS` refuses what the body says (422) before
version and state are, `DO` does it and refuses what the ticket's state does not allow (409).
"""

from ticketing.verbs import after, approval, handling, intake, joining
from ticketing.verbs.act import Act, Do

DO: dict[str, Do] = {**intake.DO, **handling.DO, **approval.DO, **after.DO, **joining.DO}
MAY: dict[str, Do] = {**intake.MAY, **approval.MAY}
CHECKS: dict[str, Do] = {**intake.CHECKS, **handling.CHECKS, **approval.CHECKS, **after.CHECKS, **joining.CHECKS}

__all__ = ["CHECKS", "DO", "MAY", "Act"]
