#!/bin/sh
# One row by curl: `one-row.sh membership <userid,groupid>` or `one-row.sh creation <email>`.
if [ "$1" = membership ]; then
  url="$SITE/rest/api/3/group/user?groupId=${2#*,}"
  body="{\"accountId\": \"${2%%,*}\"}"
else
  url="$SITE/rest/api/3/user"
  body="{\"emailAddress\": \"$2\", \"products\": [\"jira-software\"]}"
fi
curl --silent --output /dev/null --user "$USERNAME:$TOKEN" --header 'Content-Type: application/json' --data "$body" "$url"
