"""The command line `./etl`.

`main` parses the arguments, `commands` holds one module per command, `context` what each of them is given. `leagues`
finds leagues and their manifest, `runs` triggers DAG runs, `follow` shows their progress, `failures` their errors,
`completeness` compares the warehouse with the sandbox, `terminal_dashboard` shows the dashboard, `access` how to sign
in, and `console` prints.
"""
