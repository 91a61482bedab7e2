# cid predict with exported models, without torch: docker build -t cid . (docs/export.md). CI runs these steps without
# Docker: tests/repository/test_docker.py.
FROM python:3.11-slim AS build
COPY . /src
RUN pip wheel --no-deps --wheel-dir /wheels /src

FROM python:3.11-slim
COPY --from=build /wheels /wheels
RUN pip install --no-cache-dir "$(ls /wheels/*.whl)[onnx]"
RUN useradd --create-home --uid 1000 cid
USER cid
WORKDIR /data
ENTRYPOINT ["cid"]
CMD ["predict", "--help"]
