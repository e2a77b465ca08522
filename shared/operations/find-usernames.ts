import type { DataCenter, DataCenterUser } from '../atlassian/apis.ts';
import { type Finding, found, lookEach, refused } from './finding.ts';
import { quoted } from './read-row.ts';

/** The people of a Data Center batch, each distinct username by a call: its API has no bulk look-up. */
export const findUsernames = (
  usernames: readonly string[],
  apis: DataCenter,
  signal: AbortSignal,
): Promise<(username: string) => Finding<DataCenterUser>> =>
  lookEach(
    usernames,
    (username) => username.toLowerCase(),
    async (username, until) => {
      const user = await apis.findUser(username, until);
      return user ? found(user) : refused('USER_NOT_FOUND', `Jira has nobody with the username ${quoted(username)}.`);
    },
    signal,
  );
