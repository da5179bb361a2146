# A worker in a container: `docker build -t prediction-stream .`, then see docker-compose.yml.
# Configured by STREAM_SECTION__KEY variables, or by a stream.toml mounted as /app/stream.toml. The flights model is
# in it; mount a package of your own over /app/models and set STREAM_MODEL__URI.

# 1. A venv with the versions and hashes of requirements.lock, made as scripts/install makes it.
FROM python:3.13.16-slim-trixie AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore \
    UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never
WORKDIR /build
COPY scripts/uv.lock scripts/uv.lock
RUN python -m pip install --require-hashes -r scripts/uv.lock
RUN python -m venv --without-pip /opt/stream
# The libraries first: this layer is made again only when they change, not with every line of ours.
# What else it shall do: --build-arg EXTRAS="--extra rest --extra otel --extra train" for a SageMaker training job.
ARG EXTRAS="--extra rest --extra otel"
COPY pyproject.toml requirements.lock ./
RUN uv pip install --python /opt/stream/bin/python -c requirements.lock --build-constraints requirements.lock \
    -r pyproject.toml $EXTRAS
COPY README.md LICENSE ./
COPY stream stream
COPY schemas schemas
COPY models models
RUN uv pip install --python /opt/stream/bin/python -c requirements.lock --build-constraints requirements.lock \
    --no-deps .

# 2. That venv on the same Python; no installer of ours, no compiler, no source tree.
FROM python:3.13.16-slim-trixie
LABEL org.opencontainers.image.title="prediction-stream" \
      org.opencontainers.image.description="A scikit-learn model's answers on a Kafka stream" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --gid 10001 stream \
    && useradd --uid 10001 --gid 10001 --home-dir /app --no-create-home --shell /usr/sbin/nologin stream
COPY --from=build /opt/stream /opt/stream
COPY schemas /app/schemas
COPY models/flights /app/models/flights
ENV PATH=/opt/stream/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONFAULTHANDLER=1
WORKDIR /app
# By number, so that an orchestrator that insists on non-root can tell.
USER 10001:10001
EXPOSE 6066
STOPSIGNAL SIGTERM
# Answers 503, and so fails, when the engine is stuck; a port that is open proves nothing.
HEALTHCHECK --interval=10s --timeout=5s --start-period=90s --retries=3 \
    CMD ["python", "-c", "import os, ssl, urllib.request; tls = 'STREAM_WEB__CERTIFICATE' in os.environ; urllib.request.urlopen(f\"http{'s' * tls}://127.0.0.1:{os.environ.get('STREAM_WEB__PORT', '6066')}/health/live\", timeout=4, context=ssl._create_unverified_context() if tls else None)"]
ENTRYPOINT ["stream"]
CMD ["worker"]
