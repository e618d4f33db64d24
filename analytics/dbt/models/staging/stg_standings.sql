select *
from {{ source('football', 'standings') }}
