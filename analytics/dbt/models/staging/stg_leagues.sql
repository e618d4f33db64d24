select id as league_id, name as league, country_id, type, sub_type, active
from {{ source('football', 'leagues') }}
