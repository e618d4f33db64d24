select
    s.id as season_id,
    s.league_id,
    s.name as season,
    s.is_current,
    s.starting_at as first_day,
    s.ending_at as last_day,
    k.indexed_at is not null as is_followed
from {{ source('football', 'seasons') }} as s
left join {{ source('etl', 'chunks') }} as k on k.league_id = s.league_id and k.season_id = s.id and k.deactivated_at is null
