"""Shows broken sync definitions as an import error; the DAGs of the good ones are in another file,
because an Airflow import error stops every DAG of its file.
"""

from __future__ import annotations

from contact_sync.base.errors import ConfigError
from contact_sync.config.files import read_definitions

_broken = read_definitions().broken
if _broken:
    raise ConfigError("Broken sync definitions:\n" + "\n".join(_broken.values()))
