"""No secret and no unstorable text passes."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from sportmonks.redaction import MASK, MAX_TEXT, add_secret, mask_text, mask_value, to_json


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("GET /v3/football?api_token=AbCdEf123&page=2", "AbCdEf123"),
        ("Authorization: Bearer abcdefgh12345", "abcdefgh12345"),
        ("{'Authorization': 'raw-key-123456'}", "raw-key-123456"),
        ("postgresql://etl:hunter22@db.example:5432/x failed", "hunter22"),
        ('{"password": "pa55word", "user": "x"}', "pa55word"),
        ("api-key=k123456, then more", "k123456"),
    ],
)
def test_secrets_by_shape(text: str, secret: str) -> None:
    masked = mask_text(text)
    assert secret not in masked
    assert MASK in masked


def test_ordinary_text_is_left_alone() -> None:
    text = "Chunk 8_23614 done: 380 of 380 fixtures, Token FC vs. Real Secretaria 2:1"
    assert mask_text(text) == text


def test_a_known_value_is_masked_wherever_it_stands() -> None:
    add_secret("s3cr3t-value")
    assert mask_text("odd s3cr3t-value here") == f"odd {MASK} here"
    add_secret("abc")  # too short: would mask half of every text
    assert mask_text("abcdef") == "abcdef"


def test_nul_goes_and_length_is_bounded() -> None:
    assert mask_text("a\x00b") == "ab"
    assert len(mask_text("x" * 10_000)) == MAX_TEXT


def test_details_by_name_depth_and_odd_objects() -> None:
    class Odd:
        def __str__(self) -> str:
            raise RuntimeError("no text")

    loop: dict[str, object] = {}
    loop["self"] = loop
    details = {
        "api_token": "x",
        "nested": {"SUPABASE_PASSWORD": "y", "count": 3, "headers": [{"authorization": "z"}]},
        "nan": float("nan"),
        "when": datetime(2026, 1, 1, tzinfo=UTC),
        "odd": Odd(),
        "loop": loop,
        "long": list(range(500)),
        "tokens_used": None,
    }
    found = json.loads(to_json(details) or "")
    assert found["api_token"] == MASK
    assert found["nested"] == {"SUPABASE_PASSWORD": MASK, "count": 3, "headers": [{"authorization": MASK}]}
    assert found["nan"] == "nan"
    assert found["odd"] == "<Odd>"
    assert found["long"][-1] == "… 300 more"
    assert mask_value(True) is True
    assert to_json({}) is None
