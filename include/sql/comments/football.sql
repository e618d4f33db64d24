-- Comments of the schema football: what every table, column, view and function is, in plain words, with units.

-- Only the schema's owner may comment on it; it may have been made by another account.
DO $$
BEGIN
    IF pg_has_role((SELECT nspowner FROM pg_namespace WHERE nspname = 'football'), 'USAGE') THEN
        COMMENT ON SCHEMA football IS
            'Football data in typed tables, and views on them. Ids are the provider''s; times are UTC inside timestamptz.';
    END IF;
END $$;

COMMENT ON VIEW football.events_named IS
    'Events of matches with names. In order of play: period_from, minute, extra_minute NULLS FIRST, sort_order.';
COMMENT ON COLUMN football.events_named.fixture_id IS 'Fixture; see football.fixtures.';
COMMENT ON COLUMN football.events_named.starting_at IS 'Kick-off.';
COMMENT ON COLUMN football.events_named.league_id IS 'League; see football.leagues.';
COMMENT ON COLUMN football.events_named.season_id IS 'Season; see football.seasons.';
COMMENT ON COLUMN football.events_named.round_id IS 'Round; see football.rounds.';
COMMENT ON COLUMN football.events_named.event_id IS 'Id of the event.';
COMMENT ON COLUMN football.events_named.sort_order IS 'Order among the events of the same kind in the match.';
COMMENT ON COLUMN football.events_named.period IS 'Name of the period.';
COMMENT ON COLUMN football.events_named.period_from IS
    'Minute of the match at which the period begins: 0, 45, 90 (extra time), 120 (penalty shoot-out).';
COMMENT ON COLUMN football.events_named.minute IS 'Minute of the match; of a penalty shoot-out the number of the kick.';
COMMENT ON COLUMN football.events_named.extra_minute IS 'Minute of added time, on top of minute.';
COMMENT ON COLUMN football.events_named.type_id IS 'Kind of event; see football.types.';
COMMENT ON COLUMN football.events_named.event IS
    'Kind of event for programs, such as GOAL; its id where the kind is unknown.';
COMMENT ON COLUMN football.events_named.event_name IS 'Kind of event for people.';
COMMENT ON COLUMN football.events_named.detail IS 'Further detail of the kind, such as Header.';
COMMENT ON COLUMN football.events_named.team_id IS 'Team; see football.teams.';
COMMENT ON COLUMN football.events_named.team IS 'Name of the team. Of an own goal, the team that the goal counts for.';
COMMENT ON COLUMN football.events_named.location IS 'home or away.';
COMMENT ON COLUMN football.events_named.player_id IS 'Player, the provider''s id.';
COMMENT ON COLUMN football.events_named.player_name IS 'Name of the player; in a substitution of the one who comes on.';
COMMENT ON COLUMN football.events_named.related_player_id IS
    'Second player, the provider''s id: who gave the assist, or in a substitution goes off.';
COMMENT ON COLUMN football.events_named.related_player_name IS 'Name of the second player.';
COMMENT ON COLUMN football.events_named.coach_id IS 'Coach, the provider''s id, when the event is about one.';
COMMENT ON COLUMN football.events_named.result IS 'Score after the event, home-away, when it changed the score.';
COMMENT ON COLUMN football.events_named.info IS 'Further detail in words, such as the reason of a card.';
COMMENT ON COLUMN football.events_named.addition IS 'Further detail in words, such as 1st Goal.';
COMMENT ON COLUMN football.events_named.rescinded IS 'A card that was taken back later.';

COMMENT ON TABLE football.fixture_events IS
    'Events of matches: goals, cards, substitutions and so on. football.events_named has the names.';
COMMENT ON COLUMN football.fixture_events.fixture_id IS 'Fixture; see football.fixtures.';
COMMENT ON COLUMN football.fixture_events.id IS 'Id of the event; negative when the provider sends none.';
COMMENT ON COLUMN football.fixture_events.period_id IS 'Period in which it happened; see football.fixture_periods.';
COMMENT ON COLUMN football.fixture_events.participant_id IS
    'Team; see football.teams. Of an own goal, the team that the goal counts for.';
COMMENT ON COLUMN football.fixture_events.type_id IS
    'Kind of event: 14 goal, 15 own goal, 16 penalty goal, 18 substitution, 19 yellow, 20 red, 21 second yellow; see football.types.';
COMMENT ON COLUMN football.fixture_events.sub_type_id IS
    'Further detail of the kind, such as header; see football.types.';
COMMENT ON COLUMN football.fixture_events.player_id IS 'Player; in a substitution the one who comes on.';
COMMENT ON COLUMN football.fixture_events.related_player_id IS
    'Second player: who gave the assist, or in a substitution goes off.';
COMMENT ON COLUMN football.fixture_events.coach_id IS 'Coach, when the event is about one; player_id is NULL then.';
COMMENT ON COLUMN football.fixture_events.player_name IS 'Name of the player.';
COMMENT ON COLUMN football.fixture_events.related_player_name IS 'Name of the second player.';
COMMENT ON COLUMN football.fixture_events.result IS 'Score after the event, home-away, when it changed the score.';
COMMENT ON COLUMN football.fixture_events.info IS 'Further detail in words, such as the reason of a card.';
COMMENT ON COLUMN football.fixture_events.addition IS 'Further detail in words, such as 1st Goal.';
COMMENT ON COLUMN football.fixture_events.minute IS
    'Minute of the match; of a penalty shoot-out the number of the kick.';
COMMENT ON COLUMN football.fixture_events.extra_minute IS 'Minute of added time, on top of minute.';
COMMENT ON COLUMN football.fixture_events.injured IS 'A substitution because of an injury.';
COMMENT ON COLUMN football.fixture_events.on_bench IS 'The player was on the bench.';
COMMENT ON COLUMN football.fixture_events.rescinded IS 'A card that was taken back later.';
COMMENT ON COLUMN football.fixture_events.sort_order IS 'Order among the events of the same kind in the match.';
COMMENT ON COLUMN football.fixture_events.section IS 'Section of the provider''s list.';
COMMENT ON COLUMN football.fixture_events.created_at IS 'When the row was created.';
COMMENT ON COLUMN football.fixture_events.updated_at IS 'When the provider''s data in the row changed last.';

COMMENT ON TABLE football.fixture_lineups IS 'Players in the squad of a match: one row per fixture and player.';
COMMENT ON COLUMN football.fixture_lineups.fixture_id IS 'Fixture; see football.fixtures.';
COMMENT ON COLUMN football.fixture_lineups.id IS 'Id of the row; negative when the provider sends none.';
COMMENT ON COLUMN football.fixture_lineups.player_id IS 'Player.';
COMMENT ON COLUMN football.fixture_lineups.team_id IS 'Team; see football.teams.';
COMMENT ON COLUMN football.fixture_lineups.position_id IS
    'Position: 24 goalkeeper, 25 defender, 26 midfielder, 27 attacker; see football.types.';
