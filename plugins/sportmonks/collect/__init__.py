"""Discover, plan, collect: the work of a league run, without Airflow. The operators are thin faces over it."""
