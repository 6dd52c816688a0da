"""The module that Python runs for the package's command line."""
# PYTHON_ARGCOMPLETE_OK: shells that complete may ask it what may follow.

from contact_sync.cli.main import main

raise SystemExit(main())
