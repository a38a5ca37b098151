# syntax=docker/dockerfile:1

# Builds on Debian and runs on distroless "cc". The Rust image brings the C compiler and the make that are needed
# (aws-lc, zstd and jemalloc are C), so there is no extra toolchain; the runtime image brings glibc with its resolver,
# and the certificate authorities, and has neither shell nor package manager.

FROM rust:1.95-bookworm AS build
WORKDIR /build
COPY . .
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    # jemalloc works on no larger pages than those it was built for; on ARM, kernels have pages of up to 64 KiB.
    if [ "$(uname -m)" = aarch64 ]; then export JEMALLOC_SYS_WITH_LG_PAGE=16; fi \
    && cargo build --profile dist --locked --bin pivotd \
    && cp target/dist/pivotd /pivotd \
    && mkdir --mode 0700 /data

FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="pivotd" \
      org.opencontainers.image.description="Maltego transforms and SOAR scores from the threat-intelligence providers you pay for" \
      org.opencontainers.image.licenses="MIT OR Apache-2.0"
COPY --from=build /pivotd /usr/local/bin/pivotd
COPY --from=build --chown=65532:65532 --chmod=0700 /data /data

# "nonroot" of the base image, written as a number so that Kubernetes can see that it is not root.
USER 65532:65532
VOLUME /data
EXPOSE 8080

# Beyond loopback it refuses to start without PIVOTD__SERVER__PUBLIC_URL, and without either a certificate or
# PIVOTD__SERVER__TLS=before where TLS ends in front of the container.
ENV PIVOTD__SERVER__DATA=/data \
    PIVOTD__SERVER__LISTEN=0.0.0.0:8080 \
    PIVOTD__LOG__FORMAT=json

HEALTHCHECK --interval=30s --timeout=5s --start-period=10s --retries=3 \
    CMD ["/usr/local/bin/pivotd", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/pivotd"]
CMD ["serve"]
