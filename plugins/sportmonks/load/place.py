"""Which league and season a fixture belongs to: a pure comparison of what is stored with what a payload names.

An answer to another request (a proxy's cache, a filter that was ignored) must not move a fixture, and the provider does
correct such a reference now and then. So another place is suspected like a loss, and believed when it stays.
"""

from __future__ import annotations

# Ids of the league and the season of a fixture, None where they are not known.
Place = tuple[int | None, int | None]
PLACE_FIELDS = ("league_id", "season_id")


def misplaced(stored: Place, named: Place) -> dict[str, int]:
    """The fields by which a payload names another league or season than the fixture is stored in, with its values."""
    return {
        name: value
        for name, known, value in zip(PLACE_FIELDS, stored, named, strict=True)
        if known is not None and value is not None and known != value
    }
