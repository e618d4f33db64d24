select id as team_id, name as team, short_code, country_id, venue_id, founded
from {{ source('football', 'teams') }}
where not coalesce(placeholder, false)