COMMENT ON COLUMN football.fixture_lineups.type_id IS '11 in the starting eleven, 12 on the bench.';
COMMENT ON COLUMN football.fixture_lineups.formation_field IS
    'Place in the formation as row:column, from the goalkeeper (1:1) on.';
COMMENT ON COLUMN football.fixture_lineups.formation_position IS 'Place in the formation, 1 to 11.';
COMMENT ON COLUMN football.fixture_lineups.player_name IS 'Name of the player.';
COMMENT ON COLUMN football.fixture_lineups.jersey_number IS 'Number on the shirt.';
COMMENT ON COLUMN football.fixture_lineups.created_at IS 'When the row was created.';
COMMENT ON COLUMN football.fixture_lineups.updated_at IS 'When the provider''s data in the row changed last.';

COMMENT ON TABLE football.fixture_participants IS 'The two teams of a fixture.';
COMMENT ON COLUMN football.fixture_participants.fixture_id IS 'Fixture; see football.fixtures.';
COMMENT ON COLUMN football.fixture_participants.team_id IS 'Team; see football.teams.';
COMMENT ON COLUMN football.fixture_participants.location IS 'home or away.';
COMMENT ON COLUMN football.fixture_participants.winner IS
    'Whether the team won; false for both in a draw, NULL before the end.';
COMMENT ON COLUMN football.fixture_participants.position IS
    'Position in the table when the match was played, as the provider sends it.';
COMMENT ON COLUMN football.fixture_participants.name IS 'Name of the team.';
COMMENT ON COLUMN football.fixture_participants.created_at IS 'When the row was created.';
COMMENT ON COLUMN football.fixture_participants.updated_at IS 'When the provider''s data in the row changed last.';

COMMENT ON TABLE football.fixture_periods IS 'Periods of a match: halves, extra time, penalty shoot-out.';
COMMENT ON COLUMN football.fixture_periods.fixture_id IS 'Fixture; see football.fixtures.';
COMMENT ON COLUMN football.fixture_periods.id IS 'Id of the period; negative when the provider sends none.';
COMMENT ON COLUMN football.fixture_periods.type_id IS
    '1 first half, 2 second half, 3 extra time, 5 penalty shoot-out; see football.types.';
COMMENT ON COLUMN football.fixture_periods.description IS 'Name of the period.';
COMMENT ON COLUMN football.fixture_periods.started_at IS 'Start of the period.';
COMMENT ON COLUMN football.fixture_periods.ended_at IS 'End of the period; NULL while it is played.';
COMMENT ON COLUMN football.fixture_periods.counts_from IS 'Minute of the match at which the period begins.';
COMMENT ON COLUMN football.fixture_periods.ticking IS 'The clock of the match is running.';
COMMENT ON COLUMN football.fixture_periods.sort_order IS 'Order of the periods.';
COMMENT ON COLUMN football.fixture_periods.time_added IS 'Added time in minutes.';
COMMENT ON COLUMN football.fixture_periods.minutes IS 'Minutes played so far.';
COMMENT ON COLUMN football.fixture_periods.created_at IS 'When the row was created.';
COMMENT ON COLUMN football.fixture_periods.updated_at IS 'When the provider''s data in the row changed last.';

COMMENT ON TABLE football.fixture_player_figures IS
    'What football.player_match shows of football.fixture_player_statistics, in columns: one row per fixture and player.';
COMMENT ON COLUMN football.fixture_player_figures.fixture_id IS 'Fixture; see football.fixtures.';
COMMENT ON COLUMN football.fixture_player_figures.lineup_id IS 'Row of football.fixture_lineups.';
COMMENT ON COLUMN football.fixture_player_figures.minutes IS 'Minutes played (type 119).';
COMMENT ON COLUMN football.fixture_player_figures.rating IS 'Rating of the player in this match, 0 to 10 (type 118).';
COMMENT ON COLUMN football.fixture_player_figures.captain IS '1 for the captain of the team (type 40).';
COMMENT ON COLUMN football.fixture_player_figures.goals IS 'Goals, penalties included, own goals not (type 52).';
COMMENT ON COLUMN football.fixture_player_figures.assists IS 'Assists (type 79).';
COMMENT ON COLUMN football.fixture_player_figures.own_goals IS 'Own goals (type 324).';
COMMENT ON COLUMN football.fixture_player_figures.yellow_cards IS 'Yellow cards (type 84).';
COMMENT ON COLUMN football.fixture_player_figures.second_yellow_cards IS
    'Second yellow cards, which send the player off (type 85).';
COMMENT ON COLUMN football.fixture_player_figures.red_cards IS 'Red cards without a second yellow one (type 83).';
COMMENT ON COLUMN football.fixture_player_figures.shots IS 'Shots (type 42).';
COMMENT ON COLUMN football.fixture_player_figures.shots_on_target IS 'Shots on target (type 86).';
COMMENT ON COLUMN football.fixture_player_figures.expected_goals IS
    'Expected goals (xG), where the subscription has them among the details of lineups (type 5304).';
COMMENT ON COLUMN football.fixture_player_figures.expected_goals_on_target IS
    'Expected goals on target (xGOT), where the subscription has them among the details of lineups (type 5305).';
COMMENT ON COLUMN football.fixture_player_figures.passes IS 'Passes (type 80).';
COMMENT ON COLUMN football.fixture_player_figures.accurate_passes IS 'Passes that arrived (type 116).';
COMMENT ON COLUMN football.fixture_player_figures.key_passes IS 'Passes that led to a shot (type 117).';
COMMENT ON COLUMN football.fixture_player_figures.crosses IS 'Crosses (type 98).';
COMMENT ON COLUMN football.fixture_player_figures.dribbles IS 'Attempted dribbles (type 108).';
COMMENT ON COLUMN football.fixture_player_figures.successful_dribbles IS 'Successful dribbles (type 109).';
COMMENT ON COLUMN football.fixture_player_figures.touches IS 'Touches of the ball (type 120).';
COMMENT ON COLUMN football.fixture_player_figures.duels_won IS 'Duels won (type 106).';
COMMENT ON COLUMN football.fixture_player_figures.tackles IS 'Tackles (type 78).';
COMMENT ON COLUMN football.fixture_player_figures.interceptions IS 'Interceptions (type 100).';
COMMENT ON COLUMN football.fixture_player_figures.clearances IS 'Clearances (type 101).';
COMMENT ON COLUMN football.fixture_player_figures.fouls IS 'Fouls committed (type 56).';
COMMENT ON COLUMN football.fixture_player_figures.fouls_drawn IS 'Fouls suffered (type 96).';
COMMENT ON COLUMN football.fixture_player_figures.offsides IS 'Offsides (type 51).';
COMMENT ON COLUMN football.fixture_player_figures.saves IS 'Saves of a goalkeeper (type 57).';
COMMENT ON COLUMN football.fixture_player_figures.goals_conceded IS 'Goals conceded while on the pitch (type 88).';
COMMENT ON COLUMN football.fixture_player_figures.created_at IS 'When the row was created.';
COMMENT ON COLUMN football.fixture_player_figures.updated_at IS 'When the provider''s data in the row changed last.';

