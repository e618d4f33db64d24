"""A payload without its sections: the fixture's own fields, which PostgreSQL casts, and the teams it came with."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

_NULL = msgspec.Raw(b"null")


class FixtureFields(msgspec.Struct):
    """The fields that are columns of ``football.fixtures``, and the section ``participants``, each as its JSON. League
    and season are not among them: which of them is believed is part of the decision."""

    stage_id: msgspec.Raw = _NULL
    round_id: msgspec.Raw = _NULL
    group_id: msgspec.Raw = _NULL
    aggregate_id: msgspec.Raw = _NULL
    venue_id: msgspec.Raw = _NULL
    state_id: msgspec.Raw = _NULL
    name: msgspec.Raw = _NULL
    starting_at: msgspec.Raw = _NULL
    result_info: msgspec.Raw = _NULL
    leg: msgspec.Raw = _NULL
    details: msgspec.Raw = _NULL
    length: msgspec.Raw = _NULL
    placeholder: msgspec.Raw = _NULL
    has_odds: msgspec.Raw = _NULL
    has_premium_odds: msgspec.Raw = _NULL
    participants: msgspec.Raw = _NULL

    def columns(self) -> dict[str, msgspec.Raw]:
        found: dict[str, msgspec.Raw] = msgspec.structs.asdict(self)
        del found["participants"]
        return found


_decoder = msgspec.json.Decoder(FixtureFields)


def fixture_fields(payload: bytes) -> FixtureFields:
    """Those of a payload's JSON."""
    return _decoder.decode(payload)


def fields_of(members: Mapping[str, msgspec.Raw]) -> FixtureFields:
    """Those among the members of a payload, without reading it once more."""
    return FixtureFields(**{name: members[name] for name in FixtureFields.__struct_fields__ if name in members})
