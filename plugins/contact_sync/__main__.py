"""The module that Python runs for the package's command line."""
# PYTHON_ARGCOMPLETE_OK: shells that complete may ask it what may follow.

import gc

# Imports leave nothing to collect: looking for it costs a quarter of the start.
gc.disable()

from contact_sync.cli.main import main  # noqa: E402

gc.freeze()
gc.enable()
raise SystemExit(main())
