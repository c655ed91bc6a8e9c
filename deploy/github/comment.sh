#!/usr/bin/env bash
# Keep one comment of figwatch on the pull request: the report MARKDOWN, on pull request NUMBER of GITHUB_REPOSITORY.
set -euo pipefail

comments="repos/$GITHUB_REPOSITORY/issues/$NUMBER/comments"
marked='.[] | select(.user.type == "Bot" and (.body | startswith("<!-- figwatch -->"))) | .id'
ids=$(gh api --paginate "$comments" --jq "$marked")
id=${ids%%$'\n'*}

if [ -n "$id" ]; then
    gh api --silent --method PATCH "repos/$GITHUB_REPOSITORY/issues/comments/$id" --field body=@"$MARKDOWN"
else
    gh api --silent --method POST "$comments" --field body=@"$MARKDOWN"
fi
