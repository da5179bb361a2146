# Images of ours, one target each: `docker build --target serve -t prediction-stream-serve .`
#   worker (also without --target): events from Kafka      serve: REST, SageMaker and Vertex AI endpoints
#   batch: files and tables, SQL                           train: recipes, SageMaker training jobs
# Configured by STREAM_SECTION__KEY variables, or by a stream.toml mounted as /app/stream.toml. The flights model is
# in it; mount a package of your own over /app/models and set STREAM_MODEL__URI. More: docs/docker.md

# 1. The Python that everything was tested with (.python-version, requirements.lock).
FROM python:3.11.15-slim-bookworm AS python
# LightGBM's wheel takes OpenMP from the system; all the others bring it.
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1

# 2. A venv with the versions and hashes of requirements.lock, made as scripts/install makes it.
FROM python AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore \
    UV_LINK_MODE=copy UV_NO_CACHE=1 UV_PYTHON_DOWNLOADS=never PYTHONDONTWRITEBYTECODE=1
# `strip`, for deploy/docker/slim.py.
RUN apt-get update && apt-get install -y --no-install-recommends binutils
WORKDIR /build
COPY scripts/uv.lock scripts/uv.lock
RUN python -m pip install --require-hashes -r scripts/uv.lock
RUN python -m venv --without-pip /opt/stream && python -m venv --without-pip /opt/bill
# The libraries first: this layer is made again only when they change, not with every line of ours.
COPY pyproject.toml requirements.lock ./
RUN uv pip install --python /opt/bill/bin/python -c requirements.lock --build-constraints requirements.lock cyclonedx-bom
RUN uv pip install --python /opt/stream/bin/python -c requirements.lock --build-constraints requirements.lock \
    -r pyproject.toml --extra otel
COPY README.md LICENSE Dockerfile ./
COPY deploy/docker deploy/docker
COPY stream stream
COPY schemas schemas
COPY models models
RUN uv pip install --python /opt/stream/bin/python -c requirements.lock --build-constraints requirements.lock \
    --no-deps .

# 3. What each target needs besides, then all that it does not need out. EXTRAS: `--build-arg EXTRAS="--extra onnx"`.
FROM build AS build-worker
ARG EXTRAS=
RUN sh deploy/docker/finish worker $EXTRAS

FROM build AS build-serve
ARG EXTRAS=
RUN sh deploy/docker/finish serve --extra rest $EXTRAS

FROM build AS build-batch
ARG EXTRAS=
RUN sh deploy/docker/finish batch --extra sql $EXTRAS

FROM build AS build-train
ARG EXTRAS=
RUN sh deploy/docker/finish train --extra train $EXTRAS

# 4. What runs of Debian, in one layer: what is taken out takes no room.
FROM python AS debian
COPY deploy/docker/debian /tmp/debian
RUN groupadd --gid 10001 stream \
    && useradd --uid 10001 --gid 10001 --home-dir /tmp --no-create-home --shell /usr/sbin/nologin stream \
    && sh /tmp/debian

FROM scratch AS runtime
COPY --from=debian / /
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="prediction-stream" \
      org.opencontainers.image.description="A scikit-learn model's answers on a Kafka stream" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.base.name="docker.io/library/python:3.11.15-slim-bookworm"
# The root file system may be read-only: what libraries cache goes to /tmp.
ENV PATH=/opt/stream/bin:/usr/local/bin:/usr/bin:/bin LANG=C.UTF-8 HOME=/tmp MPLCONFIGDIR=/tmp/matplotlib \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONFAULTHANDLER=1
WORKDIR /app
COPY schemas /app/schemas
COPY models/flights /app/models/flights
# By number, so that an orchestrator that insists on non-root can tell.
ARG RUN_AS=10001:10001
USER $RUN_AS
STOPSIGNAL SIGTERM
ENTRYPOINT ["stream"]

FROM runtime AS train
COPY --from=build-train /usr/local /usr/local
COPY --from=build-train /opt/stream /opt/stream
# It ends by itself.
HEALTHCHECK NONE
CMD ["train"]

FROM runtime AS batch
COPY --from=build-batch /usr/local /usr/local
COPY --from=build-batch /opt/stream /opt/stream
HEALTHCHECK NONE
CMD ["batch"]

FROM runtime AS serve
COPY --from=build-serve /usr/local /usr/local
COPY --from=build-serve /opt/stream /opt/stream
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=90s --retries=3 \
    CMD ["python", "-c", "import os, ssl, urllib.request; tls = 'STREAM_SERVE__CERTIFICATE' in os.environ; port = next((os.environ[each] for each in ('STREAM_SERVE__PORT', 'AIP_HTTP_PORT', 'SAGEMAKER_BIND_TO_PORT') if each in os.environ), '8080'); urllib.request.urlopen(f\"http{'s' * tls}://127.0.0.1:{port}/v2/health/live\", timeout=4, context=ssl._create_unverified_context() if tls else None)"]
CMD ["serve", "--host", "0.0.0.0"]

FROM runtime AS worker
COPY --from=build-worker /usr/local /usr/local
COPY --from=build-worker /opt/stream /opt/stream
EXPOSE 6066
# Answers 503, and so fails, when the engine is stuck; a port that is open proves nothing.
HEALTHCHECK --interval=10s --timeout=5s --start-period=90s --retries=3 \
    CMD ["python", "-c", "import os, ssl, urllib.request; tls = 'STREAM_WEB__CERTIFICATE' in os.environ; urllib.request.urlopen(f\"http{'s' * tls}://127.0.0.1:{os.environ.get('STREAM_WEB__PORT', '6066')}/health/live\", timeout=4, context=ssl._create_unverified_context() if tls else None)"]
CMD ["worker"]
