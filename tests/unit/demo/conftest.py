"""The flights, loaded once."""

from __future__ import annotations

import pandas as pd
import pytest

from stream.demo import flights


@pytest.fixture(scope="session")
def departures() -> pd.DataFrame:
    """Every departure of 2013; don't change it."""
    return flights.load_flights()
