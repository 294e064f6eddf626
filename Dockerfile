# The root of the managed plugin, for `docker build` where images can be pulled; ./dev plugin makes the same without.
#   docker build -t flannelvlan-root .
#   docker create --name root flannelvlan-root && docker export root | tar -x -C plugin/rootfs
# Offline, BASE may be an image made with debootstrap and docker import that has the packages below, and JDK one with a
# JDK 25 in /opt/java; driver/target/dist, which ./dev build leaves, is taken as it is (tests/lab/docker-build does so).
ARG BASE=debian:bookworm
ARG JDK=eclipse-temurin:25-jdk
FROM ${JDK} AS jdk

FROM ${BASE} AS build
COPY --from=jdk /opt/java /opt/java
WORKDIR /src
COPY . .
RUN built=driver/target/dist/bin/flannelvlan missing= ; \
    for pair in nft=nftables iptables=iptables conntrack=conntrack etcd=etcd-server; do \
      command -v ${pair%%=*} >/dev/null || missing="$missing ${pair#*=}"; \
    done; \
    test -x $built || command -v mvn >/dev/null || missing="$missing maven"; \
    test -z "$missing" || { apt-get update && apt-get install -y --no-install-recommends $missing; }
RUN JAVA_HOME=$(dirname "$(dirname "$(ls /opt/java/*/bin/javac)")"); \
    export JAVA_HOME; \
    test -x driver/target/dist/bin/flannelvlan || mvn --batch-mode --quiet -DskipTests package; \
    driver/src/main/plugin/assemble /root-of-plugin driver/target/dist && driver/src/main/plugin/train /root-of-plugin /dev/null

FROM scratch
COPY --from=build /root-of-plugin /
ENTRYPOINT ["/usr/lib/flannelvlan/bin/flannelvlan", "serve"]
