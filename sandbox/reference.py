"""States and types: the reference lists that ids in fixtures point to."""

from __future__ import annotations

from typing import Any

from sandbox.names import COUNTRIES

_STATES = (
    "1 NS|Not Started|NS;2 INPLAY_1ST_HALF|1st Half|1st;3 HT|Half Time|HT;4 BREAK|Break|BRK;5 FT|Full Time|FT;"
    "6 INPLAY_ET|Extra Time|et;7 AET|After Extra Time|AET;8 FT_PEN|After Penalties|FTP;"
    "9 INPLAY_PENALTIES|Penalties|PEN;"
    "10 POSTPONED|Postponed|POST;11 SUSPENDED|Suspended|SUSP;12 CANCELLED|Cancelled|CANC;13 TBA|To Be Announced|TBA;"
    "14 WO|Walk Over|WO;15 ABANDONED|Abandoned|ABAN;16 DELAYED|Delayed|DELA;17 AWARDED|Awarded|AWAR;"
    "18 INTERRUPTED|Interrupted|INT;19 AWAITING_UPDATES|Awaiting Updates|AU;20 DELETED|Deleted|DEL;"
    "21 EXTRA_TIME_BREAK|Extra Time - Break|ETB;22 INPLAY_2ND_HALF|2nd Half|2nd;"
    "23 INPLAY_ET_2ND_HALF|ET - 2nd Half|2et;"
    "25 PEN_BREAK|Penalties - Break|PENB;26 PENDING|Pending|PEN"
)
_STATE_TYPES = {2: 1, 3: 2, 4: 3, 5: 2, 6: 3, 7: 3, 8: 5, 9: 5, 21: 3, 22: 2, 23: 39, 25: 5}
_LIVE, _ENDED = {2, 3, 4, 6, 9, 11, 18, 21, 22, 23, 25, 26}, {5, 7, 8, 12, 15, 17}
_PERIOD_END, _CANCELLED, _COMPLETED = {3, 4, 5, 7, 8, 10, 11, 15, 18, 21, 25}, {10, 12, 15}, {5, 7, 8, 17}

# model type: id Name (its codes are made from the name)
_TYPES = {
    "period": "1 1st half;2 2nd half;3 Extra Time;5 Penalties;39 Extra Time - 2nd Half;5314 Extra Time - 1st Half;"
    "1525 Current;48996 2nd Half Only",
    "referee": "6 Referee;7 1st Assistant;8 2nd Assistant;9 4th Official",
    "event": "10 VAR;14 Goal;15 Own Goal;16 Penalty;17 Missed Penalty;18 Substitution;19 Yellowcard;20 Redcard;"
    "21 Yellow/Red card;22 Penalty Shootout Miss;23 Penalty Shootout Goal",
    "sub_event": "1520 Header;1521 Left Foot Shot;1522 Right Foot Shot",
    "timeline": "126 Corner;569 Shot On Target;570 Shot Off Target;1514 Offside",
    "lineup": "11 Lineup;12 Bench;13 Sidelined",
    "position": "24 Goalkeeper;25 Defender;26 Midfielder;27 Attacker;28 Unknown;148 Centre Back;149 Defensive Midfield;"
    "150 Attacking Midfield;151 Centre Forward;152 Left Wing;"
    "153 Central Midfield;154 Right Back;155 Left Back;156 Right Wing",
    "stage_type": "223 Group Stage;224 Knock Out;225 Play-Offs",
    "standing": "129 Overall Matches Played;130 Overall Won;131 Overall Draw;132 Overall Lost;133 Overall Goals Scored;"
    "134 Overall Goals Conceded;179 Goal Difference;187 Overall Points",
    "transfer": "218 Loan;219 Transfer;220 Free Transfer",
    "topscorer": "208 Goal Topscorer;209 Assist Topscorer",
    "injury": "535 Knee Injury;536 Hamstring Injury;537 Suspension",
    "statistic": "34 Corners;40 Captain;41 Shots Off Target;42 Shots Total;43 Attacks;44 Dangerous Attacks;"
    "45 Ball Possession %;46 Ball Safe;47 Penalties Awarded;49 Shots Insidebox;50 Shots Outsidebox;51 Offsides;"
    "52 Goals;"
    "53 Goal Kicks;54 Goal Attempts;55 Free Kicks;56 Fouls;57 Saves;58 Shots Blocked;59 Substitutions;60 Throwins;"
    "62 Long Passes;64 Hit Woodwork;65 Successful Headers;70 Headers;78 Tackles;79 Assists;80 Passes;"
    "81 Successful Passes;"
    "82 Successful Passes Percentage;83 Redcards;84 Yellowcards;85 Yellowred Cards;86 Shots On Target;87 Injuries;"
    "88 Goals Conceded;94 Dispossessed;96 Fouls Drawn;97 Blocked Shots;98 Total Crosses;99 Accurate Crosses;"
    "100 Interceptions;101 Clearances;105 Total Duels;106 Duels Won;107 Aerials Won;108 Dribble Attempts;"
    "109 Successful Dribbles;110 Dribbled Past;116 Accurate Passes;117 Key Passes;118 Rating;119 Minutes Played;"
    "120 Touches;122 Long Balls;123 Long Balls Won;324 Own Goals;580 Big Chances Created;1491 Duels Lost;"
    "1535 Goalkeeper Goals Conceded;1584 Accurate Passes Percentage;1605 Successful Dribbles Percentage;"
    "27264 Successful Long Passes;27265 Successful Long Passes Percentage;27269 Passes In Final Third;"
    "27266 Ground Duels;27267 Ground Duels Won;27268 Ground Duels Percentage;"
    "27270 Long Balls Won Percentage;27271 Ball Recovery;"
    "581 Big Chances Missed;9706 Offsides Provoked;"
    "27272 Backward Passes;27273 Possession Lost;27274 Aerials;117172 Time On Pitch",
}


