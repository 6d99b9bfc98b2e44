# shellcheck shell=bash
# What the scripts of this directory share; sourced, not run. They set environment and, where it is an option, resource_group.

infra="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
environment=""
resource_group=""

die() {
  echo "${0##*/}: $1" >&2
  exit 1
}

# The value of the option that comes first.
value_of() {
  case "${2:-}" in
    "" | -*) die "$1 needs a value; --help tells more" ;;
    *) echo "$2" ;;
  esac
}

# Checks that there are these tools and the environment, and that somebody is signed in; says into which subscription.
prepare() {
  local known="" is_known=false file name tool subscription
  for file in "$infra"/*.bicepparam; do
    name="$(basename "$file" .bicepparam)"
    known="$known $name"
    if [ "$name" = "$environment" ]; then is_known=true; fi
  done
  $is_known || die "which environment? There are:$known"
  for tool in "$@"; do
    command -v "$tool" >/dev/null || die "$tool is needed and not installed"
  done
  resource_group="${resource_group:-flex-$environment}"
  subscription="$(az account show --query name --output tsv 2>/dev/null)" || die "nobody is signed in: az login"
  echo "Subscription: $subscription"
  echo "Resource group: $resource_group"
}

# One output of the deployment, by name. A list has one element on a line.
output() {
  local value
  value="$(az deployment group show --resource-group "$resource_group" --name "flex-$environment" \
    --query "properties.outputs.$1.value" --output tsv)" || die "the outputs of the deployment flex-$environment cannot be read"
  [ "$value" != "None" ] || value=""
  echo "$value"
}

# The same, when there has to be one.
needed_output() {
  local value
  value="$(output "$1")" || exit 1
  [ -n "$value" ] || die "the deployment flex-$environment has no output $1"
  echo "$value"
}

# Names of secrets that the settings refer to and the key vault does not have, one on a line. Asked of the resource manager, which
# gives out no values and answers also where the vault itself is closed to this machine.
missing_secrets() {
  local vault wanted there
  vault="$(needed_output keyVaultName)" || exit 1
  wanted="$(output vaultEntries)" || exit 1
  there="$(az rest --method get --query 'value[].name' --output tsv --url "/subscriptions/{subscriptionId}/resourceGroups/$resource_group/providers/Microsoft.KeyVault/vaults/$vault/secrets?api-version=2023-07-01")" \
    || die "the names of the secrets in $vault cannot be read"
  comm -23 <(sort -u <<<"$wanted" | sed '/^$/d') <(sort -u <<<"$there")
}
