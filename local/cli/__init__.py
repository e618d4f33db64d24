"""The command line `./etl`.

`main` parses the arguments, `commands` holds one module per command, `context` what each of them is given. `leagues`
finds leagues and their manifest, `runs` triggers DAG runs, `follow` shows their progress, `failures` their errors.
`history` asks how much to collect, `completeness` compares the warehouse with the sandbox, `access` says how to sign
in. `sections` are those of the dashboard, `terminal_dashboard` shows them, `log_rows` and `tail` read log lines,
`relations` and `parquet` serve the export. `arguments` checks values, `questions` asks people, `output` prints tables
or JSON, and `console` prints lines.
"""