COMMENT ON TABLE football.fixture_player_statistics IS
    'Statistics of players in matches, one row per fixture, player and kind. football.player_match has them in columns.';
COMMENT ON COLUMN football.fixture_player_statistics.fixture_id IS 'Fixture; see football.fixtures.';
COMMENT ON COLUMN football.fixture_player_statistics.id IS 'Id of the row; negative when the provider sends none.';
COMMENT ON COLUMN football.fixture_player_statistics.lineup_id IS 'Row of football.fixture_lineups.';
COMMENT ON COLUMN football.fixture_player_statistics.player_id IS 'Player.';
COMMENT ON COLUMN football.fixture_player_statistics.team_id IS 'Team; see football.teams.';
COMMENT ON COLUMN football.fixture_player_statistics.type_id IS
    'Kind: 118 rating, 119 minutes played, 52 goals, 79 assists and so on; see football.types.';
COMMENT ON COLUMN football.fixture_player_statistics.value IS
    'Value as a number, true as 1 and false as 0; the unit is that of the kind.';
COMMENT ON COLUMN football.fixture_player_statistics.value_text IS 'Value, when it is not a number.';
COMMENT ON COLUMN football.fixture_player_statistics.created_at IS 'When the row was created.';
COMMENT ON COLUMN football.fixture_player_statistics.updated_at IS 'When the provider''s data in the row changed last.';

COMMENT ON VIEW football.fixture_results IS
    'Fixtures with names and scores; without deleted ones and without those that the provider has created anew.';
COMMENT ON COLUMN football.fixture_results.fixture_id IS 'Fixture; see football.fixtures.';
COMMENT ON COLUMN football.fixture_results.starting_at IS 'Kick-off.';
COMMENT ON COLUMN football.fixture_results.league IS 'Name of the league.';
COMMENT ON COLUMN football.fixture_results.season IS 'Name of the season.';
COMMENT ON COLUMN football.fixture_results.home_team IS 'Name of the home team.';
COMMENT ON COLUMN football.fixture_results.away_team IS 'Name of the away team.';
COMMENT ON COLUMN football.fixture_results.home_goals IS
    'Goals of the home team, extra time included, the penalty shoot-out not.';
COMMENT ON COLUMN football.fixture_results.away_goals IS
    'Goals of the away team, extra time included, the penalty shoot-out not.';
COMMENT ON COLUMN football.fixture_results.state IS
    'State of the match: NS not started, FT full time, AET after extra time, FT_PEN after penalties and so on.';
COMMENT ON COLUMN football.fixture_results.result_info IS 'The result in words.';
COMMENT ON COLUMN football.fixture_results.quality_score IS
    'How complete the stored sections are for the state of the match, 0 to 100 per cent.';
COMMENT ON COLUMN football.fixture_results.league_id IS 'League; see football.leagues.';
COMMENT ON COLUMN football.fixture_results.season_id IS 'Season; see football.seasons.';
COMMENT ON COLUMN football.fixture_results.home_team_id IS 'Home team; see football.teams.';
COMMENT ON COLUMN football.fixture_results.away_team_id IS 'Away team; see football.teams.';
COMMENT ON COLUMN football.fixture_results.half_time_home_goals IS 'Goals of the home team at half-time.';
COMMENT ON COLUMN football.fixture_results.half_time_away_goals IS 'Goals of the away team at half-time.';
COMMENT ON COLUMN football.fixture_results.extra_time_home_goals IS
    'Goals of the home team in extra time alone; NULL without extra time.';
COMMENT ON COLUMN football.fixture_results.extra_time_away_goals IS
    'Goals of the away team in extra time alone; NULL without extra time.';
COMMENT ON COLUMN football.fixture_results.penalties_home IS
    'Goals of the home team in the penalty shoot-out; NULL without one.';
COMMENT ON COLUMN football.fixture_results.penalties_away IS
    'Goals of the away team in the penalty shoot-out; NULL without one.';
COMMENT ON COLUMN football.fixture_results.winner IS
    'home, away or draw; a penalty shoot-out decides, too. NULL without a result.';
COMMENT ON COLUMN football.fixture_results.winner_team_id IS 'Team that won; NULL in a draw and without a result.';
COMMENT ON COLUMN football.fixture_results.stage_id IS 'Stage; see football.stages.';
COMMENT ON COLUMN football.fixture_results.stage IS 'Name of the stage.';
COMMENT ON COLUMN football.fixture_results.round_id IS 'Round; see football.rounds.';
COMMENT ON COLUMN football.fixture_results.round IS 'Name or number of the round.';
COMMENT ON COLUMN football.fixture_results.venue_id IS 'Venue; see football.venues.';
COMMENT ON COLUMN football.fixture_results.venue IS 'Name of the venue.';
COMMENT ON COLUMN football.fixture_results.state_id IS 'State of the match; see football.states.';

COMMENT ON VIEW football.fixture_schedule IS 'When each fixture is read next: the one answer to what is due.';
COMMENT ON COLUMN football.fixture_schedule.fixture_id IS 'Fixture; see football.fixtures.';
COMMENT ON COLUMN football.fixture_schedule.league_id IS 'League; see football.leagues.';
COMMENT ON COLUMN football.fixture_schedule.season_id IS 'Season; see football.seasons.';
COMMENT ON COLUMN football.fixture_schedule.next_due_at IS 'When it is read next; NULL when no reading is planned.';
COMMENT ON COLUMN football.fixture_schedule.due_reason IS 'Why it is read next.';
COMMENT ON COLUMN football.fixture_schedule.due_since IS 'Since when it is due, or when it will be.';

