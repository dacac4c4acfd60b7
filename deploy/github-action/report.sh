#!/usr/bin/env bash
# Tells Tagferry which images a workflow has pushed. Its inputs are the TAGFERRY_… variables that action.yml sets.
set -euo pipefail

fail() {
    echo "::error title=Tagferry::$1"
    exit 1
}

# Waits longer each time, and as long as the other side asks for; gives up after some minutes.
call() {
    curl --silent --show-error --proto =https,http \
        --connect-timeout 10 --max-time 30 --retry 6 --retry-all-errors --retry-max-time 300 "$@"
}

words() {
    tr ', \r' '\n\n\n' <<<"$1" | jq --raw-input --null-input '[inputs | select(length > 0)]'
}

[ -n "${TAGFERRY_URL:-}" ] || fail "the input url is missing"
[ -n "${ACTIONS_ID_TOKEN_REQUEST_URL:-}" ] || fail "the job has no identity token: give it permissions: { id-token: write, contents: read }"
url=${TAGFERRY_URL%/}
audience=${TAGFERRY_AUDIENCE:-$url}

if [ -n "${TAGFERRY_BUILDS:-}" ]; then
    body=$(jq --compact-output . <<<"$TAGFERRY_BUILDS" 2>/dev/null) || fail "the input builds is not JSON"
else
    for input in CLOUD TAGS IMAGES; do
        name=TAGFERRY_$input
        [ -n "${!name:-}" ] || fail "the input ${input,,} is missing"
    done
    body=$(jq --null-input --compact-output \
        --arg cloud "$TAGFERRY_CLOUD" --arg repository "$TAGFERRY_REPOSITORY" --arg run_url "$TAGFERRY_RUN_URL" \
        --argjson tags "$(words "$TAGFERRY_TAGS")" --argjson images "$(words "$TAGFERRY_IMAGES")" \
        '{ $cloud, $repository, $tags, $images, $run_url }')
fi

answer=$(mktemp)
trap 'rm -f "$answer"' EXIT

encoded=$(jq --raw-input --raw-output @uri <<<"$audience")
# Tokens go in by standard input, where no list of processes shows them.
token=$(call --fail --header @- "$ACTIONS_ID_TOKEN_REQUEST_URL&audience=$encoded" \
    <<<"Authorization: bearer $ACTIONS_ID_TOKEN_REQUEST_TOKEN" | jq --exit-status --raw-output .value) ||
    fail "GitHub gave no identity token"
echo "::add-mask::$token"

status=$(call --output "$answer" --write-out '%{http_code}' --header 'Content-Type: application/json' \
    --header @- --data-binary "$body" "$url/v1/builds" <<<"Authorization: Bearer $token") ||
    fail "$url can not be reached"

if [ "$status" != 202 ]; then
    fail "$url answers $status: $(jq --raw-output '.detail // "no reason is given"' "$answer" 2>/dev/null || echo "something that is not Tagferry's")"
fi

delivery=$(jq --raw-output '.delivery // ""' "$answer")
announcements=$(jq --raw-output .announcements "$answer")
echo "delivery=$delivery" >>"$GITHUB_OUTPUT"
{
    echo "### Tagferry"
    echo "$announcements images are announced, as delivery $delivery of $url."
    jq --raw-output '.unusable[] | "- not taken: \(.)"' "$answer"
} | tee -a "$GITHUB_STEP_SUMMARY"
jq --raw-output '.unusable[] | "::warning title=Tagferry::\(.)"' "$answer"
[ "$announcements" -gt 0 ] || fail "nothing of the report could be taken"
