-- Players who were on the pitch. A table: a season has some 200,000 figures, which the view puts into columns each time.
{{ config(materialized='table') }}
select *
from {{ source('football', 'player_match') }}
where played
