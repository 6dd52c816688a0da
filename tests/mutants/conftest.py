"""Fixtures of the noticing tests that live beside them."""

from tests.integration.changes.conftest import own_tables  # noqa: F401
from tests.integration.changes.test_rejected_representatives import strict  # noqa: F401
from tests.integration.changes.test_standing_still import snapshots  # noqa: F401
from tests.integration.changes.test_tables_of_other_kinds import altered  # noqa: F401
from tests.integration.erasures.test_erasing import former  # noqa: F401
from tests.integration.erasures.test_evidence import two_people  # noqa: F401
from tests.integration.erasures.test_hash_keys import plain  # noqa: F401
from tests.integration.erasures.test_keys_beside_work import keyless  # noqa: F401
from tests.integration.foreign.conftest import (  # noqa: F401
    connect,
    include,
    own_database,
    tables,
)
from tests.integration.probe.conftest import emulated, open_account  # noqa: F401
from tests.integration.removals.test_exclusions_first import two  # noqa: F401
from tests.integration.removals.test_suppress_excluded import agreed  # noqa: F401
from tests.integration.runs.test_plan_limits import limited  # noqa: F401
from tests.integration.runs.test_setup import own_sql  # noqa: F401
from tests.integration.runs.test_unproven import restored  # noqa: F401
from tests.integration.runs.test_watch import watched  # noqa: F401
from tests.integration.verify.test_exports import equal  # noqa: F401
from tests.integration.verify.test_killed import damaged  # noqa: F401
from tests.integration.verify.test_races import busy  # noqa: F401
from tests.support.others import account  # noqa: F401
from tests.unit.base.test_masking import hooked, log  # noqa: F401
from tests.unit.conftest import api, server  # noqa: F401
from tests.unit.sendgrid.test_limits import certificate  # noqa: F401
from tests.unit.sendgrid.test_shadow import shadow  # noqa: F401
