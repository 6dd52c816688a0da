"""Log handlers that tests leave behind."""

from __future__ import annotations

import logging


def drop_closed() -> None:
    """Take handlers off whose stream is closed, as a captured one is after its test.

    Whoever sets logging up in a test (Airflow, a command) leaves such a handler: each record of all
    later tests was an error of logging's own, with two stacks printed for nobody.
    """
    root = logging.getLogger()
    for handler in list(root.handlers):
        # A file handler that has not written has no stream yet, and not every stream says.
        if getattr(getattr(handler, "stream", None), "closed", False):
            root.removeHandler(handler)
