#!/usr/bin/env bash
# Merges the pull requests on Gitea or Forgejo that need no reviewer: `routine` on
# each seed, from somebody who speaks for the tenant, and within that tenant's
# folder. Run it every few minutes, on a machine of the provider's: never in a
# pipeline that a pull request can change. Needs bash, curl and jq. Says a line
# of each open pull request; ends with 1 where the host could not be asked.
#
#   FORGE_URL    https://git.example.com
#   REPOSITORY   hosting/allowlists
#   TOKEN_FILE   token of an account that may merge: read and write repository
#   SEEDS        "eu-west us-east": all of them; each must have said its word
#   REPORTER     the account whose statuses count: the one of Portcullis' token
#   AUTHORS      file, a line a tenant: its folder, then the accounts that speak for it
#   BRANCH, TENANTS   default main, tenants
#   DRY_RUN      1: only say it
#
# `routine` says what a change means, not who wants it: without AUTHORS anybody
# with an account could add an address of their own to a tenant's list.
set -euo pipefail
: "${FORGE_URL:?}" "${REPOSITORY:?}" "${TOKEN_FILE:?}" "${SEEDS:?}" "${REPORTER:?}" "${AUTHORS:?}"
BRANCH=${BRANCH:-main} TENANTS=${TENANTS:-tenants}

# ask METHOD PATH [JSON]: the token is in no argument, which others can see.
ask() {
  curl --silent --show-error --fail-with-body --request "$1" --header 'Content-Type: application/json' ${3:+--data "$3"} \
    --config <(printf 'header = "Authorization: token %s"\n' "$(cat "$TOKEN_FILE")") "$FORGE_URL/api/v1/repos/$REPOSITORY/$2"
}

# pages PATH?QUERY: all items of a list, one a line.
pages() {
  local page=1 items
  while true; do
    items=$(ask GET "$1&limit=50&page=$page") || return 1
    [[ $(jq length <<<"$items") -gt 0 ]] || return 0
    jq -c '.[]' <<<"$items"
    page=$((page + 1))
  done
}

# judged SHA: every seed says success, one of them routine, the others that or
# that nothing of theirs is in it. Only what the reporter said counts: whoever may
# write to the repository can set a status of any name.
judged() {
  local status
  status=$(ask GET "commits/$1/status") || return 1
  jq --exit-status --arg seeds "$SEEDS" --arg reporter "$REPORTER" '
    [($seeds | split(" ") | .[] | select(. != "")) as $seed
      | [.statuses[]? | select(.context == "portcullis/" + $seed)]
      | if length == 1 and .[0].status == "success" and .[0].creator.login == $reporter then .[0].description else "" end]
    | all(test("^(routine\\b|nothing here$)")) and any(startswith("routine"))' <<<"$status" >/dev/null
}

# speaks LOGIN NUMBER: all files are in one tenant's folder, and the account is
# among those that AUTHORS has for it.
speaks() {
  local files tenants tenant
  files=$(pages "pulls/$2/files?") || return 1
  tenants=$(jq -rs --arg below "$TENANTS/" '[.[] | .filename, .previous_filename // empty
    | if startswith($below) then ltrimstr($below) | split("/") | if length > 1 then .[0] else "" end else "" end] | unique | .[]' <<<"$files") || return 1
  tenant=$tenants
  [[ -n $tenant && $tenant != *$'\n'* ]] || return 1
  awk -v tenant="$tenant" -v login="$1" '$1 == tenant { for (i = 2; i <= NF; i++) if ($i == login) found = 1 } END { exit !found }' "$AUTHORS"
}

pulls=$(pages "pulls?state=open")
while read -r pull; do
  [[ -n $pull ]] || continue
  read -r number sha login base draft < <(jq -r '"\(.number) \(.head.sha) \(.user.login) \(.base.ref) \(.draft)"' <<<"$pull")
  if [[ $base != "$BRANCH" || $draft == true ]]; then
    echo "#$number: left: not for $BRANCH, or a draft"
  elif ! judged "$sha"; then
    echo "#$number: left: not routine on each of: $SEEDS"
  elif ! speaks "$login" "$number"; then
    echo "#$number: left: $login does not speak for all that it changes"
  elif [[ ${DRY_RUN:-} == 1 ]]; then
    echo "#$number: would be merged at $sha"
  # The host refuses where the head is another by now.
  elif ask POST "pulls/$number/merge" "{\"Do\": \"merge\", \"head_commit_id\": \"$sha\"}" >/dev/null; then
    echo "#$number: merged at $sha"
  else
    echo "#$number: left: the host does not merge it"
  fi
done <<<"$pulls"
