"""Discover, plan, collect: the steps of a league run, without Airflow. The operators call them."""
