import type { Place } from '../job/commands.ts';

/** Where this function's pipeline runs, by its own environment: on the local stack S3 has an address of its own. */
export const placeOf = (
  { stackName, results }: Pick<Place, 'stackName' | 'results'>,
  variables: Readonly<Record<string, string | undefined>>,
): Place => ({
  stackName,
  results,
  region: variables['AWS_REGION'] ?? '',
  isLocal: variables['AWS_ENDPOINT_URL_S3'] !== undefined,
});
