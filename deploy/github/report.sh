#!/usr/bin/env bash
# Write the report of the GitHub Action: `figwatch check`, and `figwatch backtest` of the pull request's base against its head.
#
# Reads FILES, HISTORY, PROMETHEUS, FROM, SLO, FAIL_ON, BASE, WHERE (the folder, as the workflow names it), and what the
# runner sets: RUNNER_TEMP, GITHUB_OUTPUT, GITHUB_STEP_SUMMARY. Inputs arrive by the environment alone, so that none is ever
# read as shell.
set -euo pipefail

own=$(mktemp -d "$RUNNER_TEMP/figwatch.XXXXXX") # a job may run the action more than once
report="$own/report.md"
said="$own/said.txt"
read -r -d '' -a files <<<"${FILES:-}" || true # a workflow may write them on lines of their own
read -r -d '' -a histories <<<"${HISTORY:-}" || true
slo=${SLO:-slo}
case "${WHERE:-.}" in . | ./) marker="<!-- figwatch -->" ;; *) marker="<!-- figwatch ${WHERE//[^A-Za-z0-9._\/-]/_} -->" ;; esac

block() { # block FILE: as code by indentation, which no line of it can end; a comment may have 65,536 characters
    head -c 40000 "$1" | sed 's/^/    /'
    printf '\n'
}

checked() { # sets check
    check=0
    figwatch check -- ${files[@]+"${files[@]}"} >"$said" 2>&1 || check=$?
    cat "$said"
    {
        printf '%s\n' "$marker"
        if [ "$check" = 0 ]; then printf '## figwatch check: all is right\n\n'; else printf '## figwatch check: findings\n\n'; fi
        block "$said"
    } >"$report"
}

versions() { # versions FOLDER OPTION: every file of promises there, each behind its option
    local file
    while IFS= read -r -d '' file; do arguments+=("$2" "$file"); done \
        < <(find "$1" -type f \( -name '*.yaml' -o -name '*.yml' \) -print0 | sort -z)
}

base_files() { # the promises as the base of the pull request has them, into $1; fails where it has none
    git cat-file -e "$BASE^{commit}" 2>/dev/null || git fetch --quiet --no-tags --depth=1 origin "$BASE"
    git cat-file -e "$BASE:./$slo" 2>/dev/null || return 1
    mkdir -p "$1"
    git archive --format=tar "$BASE" -- "$slo" | tar -x -C "$1"
}

backtested() { # sets backtest; empty where there is nothing to hold one against the other
    backtest=""
    [ -n "${BASE:-}" ] || return 0
    [ ${#histories[@]} -gt 0 ] || [ -n "${PROMETHEUS:-}" ] || return 0
    local arguments=() file
    if ! base_files "$own/base"; then
        printf 'the base has no %s: there is nothing to backtest against\n' "$slo" >&2
        return 0
    fi
    versions "$own/base/$slo" --base
    versions "$slo" --head
    for file in ${histories[@]+"${histories[@]}"}; do arguments+=(--history "$file"); done
    [ -z "${PROMETHEUS:-}" ] || arguments+=(--prometheus "$PROMETHEUS")
    [ -z "${FROM:-}" ] || arguments+=(--from "$FROM")
    backtest=0
    figwatch backtest "${arguments[@]}" --fail-on "${FAIL_ON:-none}" --output markdown \
        >"$own/backtest.md" 2>"$said" || backtest=$?
    cat "$said" >&2
    printf '\n' >>"$report"
    if [ "$backtest" = 0 ] || [ "$backtest" = 4 ]; then
        cat "$own/backtest.md" >>"$report"
    else
        { printf '## figwatch backtest: it could not be done\n\n'; block "$said"; } >>"$report"
    fi
}

checked
backtest=""
[ "$check" != 0 ] || backtested

cat "$report" >>"$GITHUB_STEP_SUMMARY"
printf 'check=%s\nbacktest=%s\nmarkdown=%s\n' "$check" "$backtest" "$report" >>"$GITHUB_OUTPUT"
[ "$check" = 0 ] || exit "$check"
exit "${backtest:-0}"
