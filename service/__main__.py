"""python -m service is the command huiyin."""

from service.cli import main

main()
