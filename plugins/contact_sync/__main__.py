"""The module that Python runs for the package's command line."""
# PYTHON_ARGCOMPLETE_OK: shells that complete may ask it what may follow.

import gc

from contact_sync.base.heap import share_and_bound_heap

share_and_bound_heap()
from contact_sync.cli.main import main  # noqa: E402 numpy's import makes a thread

code = main()
gc.freeze()  # the end comes anyway: to look through all modules for garbage first takes 0.1 s
raise SystemExit(code)
