-- Figures of players in columns, made of the statistics, after these: of payloads whose rows the client has not read (only of
-- them the number of lineups is known here) they are computed from what is stored by now.
INSERT INTO incoming_player_figures (
    fixture_id, lineup_id,
    minutes, rating, captain, goals, assists, own_goals, yellow_cards, second_yellow_cards, red_cards, shots,
    shots_on_target, expected_goals, expected_goals_on_target, passes, accurate_passes, key_passes, crosses, dribbles,
    successful_dribbles, touches, duels_won, tackles, interceptions, clearances, fouls, fouls_drawn, offsides, saves,
    goals_conceded,
    created_at, updated_at)
SELECT g.* FROM (SELECT collected_at, array_agg(fixture_id) AS ids FROM incoming WHERE lineups IS NOT NULL GROUP BY 1) i
CROSS JOIN LATERAL etl.player_figures(i.ids, i.collected_at) g;
DELETE FROM football.fixture_player_figures t USING incoming i
WHERE t.fixture_id = i.fixture_id AND 'lineups.details' = ANY (i.sections)
  AND NOT EXISTS (SELECT 1 FROM incoming_player_figures s WHERE s.fixture_id = t.fixture_id AND s.lineup_id = t.lineup_id);
INSERT INTO football.fixture_player_figures AS t (
    fixture_id, lineup_id,
    minutes, rating, captain, goals, assists, own_goals, yellow_cards, second_yellow_cards, red_cards, shots,
    shots_on_target, expected_goals, expected_goals_on_target, passes, accurate_passes, key_passes, crosses, dribbles,
    successful_dribbles, touches, duels_won, tackles, interceptions, clearances, fouls, fouls_drawn, offsides, saves,
    goals_conceded,
    created_at, updated_at)
SELECT fixture_id, lineup_id,
    minutes, rating, captain, goals, assists, own_goals, yellow_cards, second_yellow_cards, red_cards, shots,
    shots_on_target, expected_goals, expected_goals_on_target, passes, accurate_passes, key_passes, crosses, dribbles,
    successful_dribbles, touches, duels_won, tackles, interceptions, clearances, fouls, fouls_drawn, offsides, saves,
    goals_conceded,
    created_at, updated_at
FROM incoming_player_figures
ON CONFLICT (fixture_id, lineup_id) DO UPDATE
    SET minutes = excluded.minutes, rating = excluded.rating, captain = excluded.captain, goals = excluded.goals,
        assists = excluded.assists, own_goals = excluded.own_goals, yellow_cards = excluded.yellow_cards,
        second_yellow_cards = excluded.second_yellow_cards, red_cards = excluded.red_cards, shots = excluded.shots,
        shots_on_target = excluded.shots_on_target, expected_goals = excluded.expected_goals,
        expected_goals_on_target = excluded.expected_goals_on_target, passes = excluded.passes,
        accurate_passes = excluded.accurate_passes, key_passes = excluded.key_passes, crosses = excluded.crosses,
        dribbles = excluded.dribbles, successful_dribbles = excluded.successful_dribbles, touches = excluded.touches,
        duels_won = excluded.duels_won, tackles = excluded.tackles, interceptions = excluded.interceptions,
        clearances = excluded.clearances, fouls = excluded.fouls, fouls_drawn = excluded.fouls_drawn,
        offsides = excluded.offsides, saves = excluded.saves, goals_conceded = excluded.goals_conceded,
        updated_at = excluded.updated_at
    WHERE (t.minutes, t.rating, t.captain, t.goals, t.assists, t.own_goals, t.yellow_cards, t.second_yellow_cards,
           t.red_cards, t.shots, t.shots_on_target, t.expected_goals, t.expected_goals_on_target, t.passes,
           t.accurate_passes, t.key_passes, t.crosses, t.dribbles, t.successful_dribbles, t.touches, t.duels_won,
           t.tackles, t.interceptions, t.clearances, t.fouls, t.fouls_drawn, t.offsides, t.saves, t.goals_conceded)
          IS DISTINCT FROM
          (excluded.minutes, excluded.rating, excluded.captain, excluded.goals, excluded.assists, excluded.own_goals,
           excluded.yellow_cards, excluded.second_yellow_cards, excluded.red_cards, excluded.shots,
           excluded.shots_on_target, excluded.expected_goals, excluded.expected_goals_on_target, excluded.passes,
           excluded.accurate_passes, excluded.key_passes, excluded.crosses, excluded.dribbles,
           excluded.successful_dribbles, excluded.touches, excluded.duels_won, excluded.tackles, excluded.interceptions,
           excluded.clearances, excluded.fouls, excluded.fouls_drawn, excluded.offsides, excluded.saves,
           excluded.goals_conceded);
