# Sourced by every script of the lab: where things are kept, how one speaks, how a cache entry is made.
#
#   SEALIFT_CACHE  what can be made again, only at the cost of time (default ~/.cache/sealift)
#   SEALIFT_LAB    the state of the running lab: disks, logs, keys (default /var/tmp/sealift-lab)
# shellcheck shell=bash

LAB_DIR=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")
SEALIFT_CACHE=${SEALIFT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sealift}
SEALIFT_LAB=${SEALIFT_LAB:-/var/tmp/sealift-lab}
KUBERNETES_VERSION=v1.20.2

lab_started=$(date +%s%N)

# Progress goes to stderr, with the seconds since the script began; stdout is the result only.
say() {
  local ms=$((($(date +%s%N) - lab_started) / 1000000))
  printf '%4d.%01ds %s: %s\n' $((ms / 1000)) $((ms % 1000 / 100)) "${0##*/}" "$*" >&2
}

die() {
  printf '%s: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

need() { # need PROGRAM=PACKAGE...: every program must be there; names the packages to install
  local pair missing=()
  for pair in "$@"; do
    [ -e "${pair%%=*}" ] || command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}")
  done
  [ ${#missing[@]} -eq 0 ] || die "missing programs; install them with: apt-get install ${missing[*]}"
}

# The apt source files of this machine that speak of Debian: the lab fetches from where this machine does.
machine_debian_sources() {
  local f found=()
  for f in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list.d/*.sources; do
    [ -s "$f" ] && grep -q '^Suites:.*bookworm' "$f" && found+=("$f")
  done
  if [ ${#found[@]} -gt 0 ]; then
    printf '%s\n' "${found[0]}"
  elif grep -qs '^deb .*bookworm' /etc/apt/sources.list; then
    echo /etc/apt/sources.list
  else
    die "no Debian 12 source under /etc/apt: the lab builds its hosts from Debian bookworm"
  fi
}

# private_apt DIR: sets apt_options to an apt with fresh indexes of its own, deb-src too: the machine's sources stay as they are,
# and its indexes, which may be old or missing, are not asked.
private_apt() {
  local dir=$1 sources
  mkdir -p "$dir/lists/partial" "$dir/cache"
  sources=$(machine_debian_sources)
  case $sources in
    *.sources) sed 's/^Types:.*/Types: deb deb-src/' "$sources" >"$dir/debian.sources" ;;
    *) sed -n 's/^deb /&/p; s/^deb /deb-src /p' "$sources" >"$dir/debian.list" ;;
  esac
  apt_options=(-q=2 -o "Dir::Etc::sourcelist=$(ls "$dir"/debian.*)" -o Dir::Etc::sourceparts=-
    -o Dir::State::Lists="$dir/lists" -o Dir::Cache="$dir/cache" -o APT::Sandbox::User=root)
  apt-get "${apt_options[@]}" update
}

# cache_key TEXT|@FILE...: a short name for exactly these inputs
cache_key() {
  local part
  for part in "$@"; do
    case $part in
      @*) sha256sum <"${part#@}" ;;
      *) printf '%s\n' "$part" ;;
    esac
  done | sha256sum | cut -c1-16
}

# cached NAME FUNCTION: prints the directory of cache entry NAME, made by FUNCTION when it is missing. FUNCTION gets an
# empty directory and fills it; the entry appears by one rename, so a killed run leaves no half-made one. A lock
# makes a second caller wait instead of doing the work twice.
cached() {
  local name=$1 make=$2 entry=$SEALIFT_CACHE/$1 fresh lock status
  if [ ! -d "$entry" ]; then
    mkdir -p "$SEALIFT_CACHE"
    exec {lock}>"$SEALIFT_CACHE/.$name.lock"
    flock "$lock"
    if [ ! -d "$entry" ]; then
      fresh=$(mktemp -d "$SEALIFT_CACHE/.making-$name.XXXXXX")
      chmod 755 "$fresh"
      # Not as a condition: there bash would ignore "set -e" in everything below.
      set +e
      (set -e; "$make" "$fresh") >&2
      status=$?
      set -e
      if [ $status -ne 0 ]; then
        rm -rf --one-file-system "$fresh"
        rm -f "$SEALIFT_CACHE/.$name.lock"
        die "could not make $name (see the messages above)"
      fi
      mv -T "$fresh" "$entry"
    fi
    rm -f "$SEALIFT_CACHE/.$name.lock"
    exec {lock}>&-
  fi
  echo "$entry"
}

# start_server NAME STATE_DIR COMMAND...: runs it in the background, in a session of its own, output to STATE_DIR/log/NAME.log.
# The pid file also holds the start time of the process, so that a number used again is never taken for ours.
start_server() {
  local name=$1 state=$2
  shift 2
  mkdir -p "$state/log" "$state/run"
  setsid "$@" >>"$state/log/$name.log" 2>&1 </dev/null &
  echo "$! $(process_start $!)" >"$state/run/$name.pid"
  disown
}

process_start() { # field 22 of stat, counted after the program name, which may hold blanks
  sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20
}

server_pid() { # server_pid PID_FILE: prints the pid if that very process still runs
  local pid start
  [ -s "$1" ] && read -r pid start <"$1" && [ -n "$start" ] && [ "$(process_start "$pid")" = "$start" ] && echo "$pid"
}

stop_server() { # stop_server PID_FILE: TERM, after five seconds KILL
  local pid try
  pid=$(server_pid "$1") || { rm -f "$1"; return 0; }
  kill "$pid"
  for try in $(seq 100); do
    server_pid "$1" >/dev/null || break
    [ "$try" != 50 ] || kill -9 "$pid" 2>/dev/null || true
    sleep 0.1
  done
  rm -f "$1"
}

wait_for() { # wait_for SECONDS WHAT COMMAND...: polls until the command succeeds
  local end=$(($(date +%s) + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ "$(date +%s)" -lt "$end" ] || { say "gave up waiting for $what"; return 1; }
    sleep 0.1
  done
}
