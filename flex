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

# Runs a command and prints what it says only if it fails.
quietly() {
  local log
  log="$("$@" 2>&1)" || { echo "$log" >&2; die "failed: $*"; }
}

# Builds what is given, with further options, in Release.
build() { quietly dotnet build "$1" -c Release -v quiet --nologo "${@:2}"; }

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

# The compiler is a tool in the package that the infrastructure's tests reference; its version is written there only.
find_bicep() {
  local project="tests/Flex.Infrastructure.Tests/Flex.Infrastructure.Tests.csproj"
  dotnet restore "$project" -v quiet || die "the Bicep compiler could not be restored"
  bicep="$(dotnet msbuild "$project" -getProperty:PkgAzure_Bicep_CommandLine_linux-x64)/tools/bicep"
  [ -x "$bicep" ] || die "there is no Bicep compiler at $bicep"
}

# Runs the compiler. It reports wrong properties as warnings and exits with 0 all the same: whatever it says on stderr fails.
run_bicep() {
  local said
  said="$("$bicep" "$@" 2>&1 >/dev/null)" || { echo "$said" >&2; die "bicep $1 failed"; }
  [ -z "$said" ] || { echo "$said" >&2; die "bicep $1 has complaints"; }
}

# What a parameter file deploys, predicted without a subscription: validate compares with the committed file, overwrite writes it.
snapshot() {
  local nobody="00000000-0000-0000-0000-000000000000"
  "$bicep" snapshot "$2" --mode "$1" --subscription-id "$nobody" --tenant-id "$nobody" \
    --resource-group "flex-$(basename "$2" .bicepparam)" --location westeurope
}

# One that still holds stays as it is: the compiler orders outputs anew each time.
azure_snapshots() {
  find_bicep
  local parameters
  for parameters in infra/*.bicepparam; do
    snapshot validate "$parameters" >/dev/null 2>&1 || snapshot overwrite "$parameters"
  done
  echo "snapshots: done"
}

azure_infrastructure() {
  find_bicep
  run_bicep lint --pattern "infra/**/*.bicep"
  run_bicep lint --pattern "infra/*.bicepparam"
  run_bicep build infra/main.bicep --stdout
  local formatted
  formatted="$(mktemp -d)"
  cp -r infra/. "$formatted"
  (cd "$formatted" && run_bicep format --pattern "**/*.bicep" && run_bicep format --pattern "*.bicepparam")
  diff -r infra "$formatted" >&2 || die "bicep format would change this"
  rm -rf "$formatted"
  local parameters
  for parameters in infra/*.bicepparam; do
    snapshot validate "$parameters" || die "$parameters deploys something else than its snapshot; if that is meant: ./flex azure snapshots"
  done
  build tests/Flex.Infrastructure.Tests/Flex.Infrastructure.Tests.csproj
  dotnet test --project tests/Flex.Infrastructure.Tests/Flex.Infrastructure.Tests.csproj --no-build -c Release --filter-class "Flex.Infrastructure.Tests.TemplateTests"
  echo "infrastructure: done"
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

# Restores a project or solution, with further options, against Microsoft's packages; 1 when these, and nothing else, cannot be had.
restore_azure() {
  local log
  log="$(mktemp)"
  if dotnet restore "$@" -p:FlexRuntime=Azure >"$log" 2>&1; then
    rm -f "$log"
    return 0
  fi
  if grep -qE "error NU110[12]" "$log" && ! grep -E "error " "$log" | grep -qvE "error NU110[12]"; then
    rm -f "$log"
    return 1
  fi
  cat "$log" >&2
  rm -f "$log"
  die "the Azure packages could not be restored"
}

# Compiles the whole solution, local host and tests included, against Microsoft's packages.
azure_compile() {
  if ! restore_azure Flex.Functions.sln; then
    echo "compile: skipped: packages not reachable"
    return 0
  fi
  build Flex.Functions.sln --no-restore -p:FlexRuntime=Azure
  echo "compile: done"
}

# Makes .flex/azure/flex.zip. One from before does not stay: infra/deploy takes what is there.
azure_package() {
  local folder=.flex/azure/publish zip=.flex/azure/flex.zip hubs="" packed
  local options=(-p:FlexPackage=true -p:FlexTaskScheduler=true)
  rm -rf "$folder" "$zip"
  if ! restore_azure functions/Flex.Functions.csproj "${options[@]}"; then
    # The scheduler's package is the youngest, and the app runs without it.
    options=(-p:FlexPackage=true)
    hubs=", with the storage task hub only"
    if ! restore_azure functions/Flex.Functions.csproj "${options[@]}"; then
      echo "package: skipped: packages not reachable"
      return 0
    fi
  fi
  quietly dotnet publish functions/Flex.Functions.csproj --no-restore -c Release -p:FlexRuntime=Azure "${options[@]}" -o "$folder" --nologo
  build_host
  packed="$(dotnet "$dll" pack --from "$folder" --to "$zip")"
  echo "package: done: $packed$hubs"
}

# Checks and builds what is deployed. Each step says that it is done, or skipped and why; what fails, fails the command.
build_azure() {
  if [ "${1:-}" = "--help" ] || [ "${1:-}" = "-h" ]; then
    echo "Usage: ./flex azure [STEP...]"
    echo
    echo "  infrastructure  infra/ compiles, is linted and formatted, deploys what its snapshots say, and keeps the rules of its tests"
    echo "  compile         everything against the real Azure packages"
    echo "  package         what infra/deploy pushes: .flex/azure/flex.zip"
    echo "  snapshots       writes infra/*.snapshot.json anew, after a change that is meant; only when it is named"
    echo
    echo "Without a step, all but the last. Says so where the packages cannot be restored."
    exit 0
  fi
  cd "$root"
  mkdir -p .flex/azure
  [ "$#" -gt 0 ] || set -- infrastructure compile package
  local step
  for step in "$@"; do
    case "$step" in
      infrastructure | compile | package | snapshots) "azure_$step" ;;
      *) die "'$step' is not a step of ./flex azure; --help lists them" ;;
    esac
  done
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
