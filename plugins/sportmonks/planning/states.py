"""State ids of fixtures (the API's ``/states``) and the sets of them that rules speak of."""

from __future__ import annotations

NOT_STARTED = 1
DELETED = 20
LIVE = frozenset({2, 3, 4, 6, 9, 21, 22, 23, 25})
# Played to the end: full time, extra time, penalties.
PLAYED = frozenset({5, 7, 8})
# With a result that counts: played, or decided by a walk-over (14) or by an award (17).
FINISHED = PLAYED | {14, 17}
# Cancelled and abandoned.
ENDED_WITHOUT_RESULT = frozenset({12, 15})
# Delayed, interrupted, awaiting updates, pending: the state will change soon.
WAITING = frozenset({16, 18, 19, 26})
# Postponed, suspended, to be announced: nobody can tell when the state will change.
UNSETTLED = frozenset({10, 11, 13})
# Not started, or put off before the start.
NOT_BEGUN = frozenset({NOT_STARTED, 10, 13, 16})
KNOWN = frozenset({NOT_STARTED, DELETED}) | LIVE | FINISHED | ENDED_WITHOUT_RESULT | WAITING | UNSETTLED
