"""The one file of this folder that Airflow's plugin loader may see (see .airflowignore). Where the package is installed
from a wheel, its entry point takes this file's place."""

from sportmonks.plugin import SportmonksPlugin

__all__ = ["SportmonksPlugin"]
