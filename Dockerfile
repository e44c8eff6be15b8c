# One image for every process: `tally receiver`, `tally worker`, … say which.
FROM python:3.12-slim AS build

WORKDIR /build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/tally
COPY requirements/base.txt requirements/base.txt
RUN /opt/tally/bin/pip install --require-hashes -r requirements/base.txt
COPY . .
RUN /opt/tally/bin/pip install --no-deps .


FROM python:3.12-slim

RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin tally
COPY --from=build /opt/tally /opt/tally
# Inside a container every address is ours; what is published is Compose's business.
ENV PATH=/opt/tally/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    RECEIVER_HOST=0.0.0.0 \
    WEBAPI_HOST=0.0.0.0 \
    ADMIN_HOST=0.0.0.0
USER tally
WORKDIR /tmp
ENTRYPOINT ["tally"]
CMD ["--help"]
