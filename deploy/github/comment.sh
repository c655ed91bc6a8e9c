#!/usr/bin/env bash
# Keep one comment of figwatch on the pull request: the report MARKDOWN, on pull request NUMBER of GITHUB_REPOSITORY.
# Its first line says which comment it is: folders of one repository have a comment each.
set -euo pipefail

MARKER=$(head -n 1 "$MARKDOWN")
export MARKER
body=$MARKDOWN
if [ "$(wc -c <"$MARKDOWN")" -gt 60000 ]; then # GitHub takes 65,536 characters; a line is never cut
    body="$MARKDOWN.short"
    { head -c 60000 "$MARKDOWN" | sed '$d'; printf '\nThe rest is too long for a comment: it stands in the summary of the job.\n'; } >"$body"
fi

comments="repos/$GITHUB_REPOSITORY/issues/$NUMBER/comments"
marked='.[] | select(.user.type == "Bot" and (.body | startswith(env.MARKER))) | .id'
ids=$(gh api --paginate "$comments" --jq "$marked")
id=${ids%%$'\n'*}

if [ -n "$id" ]; then
    gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" --field body=@"$body"
else
    gh api --silent --method POST "$comments" --field body=@"$body"
fi
