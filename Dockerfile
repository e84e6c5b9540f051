# Three images from one file: `hemu`, the product; `broker`, Mosquitto with the rules that keep a device to its topics; and
# `charts`, VictoriaMetrics with a folder for its user. All run as user 10001, write nothing outside their volumes, and so
# take a read-only root.
#
# The base images are named by version. To pin them by content too, write IMAGE:TAG@sha256:... as your registry shows it.

FROM rust:1.95-slim-bookworm AS builder
WORKDIR /src
COPY . .
# The cache holds what was fetched and built before; the binary is copied out of it.
RUN --mount=type=cache,target=/usr/local/cargo/registry --mount=type=cache,target=/src/target \
    cargo build --release --locked --package hemu && install -m 0755 target/release/hemu /usr/local/bin/hemu

# The built pages, SQLite and TLS are in the binary: nothing but it is needed.
FROM debian:bookworm-slim AS hemu
COPY --from=builder /usr/local/bin/hemu /usr/local/bin/hemu
COPY packaging/compose/hemu.toml /etc/hemu/hemu.toml
# A volume that is empty takes over whom the folder belongs to.
RUN for folder in /data /backups /logins; do install -d -m 0700 -o 10001 -g 10001 "$folder"; done
ENV HEMU_CONFIG=/etc/hemu/hemu.toml
USER 10001:10001
VOLUME ["/data"]
EXPOSE 1883 8080 9090
HEALTHCHECK --interval=15s --timeout=10s --start-period=120s --retries=4 CMD ["hemu", "ready"]
ENTRYPOINT ["hemu"]
CMD ["serve"]

FROM eclipse-mosquitto:2.0.22 AS broker
COPY services/ingest/broker/mosquitto.conf /etc/mosquitto/conf.d/10-hemu.conf
COPY services/ingest/broker/acl /etc/mosquitto/hemu/acl
COPY packaging/compose/broker/mosquitto.conf /etc/mosquitto/mosquitto.conf
COPY packaging/compose/broker/listeners.conf /etc/mosquitto/conf.d/20-listeners.conf
COPY packaging/compose/broker/start packaging/compose/broker/healthy /usr/local/bin/
# The logins are a volume that Hemu writes too: the one line that says where they are is other.
RUN sed -i 's|^password_file .*|password_file /logins/passwords|' /etc/mosquitto/conf.d/10-hemu.conf \
    && chown -R 10001:10001 /etc/mosquitto/hemu && chmod 0600 /etc/mosquitto/hemu/acl && chmod 0755 /usr/local/bin/start /usr/local/bin/healthy \
    && install -d -m 0700 -o 10001 -g 10001 /logins /var/lib/mosquitto
USER 10001:10001
EXPOSE 1883
ENTRYPOINT ["start"]

FROM victoriametrics/victoria-metrics:v1.115.0 AS charts
RUN install -d -m 0700 -o 10001 -g 10001 /storage
USER 10001:10001
EXPOSE 8428
