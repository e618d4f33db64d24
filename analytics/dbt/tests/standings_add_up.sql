-- In every table goals for and against are the same number, and wins are as many as losses.
select season_id, stage_id, group_id
from {{ ref('stg_standings') }}
group by season_id, stage_id, group_id
having sum(goals_for) <> sum(goals_against) or sum(won) <> sum(lost) or sum(drawn) % 2 <> 0