COMMENT ON TABLE football.fixture_scores IS 'Scores of a match by period and team.';
COMMENT ON COLUMN football.fixture_scores.fixture_id IS 'Fixture; see football.fixtures.';
COMMENT ON COLUMN football.fixture_scores.id IS 'Id of the row; negative when the provider sends none.';
COMMENT ON COLUMN football.fixture_scores.type_id IS 'Kind of score; see football.types.';
COMMENT ON COLUMN football.fixture_scores.participant_id IS 'Team; see football.teams.';
COMMENT ON COLUMN football.fixture_scores.goals IS 'Goals of the team.';
COMMENT ON COLUMN football.fixture_scores.participant IS 'home or away.';
COMMENT ON COLUMN football.fixture_scores.description IS
    '1ST_HALF, 2ND_HALF (both halves together), 2ND_HALF_ONLY, ET (extra time only), PENALTY_SHOOTOUT, CURRENT (the result without the shoot-out).';
COMMENT ON COLUMN football.fixture_scores.created_at IS 'When the row was created.';
COMMENT ON COLUMN football.fixture_scores.updated_at IS 'When the provider''s data in the row changed last.';

COMMENT ON TABLE football.fixture_statistics IS
    'Statistics of teams in matches, one row per fixture, team and kind. football.team_match_statistics has the names. A value of zero has no row.';
COMMENT ON COLUMN football.fixture_statistics.fixture_id IS 'Fixture; see football.fixtures.';
COMMENT ON COLUMN football.fixture_statistics.id IS 'Id of the row; negative when the provider sends none.';
COMMENT ON COLUMN football.fixture_statistics.type_id IS
    'Kind: 42 shots, 45 ball possession and so on; see football.types.';
COMMENT ON COLUMN football.fixture_statistics.participant_id IS 'Team; see football.teams.';
COMMENT ON COLUMN football.fixture_statistics.location IS 'home or away.';
COMMENT ON COLUMN football.fixture_statistics.value IS
    'Value as a number, true as 1 and false as 0; the unit is that of the kind (possession in per cent).';
COMMENT ON COLUMN football.fixture_statistics.value_text IS 'Value, when it is not a number.';
COMMENT ON COLUMN football.fixture_statistics.created_at IS 'When the row was created.';
COMMENT ON COLUMN football.fixture_statistics.updated_at IS 'When the provider''s data in the row changed last.';

COMMENT ON TABLE football.fixtures IS
    'Matches. The provider''s data first, then what the collector knows about reading them.';
COMMENT ON COLUMN football.fixtures.id IS 'Id of the fixture.';
COMMENT ON COLUMN football.fixtures.league_id IS 'League; see football.leagues.';
COMMENT ON COLUMN football.fixtures.season_id IS 'Season; see football.seasons.';
COMMENT ON COLUMN football.fixtures.stage_id IS 'Stage; see football.stages.';
COMMENT ON COLUMN football.fixtures.round_id IS 'Round; see football.rounds.';
COMMENT ON COLUMN football.fixtures.group_id IS 'Group within the stage.';
COMMENT ON COLUMN football.fixtures.aggregate_id IS 'Tie of several legs.';
COMMENT ON COLUMN football.fixtures.venue_id IS 'Venue; see football.venues.';
COMMENT ON COLUMN football.fixtures.state_id IS
    'State of the match: 1 not started, 5 full time, 7 after extra time, 8 after penalties, 17 awarded; see football.states.';
COMMENT ON COLUMN football.fixtures.name IS 'Both teams, home first.';
COMMENT ON COLUMN football.fixtures.starting_at IS 'Kick-off.';
COMMENT ON COLUMN football.fixtures.result_info IS 'The result in words.';
COMMENT ON COLUMN football.fixtures.leg IS 'Leg, such as 1/2.';
COMMENT ON COLUMN football.fixtures.details IS 'Further detail in words.';
COMMENT ON COLUMN football.fixtures.length IS 'Length in minutes, 90 even after extra time.';
COMMENT ON COLUMN football.fixtures.placeholder IS 'A match whose teams are not known yet.';
COMMENT ON COLUMN football.fixtures.has_odds IS 'The provider has odds.';
COMMENT ON COLUMN football.fixtures.has_premium_odds IS 'The provider has premium odds.';
COMMENT ON COLUMN football.fixtures.home_team_id IS 'Home team; see football.teams.';
COMMENT ON COLUMN football.fixtures.away_team_id IS 'Away team; see football.teams.';
COMMENT ON COLUMN football.fixtures.home_goals IS
    'Goals of the home team, extra time included, the penalty shoot-out not; NULL while there is no score.';
COMMENT ON COLUMN football.fixtures.away_goals IS
    'Goals of the away team, extra time included, the penalty shoot-out not; NULL while there is no score.';
COMMENT ON COLUMN football.fixtures.quality_score IS
    'How complete the stored sections are for the state of the match, 0 to 100 per cent.';
COMMENT ON COLUMN football.fixtures.collection_status IS
    'PENDING (not read yet), COLLECTED, FAILED (cannot be read), MISSING (requested, not returned) or DELETED.';
COMMENT ON COLUMN football.fixtures.ended_at IS 'End of play by the periods, otherwise estimated from the kick-off.';
COMMENT ON COLUMN football.fixtures.first_fetched_at IS 'First answer that held it.';
COMMENT ON COLUMN football.fixtures.last_fetched_at IS 'Last answer that held it.';
COMMENT ON COLUMN football.fixtures.last_requested_at IS 'Last call that named it.';
COMMENT ON COLUMN football.fixtures.last_changed_at IS 'Last reading that brought something new.';
COMMENT ON COLUMN football.fixtures.unchanged_reads IS 'Readings in a row that brought nothing new.';
COMMENT ON COLUMN football.fixtures.held_reads IS
    'Readings in a row that were held back because they lacked stored rows, or were suspected.';
COMMENT ON COLUMN football.fixtures.held_hash IS 'Hash of what was lost in the readings that were held back.';
COMMENT ON COLUMN football.fixtures.missing_reads IS 'Times in a row that it was requested and not returned.';
COMMENT ON COLUMN football.fixtures.failed_reads IS 'Failed readings in a row.';
COMMENT ON COLUMN football.fixtures.last_error IS 'Why the last reading failed or was held back.';
COMMENT ON COLUMN football.fixtures.index_changed_at IS
    'When the season''s list showed another kick-off or state than stored.';
COMMENT ON COLUMN football.fixtures.index_missing_at IS 'Since when it is no longer in the season''s list.';
COMMENT ON COLUMN football.fixtures.deleted_at IS 'When it was found to be deleted by the provider.';
COMMENT ON COLUMN football.fixtures.next_due_at IS 'When it is read next; NULL when no reading is planned.';
COMMENT ON COLUMN football.fixtures.due_reason IS 'Why it is read next.';
COMMENT ON COLUMN football.fixtures.created_at IS 'When the row was created.';
COMMENT ON COLUMN football.fixtures.updated_at IS 'When the provider''s data in the row changed last.';
COMMENT ON COLUMN football.fixtures.read_includes IS 'Includes that the last reading requested.';
COMMENT ON COLUMN football.fixtures.suspected_sections IS
    'Sections that should have rows by the state of the match and have none.';
