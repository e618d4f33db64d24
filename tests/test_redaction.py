"""No secret and no unstorable text passes."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from sportmonks import redaction
from sportmonks.redaction import (
    MASK,
    MAX_TEXT,
    add_secret,
    mask_body,
    mask_known,
    mask_text,
    mask_value,
    to_json,
    without_credentials,
)


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


KEY = "Q7f/Zp+w9&Ld2=Xk4:sT8yB1vN6"
FORMS: dict[str, Callable[[str], str]] = {
    "as it is": lambda key: key,
    "upper case": str.upper,
    "lower case": str.lower,
    "percent-encoded": lambda key: quote(key, safe=""),
    "percent-encoded in lower case": lambda key: quote(key, safe="").replace("%2F", "%2f").replace("%2B", "%2b"),
    "percent-encoded twice": lambda key: quote(quote(key, safe=""), safe=""),
    "percent-encoded in full": lambda key: "".join(f"%{ord(sign):02X}" for sign in key),
    "JSON": lambda key: json.dumps(key).replace("/", "\\/"),
    "JSON in full": lambda key: "".join(f"\\u{ord(sign):04x}" for sign in key),
    "HTML": html.escape,
    "HTML in full": lambda key: "".join(f"&#x{ord(sign):x};" for sign in key),
    **{
        f"base64 behind {user!r}": lambda key, user=user: base64.b64encode(f"{user}:{key}".encode()).decode()
        for user in ("", "a", "ab", "abc")
    },
    "base64 for URLs": lambda key: base64.urlsafe_b64encode(f"x{key}y".encode()).decode(),
    "base64 in JSON": lambda key: json.dumps(base64.b64encode(key.encode()).decode()).replace("/", "\\/"),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_known_value_is_masked_in_every_form(form: str) -> None:
    add_secret(KEY)
    repeated = FORMS[form](KEY).strip('"')
    assert mask_known(f"odd <{repeated}> here") == f"odd <{MASK}> here"


@pytest.mark.parametrize("form", ["as it is", "upper case", "lower case", "percent-encoded", "base64 behind 'ab'"])
def test_bodies_of_answers_are_masked(form: str) -> None:
    key = "Q7fZpw9Ld2Xk4sT8yB1vN6"
    add_secret(key)
    masked = mask_body(json.dumps({"message": f"no access for {FORMS[form](key)}!", "n": 1}).encode())
    assert key[4:-4].encode().lower() not in masked.lower()
    assert json.loads(masked)["n"] == 1


def test_data_is_not_changed_by_short_secrets_and_numbers() -> None:
    add_secret("guest-room")
    add_secret("12345678901234567890")
    body = b'{"name": "guest-room", "id": 12345678901234567890}'
    assert mask_body(body) == body


def test_a_secret_that_contains_another_leaves_nothing() -> None:
    add_secret("inner-value")
    add_secret("outer-inner-value-tail")
    assert mask_text("x outer-inner-value-tail x") == f"x {MASK} x"


def test_a_secret_at_the_end_of_a_cut_text_is_not_half_shown() -> None:
    secret = "Hs83kd02jf84mx61qp57"
    add_secret(secret)
    for shift in range(len(secret)):
        masked = mask_text("-" * shift + secret * 2_000)
        assert not any(secret[n : n + 4] in masked for n in range(len(secret) - 3))


LINK_KEY = "L1nk-Key-0123456789"


@pytest.mark.parametrize(
    ("link", "stored"),
    [
        ("https://api.example.com/a?page=2&api_token=x1&size=5", "https://api.example.com/a?page=2&size=5"),
        (f"https://api.example.com/a?t={LINK_KEY}", "https://api.example.com/a"),
        (f"/a?cursor=c%2F2&t={quote(LINK_KEY.upper(), safe='')}#top", "/a?cursor=c%2F2#top"),
        (f"https://me:{LINK_KEY}@api.example.com/a?b=1", "https://api.example.com/a?b=1"),
        (f"https://api.example.com/{LINK_KEY}/a?b=1", f"https://api.example.com/{MASK}/a?b=1"),
        ("cursor=abc&access_token=x1", "cursor=abc"),
        # What APIs use to page is left alone, whatever it looks like.
        ("/a?token=eyJwIjoyfQ==&key=9&next_token=n", "/a?token=eyJwIjoyfQ==&key=9&next_token=n"),
        ("/a?at=2026-03-01T00:00:00+01:00&x=%20", "/a?at=2026-03-01T00:00:00+01:00&x=%20"),
        ("eyJwIjoyfQ==", "eyJwIjoyfQ=="),
    ],
)
def test_links_are_stored_without_credentials(link: str, stored: str) -> None:
    add_secret(LINK_KEY)
    assert without_credentials(link) == stored


def test_long_texts_are_masked_in_one_pass() -> None:
    """Blobs of base64, runs of escapes and repeated beginnings of a secret; minutes for a pattern that starts anew."""
    add_secret("abcabcabcabcabcabcabcd")
    for text in ("YWJj" * 50_000, "%61%62%63" * 50_000, "abc" * 50_000, "&#x61;" * 30_000):
        assert mask_known(text)


def test_a_thread_that_masks_while_a_secret_is_added_sees_the_known_ones() -> None:
    add_secret("known-0123456789abcdef")
    seen_by_other = redaction._known
    before = list(seen_by_other)
    add_secret("added-0123456789abcdef")
    assert list(seen_by_other) == before
    assert mask_known("known-0123456789abcdef added-0123456789abcdef") == f"{MASK} {MASK}"
