#!/usr/bin/env bash
# A Docker engine with the sandbox image, for the tests marked "docker".
#
#   bash .ci/docker.sh start   installs docker.io and bubblewrap, starts an engine when none answers, and builds the
#                              image from the host's Python; fails, loudly, where no engine can be had
#   bash .ci/docker.sh stop    stops the engine that "start" started, and no other
set -uo pipefail
cd "$(dirname "$0")/.."

state="${TMPDIR:-/tmp}/rlvr-gym-ci-docker"
log="$state/dockerd.log"
python="${PYTHON:-.venv/bin/python}"

missing() {
    echo "##########################################################################"
    echo "## NO DOCKER ENGINE: $1"
    echo "## The tests marked 'docker' will be SKIPPED."
    echo "##########################################################################"
    exit 1
}

answers() { "$python" -c 'import docker; docker.from_env(timeout=5).ping()' > /dev/null 2>&1; }

install() {
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q docker.io bubblewrap >> "$state/apt.log" 2>&1
}

start() {
    mkdir -p "$state"
    if ! command -v dockerd > /dev/null || ! command -v bwrap > /dev/null; then
        if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
            # the package index may be stale, or absent
            install || { apt-get update -q >> "$state/apt.log" 2>&1 && install; } || tail -n 3 "$state/apt.log"
        fi
    fi
    answers || engine
    "${python%python}rlvr-gym" sandbox build --from-host || missing "the image cannot be built"
}

engine() {
    command -v dockerd > /dev/null || missing "dockerd is not installed"
    [ "$(id -u)" = 0 ] || missing "none answers, and only root can start one"
    # no bridge and no firewall rules: sandboxes have no network; vfs works on any disk
    setsid dockerd --iptables=false --bridge=none --storage-driver=vfs > "$log" 2>&1 < /dev/null &
    echo $! > "$state/pid"
    for _ in $(seq 120); do
        answers && return
        kill -0 "$(cat "$state/pid")" 2> /dev/null || break
        sleep 0.5
    done
    tail -n 5 "$log"
    stop
    missing "dockerd does not come up; see $log"
}

stop() {
    [ -f "$state/pid" ] || return 0
    pid="$(cat "$state/pid")"
    rm -f "$state/pid"
    # the number may have gone to another process in the meantime
    if grep -qs dockerd "/proc/$pid/cmdline"; then
        kill "$pid"
        for _ in $(seq 60); do kill -0 "$pid" 2> /dev/null || break; sleep 0.5; done
    fi
}

case "${1:-}" in
    start) start ;;
    stop) stop ;;
    *) echo "usage: bash .ci/docker.sh start|stop" >&2; exit 2 ;;
esac
