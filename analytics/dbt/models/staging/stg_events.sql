select
    fixture_id, season_id, event_id, sort_order, period, minute, extra_minute, event, detail,
    team_id, team, location, player_id, player_name, related_player_id, related_player_name, result
from {{ source('football', 'events_named') }}
where not coalesce(rescinded, false)
