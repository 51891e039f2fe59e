"""The contract's own assertions say what they saw, like those of a test module."""

import pytest

pytest.register_assert_rewrite("tests.contract.contract", "tests.contract.subject")
