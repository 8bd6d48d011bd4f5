# One image for Airflow's four processes, for Spark's master and worker, and for the start-up steps.
# bookworm: it has the Java 17 that the rest is tested with.
FROM python:3.11-slim-bookworm AS built
RUN python -m venv /opt/venv
COPY requirements/run.lock /tmp/run.lock
RUN /opt/venv/bin/pip install --no-cache-dir --require-hashes --no-deps -r /tmp/run.lock

FROM python:3.11-slim-bookworm
RUN apt-get update \
    && apt-get install --yes --no-install-recommends openjdk-17-jre-headless procps \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin footfall \
    && install --directory --owner footfall --group footfall --mode 0700 /var/lib/footfall /import \
    && install --directory --owner footfall --group footfall --mode 0750 \
       /run/footfall /run/footfall/postgres /run/footfall/kafka /run/footfall/spark
COPY --from=built /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin \
    JAVA_HOME=/usr/lib/jvm/default-java \
    SPARK_HOME=/opt/venv/lib/python3.11/site-packages/pyspark \
    PYSPARK_PYTHON=/opt/venv/bin/python \
    XDG_CACHE_HOME=/opt/cache \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    FOOTFALL_HOME=/var/lib/footfall \
    AIRFLOW_HOME=/var/lib/footfall/airflow \
    HOME=/tmp
RUN ln -s "$(dirname "$(dirname "$(readlink -f /usr/bin/java)")")" /usr/lib/jvm/default-java
WORKDIR /opt/footfall
COPY pyproject.toml settings.py ./
COPY requirements requirements
COPY producers producers
COPY sql sql
COPY spark_jobs spark_jobs
COPY expectations expectations
COPY plugins plugins
COPY dags dags
COPY local local
COPY docker docker
RUN pip install --no-cache-dir --no-deps --no-build-isolation --editable . \
    && python docker/fetch_jars.py
USER 10001:10001
