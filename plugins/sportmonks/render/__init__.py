"""From the manifest to DAGs and task groups."""