COMMENT ON COLUMN football.fixtures.suspected_at IS 'Since when they are suspected.';
COMMENT ON COLUMN football.fixtures.index_listed IS 'Hash of what the season''s list showed when it last made it due.';
COMMENT ON COLUMN football.fixtures.replaced_by IS
    'Fixture of the same teams and day under which the provider has created the match anew.';
COMMENT ON COLUMN football.fixtures.hash_as_sent IS 'Hash of the last answer''s bytes.';
COMMENT ON COLUMN football.fixtures.hash_in_order IS 'Hash of the last answer''s content in an order of its own.';

COMMENT ON TABLE football.leagues IS 'Leagues.';
COMMENT ON COLUMN football.leagues.id IS 'Id of the league.';
COMMENT ON COLUMN football.leagues.country_id IS 'Country, the provider''s id.';
COMMENT ON COLUMN football.leagues.name IS 'Name of the league.';
COMMENT ON COLUMN football.leagues.short_code IS 'Short name.';
COMMENT ON COLUMN football.leagues.type IS 'Kind of competition.';
COMMENT ON COLUMN football.leagues.sub_type IS 'Further detail of the kind, such as domestic_cup.';
COMMENT ON COLUMN football.leagues.category IS 'Importance as the provider ranks it, 1 to 4.';
COMMENT ON COLUMN football.leagues.active IS 'The provider still covers it.';
COMMENT ON COLUMN football.leagues.image_path IS 'Address of a picture.';
COMMENT ON COLUMN football.leagues.last_played_at IS 'Kick-off of the newest match that was played.';
COMMENT ON COLUMN football.leagues.created_at IS 'When the row was created.';
COMMENT ON COLUMN football.leagues.updated_at IS 'When the provider''s data in the row changed last.';

COMMENT ON VIEW football.player_appearances IS 'Players in the squads of matches, with minutes and rating.';
COMMENT ON COLUMN football.player_appearances.fixture_id IS 'Fixture; see football.fixtures.';
COMMENT ON COLUMN football.player_appearances.starting_at IS 'Kick-off.';
COMMENT ON COLUMN football.player_appearances.season_id IS 'Season; see football.seasons.';
COMMENT ON COLUMN football.player_appearances.player_id IS 'Player, the provider''s id.';
COMMENT ON COLUMN football.player_appearances.player_name IS 'Name of the player.';
COMMENT ON COLUMN football.player_appearances.team_id IS 'Team; see football.teams.';
COMMENT ON COLUMN football.player_appearances.team IS 'Name of the team.';
COMMENT ON COLUMN football.player_appearances.started IS 'In the starting eleven.';
COMMENT ON COLUMN football.player_appearances.jersey_number IS 'Number on the shirt.';
COMMENT ON COLUMN football.player_appearances.formation_field IS 'Place in the formation as row:column.';
COMMENT ON COLUMN football.player_appearances.minutes IS 'Minutes played; NULL for those who did not come on.';
COMMENT ON COLUMN football.player_appearances.rating IS 'Rating of the player in this match, 0 to 10.';

COMMENT ON VIEW football.player_match IS
    'Players in matches with their figures in columns: one row per match and player of the squad. NULL: not known.';
COMMENT ON COLUMN football.player_match.fixture_id IS 'Fixture; see football.fixtures.';
COMMENT ON COLUMN football.player_match.starting_at IS 'Kick-off.';
COMMENT ON COLUMN football.player_match.league_id IS 'League; see football.leagues.';
COMMENT ON COLUMN football.player_match.season_id IS 'Season; see football.seasons.';
COMMENT ON COLUMN football.player_match.round_id IS 'Round; see football.rounds.';
COMMENT ON COLUMN football.player_match.player_id IS 'Player, the provider''s id.';
COMMENT ON COLUMN football.player_match.player_name IS 'Name of the player.';
COMMENT ON COLUMN football.player_match.team_id IS 'Team; see football.teams.';
COMMENT ON COLUMN football.player_match.team IS 'Name of the team.';
COMMENT ON COLUMN football.player_match.location IS 'home or away.';
COMMENT ON COLUMN football.player_match.opponent_id IS 'The other team; see football.teams.';
COMMENT ON COLUMN football.player_match.opponent IS 'Name of the other team.';
COMMENT ON COLUMN football.player_match.position IS 'Goalkeeper, Defender, Midfielder or Attacker.';
COMMENT ON COLUMN football.player_match.jersey_number IS 'Number on the shirt.';
COMMENT ON COLUMN football.player_match.formation_field IS
    'Place in the formation as row:column, from the goalkeeper (1:1) on.';
COMMENT ON COLUMN football.player_match.started IS 'In the starting eleven.';
COMMENT ON COLUMN football.player_match.played IS 'In the starting eleven, or came on.';
COMMENT ON COLUMN football.player_match.captain IS 'Captain of the team.';
COMMENT ON COLUMN football.player_match.minutes IS 'Minutes played.';
COMMENT ON COLUMN football.player_match.rating IS 'Rating of the player in this match, 0 to 10.';
COMMENT ON COLUMN football.player_match.goals IS 'Goals, penalties included, own goals not.';
COMMENT ON COLUMN football.player_match.assists IS 'Assists.';
COMMENT ON COLUMN football.player_match.own_goals IS 'Own goals.';
COMMENT ON COLUMN football.player_match.penalties_scored IS
    'Penalties scored during the match; the shoot-out is not counted.';
COMMENT ON COLUMN football.player_match.penalties_missed IS
    'Penalties missed during the match; the shoot-out is not counted.';
COMMENT ON COLUMN football.player_match.yellow_cards IS 'Yellow cards.';
COMMENT ON COLUMN football.player_match.second_yellow_cards IS 'Second yellow cards, which send the player off.';
COMMENT ON COLUMN football.player_match.red_cards IS 'Red cards without a second yellow one.';
COMMENT ON COLUMN football.player_match.shots IS 'Shots.';
COMMENT ON COLUMN football.player_match.shots_on_target IS 'Shots on target.';
COMMENT ON COLUMN football.player_match.expected_goals IS
    'Expected goals (xG), where the subscription has them among the details of lineups.';
COMMENT ON COLUMN football.player_match.expected_goals_on_target IS
    'Expected goals on target (xGOT), where the subscription has them among the details of lineups.';
