"""Reference data: leagues, seasons, states, types, and the stages, rounds, teams and venues of each season."""
