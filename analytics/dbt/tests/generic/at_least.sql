-- Rows whose value is below the least that makes sense; NULL is allowed.
{% test at_least(model, column_name, least) %}
select * from {{ model }} where {{ column_name }} < {{ least }}
{% endtest %}
