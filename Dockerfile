# One image for every process: `web`, `worker`, `clock` and `release` of the Procfile.
# docs/deploy/docker.md says how to run it. BASE can name a digest: python:...@sha256:...
ARG BASE=python:3.13-slim-trixie

FROM ${BASE} AS packages
COPY requirements.txt ./
# Every file has the hash that is in requirements.txt. No compiler is needed: only two packages come
# as source, and they are plain Python.
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --require-hashes --requirement=requirements.txt \
       --only-binary=:all: --no-binary=plaid-python,titlecase \
    && /venv/bin/pip uninstall --yes pip

FROM ${BASE}
# pg_dump and pg_restore, for `flask backup` and `flask restore`.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-client-17 \
    && rm -rf /var/lib/apt/lists/*
ENV PATH=/venv/bin:$PATH HOME=/nonexistent PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY --from=packages /venv /venv
COPY . .
RUN python -m compileall -q .
# A number without a name, so that a host can see that it is not root.
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ.get(\"PORT\", 8000)}/healthz', timeout=4)"]
CMD ["gunicorn", "wsgi:app"]
