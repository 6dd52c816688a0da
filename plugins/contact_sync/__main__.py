"""The module that Python runs for the package's command line."""
# PYTHON_ARGCOMPLETE_OK: shells that complete may ask it what may follow.

import gc

from contact_sync.cli.main import main

code = main()
gc.freeze()  # the end comes anyway: to look through all modules for garbage first takes 0.1 s
raise SystemExit(code)
