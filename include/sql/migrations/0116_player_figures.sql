-- A player's figures of a match in columns: what football.player_match shows of football.fixture_player_statistics. A season of
-- 380 matches has 280,000 statistics and 11,000 of these rows. Whatever writes the statistics writes these as well.

CREATE TABLE IF NOT EXISTS football.fixture_player_figures (
    fixture_id bigint NOT NULL,
    lineup_id  bigint NOT NULL,
    minutes numeric,
    rating numeric,
    captain numeric,
    goals numeric,
    assists numeric,
    own_goals numeric,
    yellow_cards numeric,
    second_yellow_cards numeric,
    red_cards numeric,
    shots numeric,
    shots_on_target numeric,
    expected_goals numeric,
    expected_goals_on_target numeric,
    passes numeric,
    accurate_passes numeric,
    key_passes numeric,
    crosses numeric,
    dribbles numeric,
    successful_dribbles numeric,
    touches numeric,
    duels_won numeric,
    tackles numeric,
    interceptions numeric,
    clearances numeric,
    fouls numeric,
    fouls_drawn numeric,
    offsides numeric,
    saves numeric,
    goals_conceded numeric,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (fixture_id, lineup_id));

-- What is stored already. One row for each player of whom there is any statistic.
INSERT INTO football.fixture_player_figures (
    fixture_id, lineup_id,
    minutes, rating, captain, goals, assists, own_goals, yellow_cards, second_yellow_cards, red_cards, shots,
    shots_on_target, expected_goals, expected_goals_on_target, passes, accurate_passes, key_passes, crosses, dribbles,
    successful_dribbles, touches, duels_won, tackles, interceptions, clearances, fouls, fouls_drawn, offsides, saves,
    goals_conceded,
    created_at, updated_at)
SELECT f.id, s.*
FROM football.fixtures f
CROSS JOIN LATERAL (
    SELECT d.lineup_id,
           max(d.value) FILTER (WHERE d.type_id = 119),
           max(d.value) FILTER (WHERE d.type_id = 118),
           max(d.value) FILTER (WHERE d.type_id = 40),
           max(d.value) FILTER (WHERE d.type_id = 52),
           max(d.value) FILTER (WHERE d.type_id = 79),
           max(d.value) FILTER (WHERE d.type_id = 324),
           max(d.value) FILTER (WHERE d.type_id = 84),
           max(d.value) FILTER (WHERE d.type_id = 85),
           max(d.value) FILTER (WHERE d.type_id = 83),
           max(d.value) FILTER (WHERE d.type_id = 42),
           max(d.value) FILTER (WHERE d.type_id = 86),
           max(d.value) FILTER (WHERE d.type_id = 5304),
           max(d.value) FILTER (WHERE d.type_id = 5305),
           max(d.value) FILTER (WHERE d.type_id = 80),
           max(d.value) FILTER (WHERE d.type_id = 116),
           max(d.value) FILTER (WHERE d.type_id = 117),
           max(d.value) FILTER (WHERE d.type_id = 98),
           max(d.value) FILTER (WHERE d.type_id = 108),
           max(d.value) FILTER (WHERE d.type_id = 109),
           max(d.value) FILTER (WHERE d.type_id = 120),
           max(d.value) FILTER (WHERE d.type_id = 106),
           max(d.value) FILTER (WHERE d.type_id = 78),
           max(d.value) FILTER (WHERE d.type_id = 100),
           max(d.value) FILTER (WHERE d.type_id = 101),
           max(d.value) FILTER (WHERE d.type_id = 56),
           max(d.value) FILTER (WHERE d.type_id = 96),
           max(d.value) FILTER (WHERE d.type_id = 51),
           max(d.value) FILTER (WHERE d.type_id = 57),
           max(d.value) FILTER (WHERE d.type_id = 88),
           min(d.created_at), max(d.updated_at)
    FROM football.fixture_player_statistics d
    WHERE d.fixture_id = f.id AND d.lineup_id IS NOT NULL
    GROUP BY d.lineup_id) s
ON CONFLICT DO NOTHING;