COMMENT ON COLUMN football.player_match.passes IS 'Passes.';
COMMENT ON COLUMN football.player_match.accurate_passes IS 'Passes that arrived.';
COMMENT ON COLUMN football.player_match.key_passes IS 'Passes that led to a shot.';
COMMENT ON COLUMN football.player_match.crosses IS 'Crosses.';
COMMENT ON COLUMN football.player_match.dribbles IS 'Attempted dribbles.';
COMMENT ON COLUMN football.player_match.successful_dribbles IS 'Successful dribbles.';
COMMENT ON COLUMN football.player_match.touches IS 'Touches of the ball.';
COMMENT ON COLUMN football.player_match.duels_won IS 'Duels won.';
COMMENT ON COLUMN football.player_match.tackles IS 'Tackles.';
COMMENT ON COLUMN football.player_match.interceptions IS 'Interceptions.';
COMMENT ON COLUMN football.player_match.clearances IS 'Clearances.';
COMMENT ON COLUMN football.player_match.fouls IS 'Fouls committed.';
COMMENT ON COLUMN football.player_match.fouls_drawn IS 'Fouls suffered.';
COMMENT ON COLUMN football.player_match.offsides IS 'Offsides.';
COMMENT ON COLUMN football.player_match.saves IS 'Saves of a goalkeeper.';
COMMENT ON COLUMN football.player_match.goals_conceded IS 'Goals conceded while on the pitch.';

COMMENT ON VIEW football.player_season IS
    'Players in seasons: sums over football.player_match, one row per season, player and team.';
COMMENT ON COLUMN football.player_season.season_id IS 'Season; see football.seasons.';
COMMENT ON COLUMN football.player_season.league_id IS 'League; see football.leagues.';
COMMENT ON COLUMN football.player_season.player_id IS 'Player, the provider''s id.';
COMMENT ON COLUMN football.player_season.player_name IS 'Name of the player.';
COMMENT ON COLUMN football.player_season.team_id IS 'Team; see football.teams.';
COMMENT ON COLUMN football.player_season.team IS 'Name of the team.';
COMMENT ON COLUMN football.player_season.appearances IS
    'Matches in which the player was in the starting eleven or came on.';
COMMENT ON COLUMN football.player_season.starts IS 'Matches in the starting eleven.';
COMMENT ON COLUMN football.player_season.minutes IS 'Minutes played.';
COMMENT ON COLUMN football.player_season.goals IS 'Goals, penalties included, own goals not.';
COMMENT ON COLUMN football.player_season.assists IS 'Assists.';
COMMENT ON COLUMN football.player_season.own_goals IS 'Own goals.';
COMMENT ON COLUMN football.player_season.penalties_scored IS 'Penalties scored; shoot-outs are not counted.';
COMMENT ON COLUMN football.player_season.penalties_missed IS 'Penalties missed; shoot-outs are not counted.';
COMMENT ON COLUMN football.player_season.yellow_cards IS 'Yellow cards.';
COMMENT ON COLUMN football.player_season.second_yellow_cards IS 'Second yellow cards, which send the player off.';
COMMENT ON COLUMN football.player_season.red_cards IS 'Red cards without a second yellow one.';
COMMENT ON COLUMN football.player_season.rating IS 'Average rating of the matches that have one, 0 to 10.';
COMMENT ON COLUMN football.player_season.shots IS 'Shots.';
COMMENT ON COLUMN football.player_season.shots_on_target IS 'Shots on target.';
COMMENT ON COLUMN football.player_season.expected_goals IS 'Expected goals (xG), where the subscription has them.';
COMMENT ON COLUMN football.player_season.passes IS 'Passes.';
COMMENT ON COLUMN football.player_season.accurate_passes IS 'Passes that arrived.';
COMMENT ON COLUMN football.player_season.key_passes IS 'Passes that led to a shot.';
COMMENT ON COLUMN football.player_season.tackles IS 'Tackles.';
COMMENT ON COLUMN football.player_season.interceptions IS 'Interceptions.';
COMMENT ON COLUMN football.player_season.saves IS 'Saves of a goalkeeper.';
COMMENT ON COLUMN football.player_season.goals_per_90 IS 'Goals per 90 minutes.';
COMMENT ON COLUMN football.player_season.assists_per_90 IS 'Assists per 90 minutes.';

COMMENT ON TABLE football.rounds IS 'Rounds (matchdays) of seasons.';
COMMENT ON COLUMN football.rounds.id IS 'Id of the round.';
COMMENT ON COLUMN football.rounds.league_id IS 'League; see football.leagues.';
COMMENT ON COLUMN football.rounds.season_id IS 'Season; see football.seasons.';
COMMENT ON COLUMN football.rounds.stage_id IS 'Stage; see football.stages.';
COMMENT ON COLUMN football.rounds.name IS 'Number or name of the round.';
COMMENT ON COLUMN football.rounds.finished IS 'All matches are over.';
COMMENT ON COLUMN football.rounds.is_current IS 'The round that is played now.';
COMMENT ON COLUMN football.rounds.starting_at IS 'First day.';
COMMENT ON COLUMN football.rounds.ending_at IS 'Last day.';
COMMENT ON COLUMN football.rounds.created_at IS 'When the row was created.';
COMMENT ON COLUMN football.rounds.updated_at IS 'When the provider''s data in the row changed last.';

COMMENT ON VIEW football.season_coverage IS 'How much of each season is stored.';
COMMENT ON COLUMN football.season_coverage.league_id IS 'League; see football.leagues.';
COMMENT ON COLUMN football.season_coverage.season_id IS 'Season; see football.seasons.';
COMMENT ON COLUMN football.season_coverage.league IS 'Name of the league.';
COMMENT ON COLUMN football.season_coverage.season IS 'Name of the season.';
COMMENT ON COLUMN football.season_coverage.fixtures IS 'Fixtures, without deleted and replaced ones.';
COMMENT ON COLUMN football.season_coverage.collected IS 'Fixtures that have been read and stored.';
COMMENT ON COLUMN football.season_coverage.pending IS 'Fixtures that have not been read yet.';
COMMENT ON COLUMN football.season_coverage.failed IS 'Fixtures that could not be read or were not returned.';
COMMENT ON COLUMN football.season_coverage.finished IS 'Fixtures that were played to their end.';
COMMENT ON COLUMN football.season_coverage.mean_quality IS 'Average quality_score, 0 to 100.';
COMMENT ON COLUMN football.season_coverage.last_fetched_at IS 'Newest answer that held a fixture of the season.';
COMMENT ON COLUMN football.season_coverage.next_due_at IS 'When the first of its fixtures is read again.';

