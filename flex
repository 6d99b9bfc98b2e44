#!/usr/bin/env bash
# Builds Flex once after a change of its sources and runs it: ./flex COMMAND [OPTIONS], from any directory.
set -euo pipefail
root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 TESTINGPLATFORM_TELEMETRY_OPTOUT=1 FLEX_ROOT="$root"
dll="$root/local/bin/Local/Release/net10.0/flex.dll"
stamp="$root/local/bin/Local/Release/.built"

command -v dotnet >/dev/null || { echo "flex: the .NET 10 SDK is needed: https://dotnet.microsoft.com/download" >&2; exit 1; }

changed() {
  [ ! -f "$dll" ] || [ ! -f "$stamp" ] || [ -n "$(find "$root/functions" "$root/local" "$root"/*.props "$root"/*.json \
    \( -name bin -o -name obj -o -name node_modules \) -prune -o -type f -newer "$stamp" -print -quit)" ]
}

if changed; then
  # Two calls at once must not build into the same directory.
  mkdir -p "$root/.flex"
  exec 9>"$root/.flex/build.lock"
  if command -v flock >/dev/null; then flock 9; fi
  if changed; then
    started="$(mktemp)"
    if ! log="$(dotnet build "$root/local/Flex.Local.csproj" -c Release -v quiet --nologo 2>&1)"; then
      rm -f "$started"
      echo "$log" >&2
      echo "flex: the build failed" >&2
      exit 1
    fi
    mkdir -p "$(dirname "$stamp")"
    # Sources saved while the build ran are newer than its start, so the next call builds again.
    touch -r "$started" "$stamp"
    rm -f "$started"
  fi
  exec 9>&-
fi
exec dotnet "$dll" "$@"
