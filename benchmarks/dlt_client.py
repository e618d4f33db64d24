"""The same season collected by dlt, in an environment that holds only dlt.

Standard input: a JSON object with `url`, `key`, `season_id`, `includes` and `database_url`. Standard output: the
measurements as JSON (`fixtures`, `details`, `seconds`, `cpu`, `mib`, `version`).
"""

from __future__ import annotations

import json
import os
import resource
import sys
import tempfile
import time
from typing import Any

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["RUNTIME__LOG_LEVEL"] = "CRITICAL"


def main(inputs: dict[str, Any]) -> dict[str, Any]:
    import dlt
    from dlt.sources.rest_api import rest_api_source

    source = rest_api_source(
        {
            "client": {
                "base_url": f"{inputs['url']}/football/",
                "headers": {"Authorization": inputs["key"], "User-Agent": "sportmonks-etl-bench"},
                "paginator": {
                    "type": "page_number",
                    "base_page": 1,
                    "page_param": "page",
                    "total_path": None,
                    "has_more_path": "pagination.has_more",
                },
            },
            "resources": [
                {
                    "name": "fixtures",
                    "primary_key": "id",
                    "write_disposition": "merge",
                    "endpoint": {
                        "path": "fixtures",
                        "params": {
                            "filters": f"fixtureSeasons:{inputs['season_id']}",
                            "include": inputs["includes"],
                            "per_page": 50,
                        },
                        "data_selector": "data",
                    },
                }
            ],
        }
    )
    with tempfile.TemporaryDirectory(prefix="bench-dlt-") as folder:
        pipeline = dlt.pipeline(
            pipeline_name="bench",
            pipelines_dir=folder,
            destination=dlt.destinations.postgres(credentials=inputs["database_url"]),
            dataset_name="bench",
        )
        begun, before = time.perf_counter(), _cpu()
        pipeline.run(source)
        seconds, cpu = time.perf_counter() - begun, _cpu() - before
        with pipeline.sql_client() as sql:
            fixtures, details = (
                sql.execute_sql(f"SELECT count(*) FROM {name}")[0][0]
                for name in ("fixtures", "fixtures__lineups__details")
            )
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return {
        "fixtures": fixtures,
        "details": details,
        "seconds": seconds,
        "cpu": cpu,
        "mib": peak / 1024,
        "version": dlt.__version__,
    }


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


if __name__ == "__main__":
    print(json.dumps(main(json.loads(sys.stdin.read()))))
