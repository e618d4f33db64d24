"""The command line `./etl`: its commands, what they print, and the dashboard in a terminal."""
