"""The old place of ``sportmonks.alerts.reference``: DAGs stored by Airflow before version 0.2 name it.

Airflow finds a stored reference among the registered classes, by the module in which the class was defined. So this is
a class of its own, which the plugin registers too.
"""

from sportmonks.alerts import reference


class RunQueuedAt(reference.RunQueuedAt):
    """The time at which a run was queued, under its old name."""