COMMENT ON TABLE football.seasons IS 'Seasons of leagues.';
COMMENT ON COLUMN football.seasons.id IS 'Id of the season.';
COMMENT ON COLUMN football.seasons.league_id IS 'League; see football.leagues.';
COMMENT ON COLUMN football.seasons.name IS 'Name, such as 2025/2026.';
COMMENT ON COLUMN football.seasons.is_current IS 'The season that is played now.';
COMMENT ON COLUMN football.seasons.finished IS 'The season is over.';
COMMENT ON COLUMN football.seasons.pending IS 'The season has not begun.';
COMMENT ON COLUMN football.seasons.starting_at IS 'First day.';
COMMENT ON COLUMN football.seasons.ending_at IS 'Last day.';
COMMENT ON COLUMN football.seasons.created_at IS 'When the row was created.';
COMMENT ON COLUMN football.seasons.updated_at IS 'When the provider''s data in the row changed last.';

COMMENT ON TABLE football.stages IS 'Stages of seasons, such as regular season and play-offs.';
COMMENT ON COLUMN football.stages.id IS 'Id of the stage.';
COMMENT ON COLUMN football.stages.league_id IS 'League; see football.leagues.';
COMMENT ON COLUMN football.stages.season_id IS 'Season; see football.seasons.';
COMMENT ON COLUMN football.stages.type_id IS '223 group stage, 224 knock-out, 225 play-offs; see football.types.';
COMMENT ON COLUMN football.stages.name IS 'Name of the stage.';
COMMENT ON COLUMN football.stages.sort_order IS 'Order within the season.';
COMMENT ON COLUMN football.stages.finished IS 'The stage is over.';
COMMENT ON COLUMN football.stages.is_current IS 'The stage that is played now.';
COMMENT ON COLUMN football.stages.starting_at IS 'First day.';
COMMENT ON COLUMN football.stages.ending_at IS 'Last day.';
COMMENT ON COLUMN football.stages.created_at IS 'When the row was created.';
COMMENT ON COLUMN football.stages.updated_at IS 'When the provider''s data in the row changed last.';

COMMENT ON VIEW football.standings IS
    'The table of every season as of today, computed from the results; football.standings_at gives it for any day.';
COMMENT ON COLUMN football.standings.league_id IS 'League; see football.leagues.';
COMMENT ON COLUMN football.standings.season_id IS 'Season; see football.seasons.';
COMMENT ON COLUMN football.standings.stage_id IS 'Stage; see football.stages.';
COMMENT ON COLUMN football.standings.group_id IS 'Group within the stage.';
COMMENT ON COLUMN football.standings.position IS
    'Place in the table of the stage and group, from 1 on. Ties: points, goal difference, goals scored, team id.';
COMMENT ON COLUMN football.standings.team_id IS 'Team; see football.teams.';
COMMENT ON COLUMN football.standings.team IS 'Name of the team.';
COMMENT ON COLUMN football.standings.played IS 'Matches played.';
COMMENT ON COLUMN football.standings.won IS 'Matches won.';
COMMENT ON COLUMN football.standings.drawn IS 'Matches drawn.';
COMMENT ON COLUMN football.standings.lost IS 'Matches lost.';
COMMENT ON COLUMN football.standings.goals_for IS 'Goals scored.';
COMMENT ON COLUMN football.standings.goals_against IS 'Goals conceded.';
COMMENT ON COLUMN football.standings.goal_difference IS 'Goals scored minus goals conceded.';
COMMENT ON COLUMN football.standings.points IS 'Three for a win, one for a draw; deducted points are not known.';
COMMENT ON COLUMN football.standings.home_played IS 'Home matches played.';
COMMENT ON COLUMN football.standings.home_won IS 'Home matches won.';
COMMENT ON COLUMN football.standings.home_drawn IS 'Home matches drawn.';
COMMENT ON COLUMN football.standings.home_lost IS 'Home matches lost.';
COMMENT ON COLUMN football.standings.home_goals_for IS 'Goals scored at home.';
COMMENT ON COLUMN football.standings.home_goals_against IS 'Goals conceded at home.';
COMMENT ON COLUMN football.standings.home_points IS 'Points from home matches.';
COMMENT ON COLUMN football.standings.away_played IS 'Away matches played.';
COMMENT ON COLUMN football.standings.away_won IS 'Away matches won.';
COMMENT ON COLUMN football.standings.away_drawn IS 'Away matches drawn.';
COMMENT ON COLUMN football.standings.away_lost IS 'Away matches lost.';
COMMENT ON COLUMN football.standings.away_goals_for IS 'Goals scored away.';
COMMENT ON COLUMN football.standings.away_goals_against IS 'Goals conceded away.';
COMMENT ON COLUMN football.standings.away_points IS 'Points from away matches.';
COMMENT ON COLUMN football.standings.form IS 'The last five results, oldest first: W won, D drawn, L lost.';

COMMENT ON TABLE football.states IS 'States of matches: what football.fixtures.state_id means.';
COMMENT ON COLUMN football.states.id IS 'Id of the state.';
COMMENT ON COLUMN football.states.state IS 'Name in capitals, such as NS or FT.';
COMMENT ON COLUMN football.states.name IS 'Name for people.';
COMMENT ON COLUMN football.states.short_name IS 'Short name; not unique.';
COMMENT ON COLUMN football.states.developer_name IS 'Name for programs, such as INPLAY_1ST_HALF.';
COMMENT ON COLUMN football.states.created_at IS 'When the row was created.';
COMMENT ON COLUMN football.states.updated_at IS 'When the provider''s data in the row changed last.';

COMMENT ON VIEW football.suspected_fixtures IS
    'Fixtures that may lack data by an accident of the provider and are read again.';
COMMENT ON COLUMN football.suspected_fixtures.fixture_id IS 'Fixture; see football.fixtures.';
COMMENT ON COLUMN football.suspected_fixtures.league_id IS 'League; see football.leagues.';
COMMENT ON COLUMN football.suspected_fixtures.season_id IS 'Season; see football.seasons.';
COMMENT ON COLUMN football.suspected_fixtures.name IS 'Both teams, home first.';
COMMENT ON COLUMN football.suspected_fixtures.starting_at IS 'Kick-off.';
COMMENT ON COLUMN football.suspected_fixtures.state_id IS 'State of the match; see football.states.';
COMMENT ON COLUMN football.suspected_fixtures.suspected_sections IS
    'Sections that should have rows by the state of the match and have none.';
COMMENT ON COLUMN football.suspected_fixtures.suspected_at IS 'Since when they are suspected.';
COMMENT ON COLUMN football.suspected_fixtures.held_reads IS
    'Readings in a row that were held back because they lacked stored rows, or were suspected.';
