select fixture_id, season_id, team_id, team, location, opponent_id, opponent, statistic, value
from {{ source('football', 'team_match_statistics') }}
where value is not null
