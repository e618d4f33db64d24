# The package on the official Airflow image. docker-compose.yaml mounts the code over these copies, so that an
# edit needs no new image; elsewhere (Kubernetes, ECS) the copies are what runs.
# Another one by the same name in .env: `make compose-pin` writes the digest of this tag there.
ARG AIRFLOW_IMAGE=apache/airflow:3.3.2-python3.12
FROM ${AIRFLOW_IMAGE} AS product
ARG AIRFLOW_IMAGE
RUN [ "$(python -c 'from importlib.metadata import version as of; print(of("apache-airflow"))')" = 3.3.2 ] || { \
    echo "error: AIRFLOW_IMAGE=${AIRFLOW_IMAGE} has another release of Airflow than 3.3.2." \
    "Take that line out of .env, then run: python3 local/deploy/pin_images.py" >&2; exit 1; }

# Only what the image lacks. The line of the core makes pip refuse to move what the image was tested with.
RUN pip install --no-cache-dir \
    "apache-airflow==3.3.2" \
    "msgspec==0.22.0" \
    "psycopg[binary]==3.3.9" \
    "psycopg-pool==3.3.3"

COPY --chown=airflow:root config /opt/airflow/config
COPY --chown=airflow:root dags /opt/airflow/dags
COPY --chown=airflow:root include /opt/airflow/include
COPY --chown=airflow:root plugins /opt/airflow/plugins
COPY --chown=airflow:root local /opt/sportmonks/local

# A checkout under umask 077 must not decide: group 0 may read, whatever AIRFLOW_UID is.
# The folder of the login file: a volume takes owner and mode from here, so group 0 may write.
RUN chmod -R g+rX /opt/airflow/config /opt/airflow/dags /opt/airflow/include /opt/airflow/plugins /opt/sportmonks/local \
    && mkdir -p /opt/airflow/auth && chmod g+rwx /opt/airflow/auth

ENV PYTHONPATH=/opt/sportmonks:/opt/airflow/plugins \
    ETL_INCLUDE_DIR=/opt/airflow/include

# The API sandbox of the compose file's profile `sandbox`; the product image does not hold it.
FROM product AS sandbox
COPY --chown=airflow:root sandbox /opt/sportmonks/sandbox
RUN chmod -R g+rX /opt/sportmonks/sandbox
ENTRYPOINT ["python", "-m", "sandbox"]
