#!/usr/bin/env bash
# Flex from any directory: ./flex COMMAND [OPTIONS]. Builds once after a change of the sources, then runs.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 TESTINGPLATFORM_TELEMETRY_OPTOUT=1 FLEX_ROOT="$root"
dll="$root/local/bin/Local/Release/net10.0/flex.dll"
stamp="$root/local/bin/Local/Release/.built"

die() { echo "flex: $1" >&2; exit 1; }

command -v dotnet >/dev/null || die "the .NET 10 SDK is needed: https://dotnet.microsoft.com/download"

changed() {
  [ ! -f "$dll" ] || [ ! -f "$stamp" ] || [ -n "$(find "$root/functions" "$root/local" "$root"/*.props "$root"/*.json \
    \( -name bin -o -name obj -o -name node_modules \) -prune -o -type f -newer "$stamp" -print -quit)" ]
}

# Builds what is given in Release, quietly; prints the build's output only if it fails.
build() {
  local log
  log="$(dotnet build "$1" -c Release -v quiet --nologo 2>&1)" || { echo "$log" >&2; die "the build failed"; }
}

build_host() {
  changed || return 0
  # Two calls at once must not build into the same directory.
  mkdir -p "$root/.flex"
  exec 9>"$root/.flex/build.lock"
  if command -v flock >/dev/null; then flock 9; fi
  if changed; then
    local started
    started="$(mktemp)"
    build "$root/local/Flex.Local.csproj"
    # Sources saved while the build ran are newer than its start, so the next call builds again.
    touch -r "$started" "$stamp"
    rm -f "$started"
  fi
  exec 9>&-
}

# Runs every test project and closes with the sum over all of them.
run_tests() {
  if [ "${1:-}" = "--help" ] || [ "${1:-}" = "-h" ]; then
    echo "Usage: ./flex test [ARGUMENTS OF dotnet test]"
    echo
    echo "Builds everything and runs all tests; closes with \"N passed, N failed\"."
    exit 0
  fi
  cd "$root"
  build Flex.Functions.sln
  local log status
  log="$(mktemp)"
  set +e
  dotnet test --solution Flex.Functions.sln --no-build -c Release --max-parallel-test-modules 1 "$@" 2>&1 | tee "$log"
  status=${PIPESTATUS[0]}
  set -e
  awk '/^ +succeeded:/ {p += $2} /^ +failed:/ {f += $2} /^ +skipped:/ {s += $2}
       END {printf "%d passed, %d failed", p, f; if (s) printf ", %d skipped", s; print ""}' "$log"
  rm -f "$log"
  exit "$status"
}

# Compiles the whole solution, local host and tests included, against Microsoft's packages where they can be had.
build_azure() {
  if [ "${1:-}" = "--help" ] || [ "${1:-}" = "-h" ]; then
    echo "Usage: ./flex azure"
    echo
    echo "Compiles everything with FlexRuntime=Azure against the real packages; says so where they cannot be restored."
    exit 0
  fi
  cd "$root"
  local log
  log="$(mktemp)"
  if ! dotnet restore Flex.Functions.sln -p:FlexRuntime=Azure >"$log" 2>&1; then
    if grep -qE "error NU110[12]" "$log" && ! grep -E "error " "$log" | grep -qvE "error NU110[12]"; then
      rm -f "$log"
      echo "azure: skipped: packages not reachable"
      exit 0
    fi
    cat "$log" >&2
    die "the Azure packages could not be restored"
  fi
  rm -f "$log"
  dotnet build Flex.Functions.sln --no-restore -c Release -p:FlexRuntime=Azure
  echo "azure: built"
}

case "${1:-}" in
  test) shift; run_tests "$@" ;;
  azure) shift; build_azure "$@" ;;
  bench|cost)
    [ "$1" = cost ] || shift
    build "$root/tests/Flex.Benchmarks/Flex.Benchmarks.csproj"
    exec dotnet "$root/tests/Flex.Benchmarks/bin/Local/Release/net10.0/Flex.Benchmarks.dll" "$@"
    ;;
  *) build_host; exec dotnet "$dll" "$@" ;;
esac
