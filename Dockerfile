# The image of `syncer`: its dependencies as the lock file names them, and nothing that could build or install more.
#
#   docker build -t consul-cloudmap-sync .
#   docker run --rm --read-only -v ./syncer.yaml:/etc/syncer/syncer.yaml:ro consul-cloudmap-sync
#
# Any base with Python 3.11 or newer as `python3` will do; both stages stand on the same one:
# --build-arg BASE=... for another. The digest fixes the bytes; the tag says what they are.
ARG BASE=python:3.13.7-slim-trixie@sha256:5f55cdf0c5d9dc1a415637a5ccc4a9e18663ad203673173b8cda8f8dcacef689
ARG BUILDER=${BASE}

# --- build: everything ends in /opt/syncer ---------------------------------------------------------
FROM ${BUILDER} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build

RUN python3 -m venv --without-pip /opt/syncer \
    && python3 -m venv --without-pip /build/tools
COPY requirements.lock ./
RUN python3 -m pip --python /opt/syncer/bin/python3 install --quiet --require-hashes --no-deps -r requirements.lock

# The build backend, at the versions and hashes of the development lock, in an environment of its own.
COPY requirements-dev.lock ./
RUN awk '/^[a-z]/ { keep = /^(hatchling|packaging|pathspec|pluggy|trove-classifiers)==/ } keep' \
        requirements-dev.lock > backend.lock \
    && python3 -m pip --python /build/tools/bin/python3 install --quiet --require-hashes --no-deps -r backend.lock
COPY pyproject.toml LICENSE ./
COPY syncer ./syncer
# pyproject.toml names the README as the description; nobody reads it in an image.
RUN touch README.md \
    && python3 -m pip --python /build/tools/bin/python3 wheel --quiet --no-deps --no-build-isolation --wheel-dir dist . \
    && python3 -m pip --python /opt/syncer/bin/python3 install --quiet --no-deps --no-index dist/*.whl
# What an installer leaves behind for itself, and scripts that other packages bring.
RUN find /opt/syncer/bin -type f ! -name 'syncer' -delete \
    && find /opt/syncer/bin -type l ! -name 'python*' -delete \
    && rm -rf /opt/syncer/include /opt/syncer/bin/__pycache__
COPY deploy/image/entrypoint.sh deploy/image/healthy.py /opt/syncer/bin/
RUN chmod 0755 /opt/syncer/bin/entrypoint.sh

# --- the image -------------------------------------------------------------------------------------
FROM ${BASE}
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="consul-cloudmap-sync" \
      org.opencontainers.image.description="Keeps Consul and AWS Cloud Map in step, both ways" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"

# A base may bring pip, and programs that run as their owner; the result has no use for them. The user has no shell,
# no home and no password.
RUN find / -xdev \( -path '*-packages/pip' -o -path '*-packages/pip-*.dist-info' -o -path '*/ensurepip' \) \
        -prune -exec rm -rf {} + \
    && rm -f /usr/local/bin/pip* /usr/bin/pip* \
    && find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
    && echo 'syncer:x:10001:10001::/nonexistent:/usr/sbin/nologin' >> /etc/passwd \
    && echo 'syncer:x:10001:' >> /etc/group \
    && mkdir -p /etc/syncer /run/syncer \
    && chown 10001:10001 /run/syncer
COPY --from=build /opt/syncer /opt/syncer

ENV PATH=/opt/syncer/bin:$PATH \
    # The root file system may be read-only; what must be written goes here.
    TMPDIR=/run/syncer \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    # Few threads allocate at once; more arenas only hold memory.
    MALLOC_ARENA_MAX=2 \
    SYNCER_CONFIG=/etc/syncer/syncer.yaml \
    # Inside a container the whole container is "this host". HEALTHCHECK reads the port here.
    SYNCER_HTTP__ADDRESS=0.0.0.0 \
    SYNCER_HTTP__PORT=9110
VOLUME ["/run/syncer"]
EXPOSE 9110
WORKDIR /run/syncer
USER 10001:10001
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["/opt/syncer/bin/python3", "/opt/syncer/bin/healthy.py"]
ENTRYPOINT ["/opt/syncer/bin/entrypoint.sh"]
CMD ["run"]
