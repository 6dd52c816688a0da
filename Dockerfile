# The image of every Airflow service in docker-compose.yaml. dags/, plugins/ and include/ are mounted.
# Its Python is the one that requirements.lock is made for; the tag pins Airflow's version.
FROM apache/airflow:3.3.2-python3.11 AS airflow
COPY requirements-product.txt requirements.txt docker/lacking.py /tmp/build/
# Only what the image lacks is installed, as requirements-product.txt pins it; what the image has keeps the
# image's own version. Two demands that contradict each other end the build.
RUN set -eu; cd /tmp/build; \
    pip freeze > /tmp/image.txt; \
    python lacking.py requirements-product.txt > /tmp/lacking.txt; \
    pip install --no-cache-dir --constraint /tmp/image.txt --requirement /tmp/lacking.txt; \
    pip check; \
    rm /tmp/image.txt /tmp/lacking.txt

# The demo's SendGrid emulator and B2CORE database (profile demo), and nothing of production.
FROM airflow AS demo
RUN set -eu; cd /tmp/build; \
    pip freeze > /tmp/image.txt; \
    python lacking.py requirements.txt fastapi uvicorn orjson httptools uvloop > /tmp/lacking.txt; \
    pip install --no-cache-dir --constraint /tmp/image.txt --requirement /tmp/lacking.txt; \
    rm /tmp/image.txt /tmp/lacking.txt
WORKDIR /opt/demo
COPY local ./local
COPY docker/forward.py ./docker/forward.py
COPY include ./include
