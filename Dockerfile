# Two stages: the first builds, the second holds the program and the libraries it needs.
FROM debian:bookworm AS build
WORKDIR /parley
COPY third_party third_party
RUN . third_party/packages.sh && apt-get update && \
    apt-get install -y --no-install-recommends $build_packages $page_packages && rm -rf /var/lib/apt/lists/*
COPY CMakeLists.txt CMakePresets.json ./
COPY include include
COPY src src
RUN cmake --preset release -DPARLEY_UI=ON && cmake --build --preset release -j "$(nproc)" && strip build/release/parley

FROM debian:bookworm-slim
RUN apt-get update && \
    apt-get install -y --no-install-recommends --no-upgrade libsqlite3-0 libjson-c5 libssl3 libexpat1 zlib1g libbz2-1.0 liblzma5 && \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/* && \
    useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin parley && \
    install -d -o parley -g parley -m 700 /data
COPY --from=build /parley/build/release/parley /usr/local/bin/parley
USER parley
ENV PARLEY_LISTEN=*:3000 PARLEY_DATA=/data
VOLUME /data
EXPOSE 3000
ENTRYPOINT ["/usr/local/bin/parley"]
