# syntax=docker/dockerfile:1
# The wheel is built and installed in one image; the other gets the result, and neither compiler nor pip's leftovers.
FROM python:3.13-slim AS build
WORKDIR /source
COPY . .
RUN pip install --no-cache-dir build \
    && python -m build --wheel --outdir /wheels \
    && python -m venv /opt/syncengine \
    && /opt/syncengine/bin/pip install --no-cache-dir /wheels/*.whl

FROM python:3.13-slim
COPY --from=build /opt/syncengine /opt/syncengine
COPY container/run-daily /usr/local/bin/run-daily
COPY profiles /profiles
# 1000 is the first user of most Linux systems and many NAS; compose.yaml sets another one by PUID and PGID.
RUN groupadd --gid 1000 syncengine \
    && useradd --uid 1000 --gid 1000 --no-create-home --home-dir /state syncengine \
    && install --directory --owner syncengine --group syncengine /takeout /backup /state
ENV PATH=/opt/syncengine/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    SYNCENGINE_STATE_DIR=/state \
    TAKEOUT_PATH=/takeout \
    BACKUP_DESTINATION=/backup
USER 1000:1000
WORKDIR /state
VOLUME ["/takeout", "/backup", "/state"]
ENTRYPOINT ["syncengine"]
CMD ["--help"]
