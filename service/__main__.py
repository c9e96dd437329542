"""python -m service is the command huiyin."""

import gc

gc.disable()  # Nothing of what is imported now is garbage: collecting meanwhile costs a tenth of the start.

from service.cli import main  # noqa: E402

gc.freeze()
gc.enable()

main()
