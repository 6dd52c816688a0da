"""The test suite; see CONTRIBUTING for what belongs where."""

import pytest

pytest.register_assert_rewrite("tests.support", "tests.stateful")  # so that they say what differs
