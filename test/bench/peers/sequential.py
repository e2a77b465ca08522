# The script of the articles: one row after the other. `python3 sequential.py <membership|creation> <csv>`.
import csv
import os
import sys

import requests

operation, path = sys.argv[1:]
site = os.environ["SITE"]
auth = (os.environ["USERNAME"], os.environ["TOKEN"])

with open(path) as file:
    for row in csv.DictReader(file):
        if operation == "membership":
            url = f"{site}/rest/api/3/group/user?groupId={row['groupid']}"
            body = {"accountId": row["userid"]}
        else:
            url = f"{site}/rest/api/3/user"
            body = {"emailAddress": row["email"], "products": ["jira-software"]}
        requests.post(url, json=body, auth=auth)