COMMENT ON COLUMN football.suspected_fixtures.last_error IS 'Why the last reading failed or was held back.';
COMMENT ON COLUMN football.suspected_fixtures.last_fetched_at IS 'Last answer that held it.';
COMMENT ON COLUMN football.suspected_fixtures.next_due_at IS 'When it is read next; NULL when no reading is planned.';
COMMENT ON COLUMN football.suspected_fixtures.confirmed IS 'A later reading lacked the same.';

COMMENT ON VIEW football.team_match_statistics IS
    'Statistics of teams with names: one row per match, team and kind. A value of zero has no row.';
COMMENT ON COLUMN football.team_match_statistics.fixture_id IS 'Fixture; see football.fixtures.';
COMMENT ON COLUMN football.team_match_statistics.starting_at IS 'Kick-off.';
COMMENT ON COLUMN football.team_match_statistics.league_id IS 'League; see football.leagues.';
COMMENT ON COLUMN football.team_match_statistics.season_id IS 'Season; see football.seasons.';
COMMENT ON COLUMN football.team_match_statistics.round_id IS 'Round; see football.rounds.';
COMMENT ON COLUMN football.team_match_statistics.team_id IS 'Team; see football.teams.';
COMMENT ON COLUMN football.team_match_statistics.team IS 'Name of the team.';
COMMENT ON COLUMN football.team_match_statistics.location IS 'home or away.';
COMMENT ON COLUMN football.team_match_statistics.opponent_id IS 'The other team; see football.teams.';
COMMENT ON COLUMN football.team_match_statistics.opponent IS 'Name of the other team.';
COMMENT ON COLUMN football.team_match_statistics.type_id IS 'Kind of statistic; see football.types.';
COMMENT ON COLUMN football.team_match_statistics.statistic IS
    'Kind of statistic for programs, such as SHOTS_TOTAL; its id where the kind is unknown.';
COMMENT ON COLUMN football.team_match_statistics.statistic_name IS 'Kind of statistic for people.';
COMMENT ON COLUMN football.team_match_statistics.value IS
    'Value as a number; the unit is that of the kind (possession in per cent).';
COMMENT ON COLUMN football.team_match_statistics.value_text IS 'Value, when it is not a number.';

COMMENT ON TABLE football.teams IS 'Teams.';
COMMENT ON COLUMN football.teams.id IS 'Id of the team.';
COMMENT ON COLUMN football.teams.country_id IS 'Country, the provider''s id.';
COMMENT ON COLUMN football.teams.venue_id IS 'Venue; see football.venues.';
COMMENT ON COLUMN football.teams.name IS 'Name of the team.';
COMMENT ON COLUMN football.teams.short_code IS 'Short name of three letters.';
COMMENT ON COLUMN football.teams.type IS 'domestic or national.';
COMMENT ON COLUMN football.teams.gender IS 'male or female.';
COMMENT ON COLUMN football.teams.founded IS 'Year of foundation.';
COMMENT ON COLUMN football.teams.placeholder IS 'Stands for a team that is not known yet.';
COMMENT ON COLUMN football.teams.image_path IS 'Address of a picture.';
COMMENT ON COLUMN football.teams.created_at IS 'When the row was created.';
COMMENT ON COLUMN football.teams.updated_at IS 'When the provider''s data in the row changed last.';

COMMENT ON TABLE football.types IS 'What the ids of events, statistics, positions and so on mean.';
COMMENT ON COLUMN football.types.id IS 'Id of the type.';
COMMENT ON COLUMN football.types.name IS 'Name for people.';
COMMENT ON COLUMN football.types.code IS 'Name in lower case with hyphens.';
COMMENT ON COLUMN football.types.developer_name IS 'Name in capitals with underscores.';
COMMENT ON COLUMN football.types.model_type IS 'What it is a type of: event, statistic, position and so on.';
COMMENT ON COLUMN football.types.stat_group IS 'Group of the statistic.';
COMMENT ON COLUMN football.types.created_at IS 'When the row was created.';
COMMENT ON COLUMN football.types.updated_at IS 'When the provider''s data in the row changed last.';

COMMENT ON TABLE football.venues IS 'Stadiums.';
COMMENT ON COLUMN football.venues.id IS 'Id of the venue.';
COMMENT ON COLUMN football.venues.country_id IS 'Country, the provider''s id.';
COMMENT ON COLUMN football.venues.city_id IS 'City, the provider''s id.';
COMMENT ON COLUMN football.venues.name IS 'Name of the venue.';
COMMENT ON COLUMN football.venues.city_name IS 'Name of the city.';
COMMENT ON COLUMN football.venues.address IS 'Street and number.';
COMMENT ON COLUMN football.venues.capacity IS 'Number of spectators.';
COMMENT ON COLUMN football.venues.surface IS 'Surface of the pitch.';
COMMENT ON COLUMN football.venues.latitude IS 'Degrees north.';
COMMENT ON COLUMN football.venues.longitude IS 'Degrees east.';
COMMENT ON COLUMN football.venues.image_path IS 'Address of a picture.';
COMMENT ON COLUMN football.venues.created_at IS 'When the row was created.';
COMMENT ON COLUMN football.venues.updated_at IS 'When the provider''s data in the row changed last.';

-- Functions by their names. An older version may have left another one of the same name, with other parameters.
DO $$
DECLARE
    v_about record;
    v_function regprocedure;
BEGIN
    FOR v_about IN SELECT * FROM (VALUES
        ('rows_per_match',
         'Rows per match and section in the newest p_matches played matches of a season, beside those of the league''s p_seasons '
         'seasons before it up to the same day of the season; only matches that were requested with the section count.'),
        ('season_complete',
         'One row: whether everything of a season that can be read is stored, and if not, why not (reason). remarks: what '
         'another reading would not change, such as postponed matches. p_now: the time at which fixtures count as due.'),
        ('standings_at',
         'The table of a season at the end of the day p_date (UTC), computed from the results as they are known now.'),
        ('standings_compared',
         'The table of a season today beside the provider''s own list, with what differs, such as deducted points.')
    ) AS about(name, text) LOOP
        FOR v_function IN
            SELECT p.oid FROM pg_proc p
            WHERE p.pronamespace = 'football'::regnamespace AND p.proname = v_about.name AND pg_has_role(p.proowner, 'USAGE')
        LOOP
            EXECUTE format('COMMENT ON FUNCTION %s IS %L', v_function, v_about.text);
        END LOOP;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'There is no function football.%.', v_about.name;
        END IF;
    END LOOP;
END $$;
