# Two images from one build:
#   docker build -t actix-test-server .                     the test server (the default: it is the last stage)
#   docker build -t resilient --target resilient .          the command `resilient`
#
# Each image holds one static binary and nothing else: no shell, no libc, no packages.
#
# Static is glibc's kind (+crt-static), not musl's: it needs no second target and no second C compiler in the
# toolchain, mimalloc and ring are built by the compiler that everyone tests with, and the shipped program runs the
# libc that the tests ran on. What glibc cannot link statically is NSS plug-ins; since 2.34 the two that count,
# `files` and `dns`, are part of libc itself, so names resolve without any file in the image.

FROM rust:1.95-bookworm AS toolchain
ENV CARGO_BUILD_TARGET=host-tuple \
    CARGO_INCREMENTAL=0 \
    CARGO_TERM_COLOR=never \
    RUSTFLAGS="-C target-feature=+crt-static"
WORKDIR /src


# The workspace without its code: manifests, and an empty source for each target that they imply. Whatever is edited
# in a source, this stage's files stay the same to the byte, and with them every layer that is built from them.
FROM toolchain AS skeleton
COPY . .
RUN find . -type f ! -name Cargo.toml ! -name Cargo.lock -regextype posix-extended \
        ! -regex '.*/(src/(lib|main|bin/[^/]+(/main)?)|(examples|benches)/[^/]+(/main)?|build)\.rs' -delete \
    && find . -name '*.rs' | while read -r source; do echo '#![allow(warnings)] fn main() {}' >"$source"; done \
    && find . -type d -empty -delete \
    && find . -exec touch --date=@0 {} +


# Dependencies: downloaded once and compiled for the server; then for the client what it needs in addition.
FROM toolchain AS server-dependencies
COPY --from=skeleton /src .
RUN cargo fetch --locked
RUN cargo build --frozen --release --package test-server

FROM server-dependencies AS client-dependencies
RUN cargo build --frozen --release --package resilient-client


# Our code. It was written before the empty sources were compiled: only `touch` makes cargo see that they differ.
FROM client-dependencies AS client-build
COPY actors actors
COPY client client
RUN find actors client -name '*.rs' -exec touch {} + \
    && cargo build --frozen --release --package resilient-client --bin resilient \
    && install -D target/*-linux-gnu/release/resilient /out/resilient

FROM server-dependencies AS server-build
COPY actors actors
COPY server server
COPY docs docs
RUN find actors server -name '*.rs' -exec touch {} + \
    && cargo build --frozen --release --package test-server --bin test-server \
    && install -D target/*-linux-gnu/release/test-server /out/test-server


FROM scratch AS resilient
LABEL org.opencontainers.image.title="resilient" \
      org.opencontainers.image.description="A resilient HTTP client: retries, circuit breaker, bulkhead, deadlines" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="0.1.0"
COPY --from=client-build /out/resilient /resilient
USER 65532:65532
ENTRYPOINT ["/resilient"]
CMD ["--help"]


FROM scratch AS test-server
LABEL org.opencontainers.image.title="actix-test-server" \
      org.opencontainers.image.description="An HTTP server that misbehaves on command, for testing HTTP clients" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="0.1.0"
COPY --from=server-build /out/test-server /test-server
# A number, so that an orchestrator can see that it is not root: there is no /etc/passwd to look a name up in.
USER 65532:65532
EXPOSE 8000
# Asks on SERVER_PORT: set the port by the variable, not by the flag, and the check follows.
HEALTHCHECK --interval=5s --timeout=5s --start-period=2s --retries=3 CMD ["/test-server", "health"]
ENTRYPOINT ["/test-server"]
CMD ["serve"]
