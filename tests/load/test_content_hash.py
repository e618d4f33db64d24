"""Which answers are recognised as the stored content: by their bytes, by their content in an order, by older hashes."""

from __future__ import annotations

import pytest

from sportmonks.load.content_hash import StoredHashes, hash_as_sent, hash_sorted, identify
from tests.harness.load import ChunkHarness, FixtureJson, encode, fixture_row, rows_of, shuffled


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (b'{"a":1,"last_processed_at":"x"}', b'{"a":1,"last_processed_at":null}', True),
        (b'{"p":[{"last_played_at":"x"}]}', b'{"p":[{"last_played_at" : "y"}]}', True),
        (b'{"standings_recalculated_at":1}', b'{"standings_recalculated_at":22}', True),
        (b'{"starting_at":"x"}', b'{"starting_at":"y"}', False),
        (b'{"not_last_played_at":"x"}', b'{"not_last_played_at":"y"}', False),
        # Within a text, where the quotes are escaped, and as a value, it is no field.
        (b'{"a":"\\"last_played_at\\":1"}', b'{"a":"\\"last_played_at\\":2"}', False),
        (b'{"a":"last_played_at","b":1}', b'{"a":"last_played_at","b":2}', False),
        # Lists, objects and texts with a backslash are compared as they are: other bytes, another hash.
        (b'{"last_played_at":[1]}', b'{"last_played_at":[2]}', False),
        (b'{"last_played_at":"\\u0031"}', b'{"last_played_at":"\\u0032"}', False),
        (b'{"a":[1,2]}', b'{"a":[2,1]}', False),
    ],
)
def test_the_hash_of_the_bytes(one: bytes, other: bytes, same: bool) -> None:
    assert (hash_as_sent(one) == hash_as_sent(other)) is same


def test_what_an_answer_is_known_by() -> None:
    one, turned, other = b'{"a":[1,2]}', b'{"a":[2,1]}', b'{"a":[1,3]}'
    as_sent, in_order = hash_as_sent(one), hash_sorted(one)

    def known(payload: bytes, stored: StoredHashes | None) -> bytes:
        return identify(payload, hash_as_sent(payload), stored).content

    assert known(one, None) == as_sent
    assert known(one, StoredHashes(b"c", as_sent)) == b"c"
    assert known(turned, StoredHashes(b"c", as_sent, in_order)) == b"c"
    assert known(turned, StoredHashes(in_order)) == in_order  # stored by version 0.1
    assert known(turned, StoredHashes(as_sent)) == hash_as_sent(turned)  # not known by its hashes: compared
    assert known(other, StoredHashes(b"c", as_sent, in_order)) == hash_as_sent(other)
    assert identify(one, as_sent, StoredHashes(b"c", as_sent)).in_order is None


def test_hashes_are_filled_in_as_answers_come(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    one = payloads[0]
    chunk.store(one)
    row = fixture_row(chunk.conn, one["id"])
    assert (row["hash_as_sent"], row["hash_in_order"]) == (hash_as_sent(encode(one)), None)
    turned = shuffled(one)
    assert chunk.store(turned).outcomes == {"UNCHANGED": 1}
    row = fixture_row(chunk.conn, one["id"])
    assert (row["hash_as_sent"], row["hash_in_order"]) == (hash_as_sent(encode(turned)), hash_sorted(encode(one)))
    # A correction has hashes of its own.
    one["length"] = 91
    assert chunk.store(one).outcomes == {"SAVED": 1}
    row = fixture_row(chunk.conn, one["id"])
    assert (row["hash_as_sent"], row["hash_in_order"]) == (hash_as_sent(encode(one)), hash_sorted(encode(one)))


def test_what_an_older_version_has_stored_is_recognised(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    one = payloads[0]
    chunk.store(one)
    chunk.conn.execute("UPDATE football.fixtures SET hash_as_sent = NULL, hash_in_order = NULL")
    chunk.conn.execute("UPDATE raw.fixtures SET content_hash = %s", (hash_sorted(encode(one)),))
    assert chunk.store(shuffled(one)).outcomes == {"UNCHANGED": 1}
    assert fixture_row(chunk.conn, one["id"])["hash_as_sent"] == hash_as_sent(encode(shuffled(one)))
    (raw,) = rows_of(chunk.conn, "raw.fixtures")
    assert raw["content_hash"] == hash_sorted(encode(one))
