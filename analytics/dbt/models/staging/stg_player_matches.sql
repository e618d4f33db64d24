-- Players who were on the pitch.
select *
from {{ source('football', 'player_match') }}
where played
