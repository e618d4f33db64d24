"""The parameters of the page's addresses, with what each may be."""

from typing import Annotated, Literal

from fastapi import Query

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
Status = Literal["RUNNING", "COMPLETED", "FAILED", "CANCELLED"]
Kind = Literal["league", "catalog", "route", "collector"]
Id = Annotated[int | None, Query(ge=0, lt=2**63)]
Name = Annotated[str, Query(max_length=200, pattern=r"^[^\x00]*$")]
Text = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")]
AirflowId = Annotated[str | None, Query(max_length=250, pattern=r"^[^\x00]*$")]
