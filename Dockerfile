# Builds a small image that runs as nobody: docker build -t tidegate .
FROM rust:1.95-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked --package collector && mkdir /state

FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /src/target/release/tidegate /usr/bin/tidegate
# The data directory must belong to the user that the image runs as.
COPY --from=build --chown=nonroot:nonroot /state /var/lib/tidegate
WORKDIR /var/lib/tidegate
ENV STATE_DIRECTORY=/var/lib/tidegate
EXPOSE 4317 4318 8888 13133
ENTRYPOINT ["/usr/bin/tidegate"]
CMD ["--config", "/etc/tidegate/config.yaml"]
