"""One suite, both readers."""

import pytest

from support.readers import READERS, Made


@pytest.fixture(params=sorted(READERS))
def made(request: pytest.FixtureRequest) -> Made:
    """What makes a reader of each kind."""
    return READERS[request.param]
