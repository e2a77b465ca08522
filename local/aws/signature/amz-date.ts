const BASIC = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/;

/** Epoch milliseconds of a date like `20261121T080000Z`, or `undefined` when it is none. */
export function parseAmzDate(text: string): number | undefined {
  if (!BASIC.test(text)) return undefined;
  const ms = Date.parse(text.replace(BASIC, '$1-$2-$3T$4:$5:$6Z'));
  return Number.isNaN(ms) ? undefined : ms;
}
