"""The DAG that watches all others: dead runs, alerts, notifications, retention. The package builds it for Airflow."""

from sportmonks.render.watch import watch_dag

dag = watch_dag()
