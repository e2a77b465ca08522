// The script of the articles: one row after the other. `node sequential.mjs <membership|creation> <csv>`; SITE, USERNAME and
// TOKEN come from the environment. Plain JavaScript, as a reader would copy it.
import { readFileSync } from 'node:fs';

const [operation, path] = process.argv.slice(2);
const { SITE, USERNAME, TOKEN } = process.env;
const headers = {
  authorization: `Basic ${Buffer.from(`${USERNAME}:${TOKEN}`).toString('base64')}`,
  'content-type': 'application/json',
};

const [, ...lines] = readFileSync(path, 'utf8').trim().split('\n');
for (const line of lines) {
  const [first, second] = line.split(',');
  const url =
    operation === 'membership' ? `${SITE}/rest/api/3/group/user?groupId=${second}` : `${SITE}/rest/api/3/user`;
  const body = operation === 'membership' ? { accountId: first } : { emailAddress: first, products: ['jira-software'] };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  await answer.text();
}
