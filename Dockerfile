# docker build --tag lggshape .
# docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/data" lggshape segment images --out masks
# A smaller image without networks: docker build --build-arg EXTRAS=survival --tag lggshape .
FROM python:3.12-slim

ARG EXTRAS=all
COPY . /source
RUN python -m pip install --no-cache-dir "/source[${EXTRAS}]" && rm -r /source

# Any user may run it: what Matplotlib and Numba keep goes to a folder that everybody can write.
ENV MPLCONFIGDIR=/tmp/matplotlib NUMBA_CACHE_DIR=/tmp/numba
WORKDIR /data
ENTRYPOINT ["lggshape"]
CMD ["--help"]