def _states() -> dict[int, dict[str, Any]]:
    rows = {}
    for text in _STATES.split(";"):
        head, name, short = text.split("|")
        number, code = head.split()
        i = int(number)
        rows[i] = {
            "id": i,
            "state": code,
            "name": name,
            "short_name": short,
            "developer_name": code,
            "is_live": i in _LIVE,
            "is_pending": i in (16, 19),
            "is_period_end": i in _PERIOD_END,
            "is_final_state": i in _ENDED,
            "is_cancelled": i in _CANCELLED,
            "is_final_standing_state": i in (5, 7, 8),
            "is_completed": i in _COMPLETED,
            "type_id": _STATE_TYPES.get(i),
            "is_deleted": i == 20,
            "is_notstarted": i == 1,
            "sections_active": i in _LIVE | _PERIOD_END | {14, 16, 17},
            "schedule_overrule": i in (10, 11, 15),
        }
    return rows


def _types() -> dict[int, dict[str, Any]]:
    rows = {}
    for model, text in _TYPES.items():
        for item in text.split(";"):
            number, name = item.split(" ", 1)
            words = name.lower().replace("%", "").replace("/", " ").replace(" - ", " ").split()
            rows[int(number)] = {
                "id": int(number),
                "name": name,
                "code": "-".join(words),
                "developer_name": "_".join(words).upper(),
                "model_type": model,
                "stat_group": "overall" if model == "statistic" else None,
            }
    rows[5]["developer_name"] = "PENALTY_SHOOTOUT"
    return rows


STATES = _states()
TYPES = _types()


def country_row(country_id: int) -> dict[str, Any] | None:
    for identity, name, iso2, iso3 in COUNTRIES:
        if identity == country_id:
            return {
                "id": identity,
                "continent_id": 1,
                "name": name,
                "official_name": name,
                "fifa_name": iso3,
                "iso2": iso2,
                "iso3": iso3,
                "latitude": "50.0",
                "longitude": "10.0",
                "borders": [],
                "image_path": f"https://cdn.sportmonks.com/images/countries/png/short/{iso2.lower()}.png",
            }
    return None
